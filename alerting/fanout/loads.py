"""From a claimed batch to messages in memory: texts compared with their frozen hash, addresses opened.

Owns the reading side of a drain. A recipient who has stopped, or whose address is gone or cannot be opened, becomes an
outcome here and is never a message. Invariant: a text whose hash differs from the approved one never becomes a message.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from typing import NamedTuple

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.fanout import lookup
from alerting.fanout.stream import LAST, STALE, Load
from alerting.store import deliveries, frozen, outbox
from alerting.store.addresses import UnknownKey, Vault
from alerting.store.batches import LEASE, Lease
from alerting.store.deliveries import Outcome, Planned
from alerting.store.states import AddressState, Audience, DeliveryStatus
from alerting.wording.language import choose
from alerting.wording.rendered import content_hash
from channels.base import Content, Message

#: Seconds before the end of a lease at which nothing more is handed out: the time a message may be on its way.
MARGIN = 2.0


class TextChanged(Exception):
    """A frozen text is not what was approved: its dispatch is held."""

    def __init__(self, dispatch: int) -> None:
        super().__init__(f"a text of dispatch {dispatch} differs from the one that was approved")
        self.dispatch = dispatch


@dataclass(slots=True)
class Words:
    """The texts of one dispatch, one Content object for each, and the language that each kind of reader gets."""

    alert: bool
    begun: datetime  # when the dispatch was made, aware UTC
    expires: dict[int, datetime]
    contents: dict[tuple[int, str], Content]
    default: str
    chosen: dict[tuple[int, str], Content] = field(default_factory=dict)

    def content(self, segment: int, reader: str) -> Content:
        """The text of a segment for a reader's language."""
        found = self.chosen.get((segment, reader))
        if found is None:
            available = [language for n, language in self.contents if n == segment]
            found = self.contents[segment, choose(reader, available, self.default)]
            self.chosen[segment, reader] = found
        return found


