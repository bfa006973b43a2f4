"""A text from a citizen: STOP, START, HELP or JOIN, acted on and answered in one transaction.

The answer is a notice through the outbox, sent by the lane like everything else; the web request that brought the text sends
nothing. Uses the store, the words and the bell; must not import an adapter. Invariant: STOP holds from the moment of the
commit, whatever becomes of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.fanout import bell
from alerting.store import addresses, notices, regions, subscribers, suppression
from alerting.store.addresses import AddressError, Held, Vault
from alerting.store.engine import transaction
from alerting.store.regions import Region
from alerting.store.states import AddressState, Lane, NoticeKind
from alerting.store.subscribers import Place
from alerting.subscribing.enrol import Enrolled, Entry, enrol
from alerting.subscribing.keywords import Asked, Command, understand
from alerting.wording.notices import notice
from channels.base import InboundEvent

SMS = "sms"

#: An answer that comes later than this answers nothing any more.
ANSWER_LIFE = timedelta(hours=1)

#: Codes that an answer to an ambiguous name lists.
MOST_CODES = 5

#: Letters of a place that are looked at; the longest name of a place is shorter.
LONGEST_PLACE = 200


class Outcome(StrEnum):
    """What a text led to; the values of those that are answered are the kinds of `wording.notice`."""

    JOINED = "joined"
    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"
    UNKNOWN_PLACE = "unknown_place"
    AMBIGUOUS_PLACE = "ambiguous_place"
    REPLAY = "replay"  # the provider sent the same message again
    IGNORED = "ignored"  # no telephone number to answer, or small talk from somebody who said STOP


@dataclass(frozen=True, slots=True)
class Understood:
    """What became of a text; `region` is the code of the region joined, `answered` whether an answer is on its way."""

    outcome: Outcome
    region: str | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Reply:
    """What to say to which address, in which language (None: the authority's)."""

    outcome: Outcome
    address: int
    language: str | None
    region: Region | None = None
    written: str = ""
    choices: tuple[str, ...] = ()


def inbound(event: InboundEvent, *, settings: Settings, now: datetime) -> Understood:
    """Act on a text, and answer it unless the provider has done so (`event.opt_out`) or the sender had five answers
    this hour. A replay of the same event id changes nothing and is not answered. Never raises for what was written.
    """
    try:
        sender = addresses.normalise(SMS, event.sender, settings.default_country)
    except AddressError:  # a short code or a name: nobody who could subscribe or be answered
        return Understood(Outcome.IGNORED)
    with transaction() as session:
        if not notices.hear(session, event.provider, event.event_id, now=now):
            return Understood(Outcome.REPLAY)
        reply = _act(session, sender, _command(event), settings, now)
        answered = (
            reply is not None
            and event.opt_out is None
            and notices.may_answer(session, event.provider, reply.address, now=now)
        )
        if reply is not None and answered:
            _answer(session, reply, settings, now)
    if answered:
        bell.ring(Lane.SMS)
    if reply is None:
        return Understood(Outcome.IGNORED)
    return Understood(reply.outcome, None if reply.region is None else reply.region.code, answered)


def _command(event: InboundEvent) -> Command:
    """What is asked for; the provider's own reading of an opt-out goes before ours."""
    read = understand(event.text)
    if event.opt_out is None or event.opt_out.lower() == read.asked:
        return read
    return Command(Asked(event.opt_out.lower()), language=read.language)


def _act(session: Session, sender: str, command: Command, settings: Settings, now: datetime) -> _Reply | None:
    """Do what the text asks for; None when there is nothing to say."""
    vault = Vault(settings)
    if command.asked is Asked.JOIN:
        return _join(session, vault, sender, command, settings, now)
    # Whoever has never been heard of gets a row: the STOP must be kept, and the answer needs somewhere to go.
    held = addresses.keep(session, vault, SMS, sender, AddressState.PENDING)
    language = _language_of(session, held) or command.language
    if command.asked is Asked.STOP:
        addresses.stop(session, held.id, now=now)
        return _Reply(Outcome.STOPPED, held.id, language)
    if command.asked is Asked.START and held.subscriber is not None:
        addresses.activate(session, held.id)
        return _Reply(Outcome.STARTED, held.id, language)
    if command.asked is Asked.OTHER and held.state is AddressState.STOPPED:
        return None
    return _Reply(Outcome.HELP, held.id, language)


def _language_of(session: Session, held: Held) -> str | None:
    people = subscribers.by_ids(session, [] if held.subscriber is None else [held.subscriber])
    return people[0].language if people else None


def _join(
    session: Session, vault: Vault, sender: str, command: Command, settings: Settings, now: datetime
) -> _Reply:
    # The lock of enrolment goes before that of the address, as in an import: the other way round they could block.
    subscribers.lock_enrolment(session)
    held = addresses.keep(session, vault, SMS, sender, AddressState.PENDING)
    known = _language_of(session, held)
    found = _places(session, command.place[:LONGEST_PLACE])
    written = _harmless(command.place)
    language = known or _language(command, found, settings.default_language)
    if not found and not written:  # "we do not know the place" would answer nothing that was said
        return _Reply(Outcome.HELP, held.id, language)
    if len(found) != 1:
        outcome = Outcome.AMBIGUOUS_PLACE if found else Outcome.UNKNOWN_PLACE
        codes = tuple(region.code for region in found[:MOST_CODES])
        return _Reply(outcome, held.id, language, written=written, choices=codes)
    (region,) = found
    entry = Entry(None, ((SMS, sender),), (Place(region.id),), consent_at=now, source=SMS)
    suppression.lift(
        session, SMS, vault.mac(SMS, sender)
    )  # whoever was forgotten comes back by their own word
    (outcome_of,) = enrol(session, [entry], vault=vault, default_language=language, now=now)
    if not isinstance(
        outcome_of, Enrolled
    ):  # a telephone of the exercise list: its owner must ask the authority
        return _Reply(Outcome.HELP, held.id, language)
    addresses.activate(session, held.id)
    return _Reply(Outcome.JOINED, held.id, language, region)


def _places(session: Session, written: str) -> Sequence[Region]:
    """The regions that somebody may mean: the one with this code, else all with this name in any language."""
    if not written:
        return ()
    region = regions.by_code(session, written)
    return (region,) if region is not None else regions.by_name(session, written)


def _language(command: Command, found: Sequence[Region], default: str) -> str:
    """The language of a new subscriber: that of the word they used, else one in which the place has this name.

    "JOIN Pékin" is French, though without its mark it would be Spanish as well; where a name is the same in several languages it is the authority's, if that is one of them.
    """
    named = [(tongue, name) for region in found for tongue, name in region.names.items()]
    exact, keys = regions.name_key(command.place), regions.name_keys(command.place)
    speak = sorted(
        {tongue for tongue, name in named if regions.name_key(name) == exact}
        or {tongue for tongue, name in named if keys & regions.name_keys(name)}
    )
    if command.language is not None and (command.language in speak or not speak):
        return command.language
    return default if default in speak or not speak else speak[0]


def _harmless(written: str) -> str:
    """What was typed as far as it may be repeated: whoever forges a sender shall not have links or numbers sent."""
    return re.sub(r"\d{5,}", "", " ".join(re.sub(r"[^\w\s'\u2019-]|_", " ", written[:LONGEST_PLACE]).split()))


def _example(session: Session, settings: Settings) -> str:
    """A code that may follow JOIN: one of the authority's country if there is any."""
    near = regions.search(session, f"{settings.default_country}-", limit=1)
    found = near or regions.listing(session, after="", limit=1)
    return found[0].code if found else settings.default_country


def _answer(session: Session, reply: _Reply, settings: Settings, now: datetime) -> None:
    language = reply.language or settings.default_language
    rendered = notice(
        reply.outcome.value,
        language,
        SMS,
        issuer=settings.authority_name,
        place="" if reply.region is None else reply.region.name(language),
        code="" if reply.region is None else reply.region.code,
        written=reply.written,
        example=_example(session, settings) if reply.outcome in {Outcome.HELP, Outcome.UNKNOWN_PLACE} else "",
        choices=reply.choices,
    )
    notices.plan(
        session,
        address_id=reply.address,
        channel=SMS,
        kind=NoticeKind.REPLY,
        language=rendered.language,
        subject=rendered.subject,
        body=rendered.text,
        html=rendered.html,
        segments=rendered.segments,
        sha256=rendered.sha256,
        expires=now + ANSWER_LIFE,
        now=now,
    )
