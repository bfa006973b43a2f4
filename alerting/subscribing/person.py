"""A person's request: everything that is held on them, given to them; and all of it forgotten.

Owns these transactions. A person is whoever has an address; an address that belongs to no subscriber is looked at alone.
Must not import the web side. Invariant: what is forgotten stays silent: its mac is kept, from which nobody reads the
address, so that no list brings the person back; the audit names them by an internal number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.store import addresses, audit, frozen, person, regions, retention, subscribers, suppression
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.store.person import HeardRow, SentRow
from alerting.store.states import AddressState
from alerting.store.subscribers import AddressRow, Place, Subscriber
from alerting.subscribing.people import ListedFollow
from alerting.wording.language import choose


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """An address in the clear."""

    channel: str
    address: str
    state: AddressState


@dataclass(frozen=True, slots=True)
class Sent:
    """What went, or is to go, to one address: the text as it is frozen now, and what providers said of it."""

    row: SentRow
    to: str
    subject: str | None
    text: str
    heard: tuple[HeardRow, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """What was done about a person, from the audit."""

    at: datetime
    actor: str
    act: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is held on a person. `subscriber` is None for an address that never subscribed."""

    subscriber: Subscriber | None
    addresses: tuple[HeldAddress, ...]
    follows: tuple[ListedFollow, ...]
    sent: tuple[Sent, ...]
    acts: tuple[Act, ...]
    silent: bool  # the address asked about is kept from coming back by a list


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure has reached, in rows; `silent` is how many addresses no list can bring back."""

    addresses: int
    deliveries: int
    receipts: int
    notices: int
    silent: int


def channel_of(written: str) -> str:
    """The channel of an address as somebody writes it."""
    return "email" if "@" in written else "sms"


def record(written: str, *, actor: str, settings: Settings, now: datetime) -> Record:
    """Everything that is held on whoever has this address; raises AddressError, UnknownKey. It is in the audit."""
    vault = Vault(settings)
    key = _key(vault, written, settings)
    with transaction() as session:
        who, rows = _of(session, key)
        opened = {row.id or 0: vault.open(row.channel, row.key_id, row.cipher, row.mac) for row in rows}
        places = [] if who is None else list(subscribers.places_of(session, [who.id]).get(who.id, ()))
        acts = [] if who is None else audit.of(session, f"subscriber:{who.id}")
        found = Record(
            subscriber=who,
            addresses=tuple(HeldAddress(row.channel, opened[row.id or 0], row.state) for row in rows),
            follows=_follows(session, places),
            sent=_sent(session, opened, settings.default_language),
            acts=tuple(Act(entry.at, entry.actor, entry.act) for entry in acts),
            silent=bool(suppression.among(session, [key])),
        )
        audit.append(
            session, actor=actor, act="person.exported", subject=_subject(who, rows), detail={}, now=now
        )
    return found


def forget(written: str, *, actor: str, settings: Settings, now: datetime) -> Erased:
    """Forget whoever has this address, at their request: nothing is left but counts, and all their addresses stay silent.

    An address that is not known is made silent all the same. Raises AddressError.
    """
    key = _key(Vault(settings), written, settings)
    with transaction() as session:
        subscribers.lock_enrolment(session)
        who, rows = _of(session, key)
        keys = {key} | {(row.channel, row.mac) for row in rows}
        return _erase(session, who, rows, keys, actor=actor, now=now)


def erase(subscriber: int, *, actor: str, now: datetime) -> bool:
    """Forget a subscriber by number, for an officer who sets something right; False when there is none.

    Only addresses that said STOP stay silent: the others may be subscribed again.
    """
    with transaction() as session:
        subscribers.lock_enrolment(session)
        who = next(iter(subscribers.by_ids(session, [subscriber])), None)
        if who is None:
            return False
        rows = subscribers.addresses_of(session, [subscriber])
        stopped = {(row.channel, row.mac) for row in rows if row.state is AddressState.STOPPED}
        _erase(session, who, rows, stopped, actor=actor, now=now)
        return True


def readmit(written: str, *, actor: str, settings: Settings, now: datetime) -> bool:
    """Let a silent address be subscribed again, because its owner says so; False when it was not silent.

    A telephone does it by itself, by JOIN. Raises AddressError.
    """
    channel, mac = _key(Vault(settings), written, settings)
    with transaction() as session:
        if not suppression.lift(session, channel, mac):
            return False
        audit.append(
            session, actor=actor, act="address.readmitted", subject=f"channel:{channel}", detail={}, now=now
        )
        return True


def _erase(
    session: Session,
    who: Subscriber | None,
    rows: Sequence[AddressRow],
    silent: set[tuple[str, bytes]],
    *,
    actor: str,
    now: datetime,
) -> Erased:
    ids = [row.id for row in rows if row.id is not None]
    # Deliveries before addresses: a flush takes its locks in this order.
    deliveries, receipts, notices = retention.forget_person(session, ids)
    suppression.suppress(session, silent, now=now)
    if who is not None:
        subscribers.delete(session, who.id)
    else:
        addresses.remove(session, ids)
    erased = Erased(len(ids), deliveries, receipts, notices, len(silent))
    detail: dict[str, object] = {
        "addresses": erased.addresses,
        "deliveries": erased.deliveries,
        "receipts": erased.receipts,
        "notices": erased.notices,
        "silent": erased.silent,
    }
    subject = _subject(who, rows)
    audit.append(session, actor=actor, act="subscriber.erased", subject=subject, detail=detail, now=now)
    return erased


def _subject(who: Subscriber | None, rows: Sequence[AddressRow]) -> str:
    """An internal number for the audit."""
    if who is not None:
        return f"subscriber:{who.id}"
    return f"address:{rows[0].id}" if rows else "address:unknown"


def _key(vault: Vault, written: str, settings: Settings) -> tuple[str, bytes]:
    channel = channel_of(written)
    return channel, vault.mac(channel, addresses.normalise(channel, written, settings.default_country))


def _of(session: Session, key: tuple[str, bytes]) -> tuple[Subscriber | None, list[AddressRow]]:
    """The subscriber of an address with all their addresses; the address alone where nobody has subscribed it."""
    found = subscribers.addresses_by_mac(session, [key])
    if not found:
        return None, []
    owner = found[0].subscriber
    if owner is None:
        return None, subscribers.addresses_with_ciphers(session, [row.id for row in found if row.id])
    return subscribers.by_ids(session, [owner])[0], subscribers.addresses_of(session, [owner])


def _follows(session: Session, places: Sequence[Place]) -> tuple[ListedFollow, ...]:
    named = {place.region for place in places if place.region is not None}
    codes = {key: region.code for key, region in regions.of_ids(session, named).items()} if named else {}
    return tuple(
        ListedFollow(codes.get(place.region or 0), place.lat, place.lon, place.floor, place.hazards)
        for place in places
    )


def _sent(session: Session, opened: dict[int, str], default: str) -> tuple[Sent, ...]:
    rows = person.sent_to(session, list(opened))
    heard: dict[tuple[int, int], list[HeardRow]] = {}
    for one in person.heard_of(session, [(row.dispatch, row.n) for row in rows]):
        heard.setdefault((one.dispatch, one.n), []).append(one)
    found = []
    for row in rows:
        subject, words = _words(session, row, default)
        told = tuple(heard.get((row.dispatch, row.n), ()))
        found.append(Sent(row, opened[row.address], subject, words, told))
    return tuple(found)


def _words(session: Session, row: SentRow, default: str) -> tuple[str | None, str]:
    """(subject, text) that a delivery carries: chosen among the frozen ones as a send chooses."""
    if row.alert is not None:
        texts = frozen.words_of_alert(session, row.alert, row.channel)
    else:
        texts = frozen.words_of_notice(session, row.notice or 0, row.expires)
    of_segment = {each.language: each for each in texts if each.segment == row.segment}
    if not of_segment:
        return None, ""
    chosen = of_segment[choose(row.language, list(of_segment), default)]
    return chosen.subject, chosen.text