def words_of(session: Session, dispatch: outbox.Dispatch, default: str) -> Words:
    """Read and verify the texts of a dispatch; raises TextChanged."""
    if dispatch.alert is not None:
        rows = frozen.words_of_alert(session, dispatch.alert, dispatch.channel)
    else:
        rows = frozen.words_of_notice(session, dispatch.notice or 0, dispatch.expires)
    for row in rows:
        if content_hash(row.subject, row.text, row.html) != row.sha256:
            raise TextChanged(dispatch.id)
    return Words(
        alert=dispatch.audience is not Audience.PERSON,
        begun=dispatch.created_at,
        expires={row.segment: row.expires for row in rows},
        contents={
            (row.segment, row.language): Content(row.text, row.language, row.subject, row.html, row.segments)
            for row in rows
        },
        default=default,
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """What a batch holds: a load to send, and what is final before anything is sent."""

    load: Load
    outcomes: tuple[Outcome, ...]


def open_batch(
    session: Session,
    lease: Lease,
    words: Words,
    channel: str,
    *,
    settings: Settings,
    vault: Vault,
    base: int,
    now: datetime,
    clock: float,
    finds: bool = False,
) -> Opened:
    """Read a claimed batch. `clock` is the monotonic time at which it was claimed, `now` the same moment in UTC.

    `finds`: the channel looks messages in doubt up at its provider.
    """
    rows = deliveries.read(
        session, lease.dispatch, lease.n_from, lease.n_to, lease.picked, tokens=channel == "email"
    )
    rows, outcomes = _sorted_out(rows, words, now)
    opened = _open(vault, channel, rows)
    if None in opened:
        outcomes += [
            Outcome(row.n, DeliveryStatus.REJECTED, "unknown_key", None, False)
            for row, to in zip(rows, opened, strict=True)
            if to is None
        ]
        rows = [row for row, to in zip(rows, opened, strict=True) if to is not None]
    recipients = [to for to in opened if to is not None]
    left = {segment: (expires - now).total_seconds() for segment, expires in words.expires.items()}
    ends = {segment: clock + seconds for segment, seconds in left.items()}
    # Column by column from here on: a row is touched by C alone, and this is the busiest work of a drain's own.
    columns = Columns(*zip(*rows, strict=True)) if rows else Columns()
    load = Load(
        lease=lease,
        base=base,
        messages=_messages(lease, columns, recipients, words, channel, settings, base, left, finds=finds),
        ns=list(columns.n),
        attempts=list(columns.attempts),
        repeated=list(columns.maybe_repeated),
        addresses=list(columns.address),
        allowed=bisect_right(columns.n, lease.started_to),
        deadline=clock + LEASE - MARGIN,
        expires=[ends[segment] for segment in columns.segment],
        expires_at=[words.expires[segment] for segment in columns.segment],
        opened=clock,
    )
    return Opened(load, tuple(outcomes))


class Columns(NamedTuple):
    """Rows laid on their side: what `Planned` says of one row, for all of them."""

    n: Sequence[int] = ()
    address: Sequence[int | None] = ()
    feed: Sequence[int | None] = ()
    segment: Sequence[int] = ()
    language: Sequence[str] = ()
    attempts: Sequence[int] = ()
    maybe_repeated: Sequence[bool] = ()
    address_state: Sequence[str | None] = ()
    key_id: Sequence[str | None] = ()
    cipher: Sequence[bytes | None] = ()
    mac: Sequence[bytes | None] = ()
    token: Sequence[str | None] = ()


def _messages(
    lease: Lease,
    columns: Columns,
    recipients: Sequence[str],
    words: Words,
    channel: str,
    settings: Settings,
    base: int,
    left: Mapping[int, float],
    *,
    finds: bool,
) -> list[Message]:
    """A message for each row; `left` is the seconds until the text of a segment expires.

    A validity is counted from a little later than now: the stream makes those anew that have waited for longer.
    """
    valid = {segment: max(seconds - STALE, LAST) for segment, seconds in left.items()}
    readers = list(zip(columns.segment, columns.language, strict=True))
    contents = {reader: words.content(*reader) for reader in set(readers)}
    links: Iterable[str | None] = repeat(None)
    if channel == "email":
        unsubscribe = f"{settings.public_base_url}/unsubscribe/"
        links = [unsubscribe + token if token else None for token in columns.token]
    doubts: Iterable[datetime | None] = repeat(None)
    if finds and any(columns.maybe_repeated):
        doubts = [
            lookup.doubt_since(words.begun, tries, in_doubt=doubt)
            for tries, doubt in zip(columns.attempts, columns.maybe_repeated, strict=True)
        ]
    return list(
        map(
            Message,
            range(base, base + len(recipients)),
            map(f"{lease.dispatch}.".__add__, map(str, columns.n)),
            recipients,
            map(contents.__getitem__, readers),
            map(valid.__getitem__, columns.segment),
            links,
            doubts,
        )
    )


def _sorted_out(rows: list[Planned], words: Words, now: datetime) -> tuple[list[Planned], list[Outcome]]:
    """The rows that are to be sent, and what became of the others."""
    last = now + timedelta(seconds=LAST)
    lasting = {segment for segment, expires in words.expires.items() if expires > last}
    active = AddressState.ACTIVE.value
    odd = {
        row.n
        for row in rows
        if row.address_state != active or row.segment not in lasting or row.cipher is None
    }
    if not odd:
        return rows, []
    outcomes = [
        Outcome(row.n, *why, None, False)
        for row in rows
        if row.n in odd and (why := _unsendable(row, words, now)) is not None
    ]
    final = {outcome.n for outcome in outcomes}
    return [row for row in rows if row.n not in final], outcomes


def _unsendable(row: Planned, words: Words, now: datetime) -> tuple[DeliveryStatus, str | None] | None:
    """The final status of a row that is not to be sent, and why; None when it is."""
    if row.cipher is None:
        return DeliveryStatus.OPTED_OUT, "erased"
    # The answer to STOP is sent to an address that has just been stopped; a warning never is.
    if words.alert and row.address_state != AddressState.ACTIVE:
        dead = row.address_state == AddressState.DEAD
        return (DeliveryStatus.REJECTED, "dead") if dead else (DeliveryStatus.OPTED_OUT, "stopped")
    if row.segment not in words.expires:
        return DeliveryStatus.REJECTED, "no_text"
    if words.expires[row.segment] <= now + timedelta(seconds=LAST):
        return lookup.too_late(doubt=row.maybe_repeated), None
    return None


def _open(vault: Vault, channel: str, rows: Sequence[Planned]) -> list[str | None]:
    sealed = [(row.key_id or "", row.cipher or b"", row.mac or b"") for row in rows]
    try:
        return list(vault.open_many(channel, sealed))
    except UnknownKey:
        # One row under a lost key must not fail the batch: find it by opening them one by one.
        return [_open_one(vault, channel, *one) for one in sealed]


def _open_one(vault: Vault, channel: str, key_id: str, cipher: bytes, mac: bytes) -> str | None:
    try:
        return vault.open(channel, key_id, cipher, mac)
    except UnknownKey:
        return None
