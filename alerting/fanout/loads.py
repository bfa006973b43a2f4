"""From a claimed batch to messages in memory: texts compared with their frozen hash, addresses opened.

Owns the reading side of a drain. A recipient who has stopped, or whose address is gone or cannot be opened, becomes an
outcome here and is never a message. Invariant: a text whose hash differs from the approved one never becomes a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
    outcomes = [Outcome(row.n, *why, None, False) for row in rows if (why := _unsendable(row, words, now))]
    done = {outcome.n for outcome in outcomes}
    rows = [row for row in rows if row.n not in done]
    addresses = _open(vault, channel, rows)
    outcomes += [
        Outcome(row.n, DeliveryStatus.REJECTED, "unknown_key", None, False)
        for row, to in zip(rows, addresses, strict=True)
        if to is None
    ]
    sendable = [(row, to) for row, to in zip(rows, addresses, strict=True) if to is not None]
    left = {segment: (expires - now).total_seconds() for segment, expires in words.expires.items()}
    ends = {segment: clock + seconds for segment, seconds in left.items()}
    load = Load(
        lease=lease,
        base=base,
        messages=_messages(lease, sendable, words, channel, settings, base, left, finds=finds),
        ns=[row.n for row, _ in sendable],
        attempts=[row.attempts for row, _ in sendable],
        repeated=[row.maybe_repeated for row, _ in sendable],
        addresses=[row.address for row, _ in sendable],
        allowed=sum(row.n <= lease.started_to for row, _ in sendable),
        deadline=clock + LEASE - MARGIN,
        expires=[ends[row.segment] for row, _ in sendable],
        expires_at=[words.expires[row.segment] for row, _ in sendable],
        opened=clock,
    )
    return Opened(load, tuple(outcomes))


def _messages(
    lease: Lease,
    sendable: Sequence[tuple[Planned, str]],
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
    unsubscribe = f"{settings.public_base_url}/unsubscribe/" if channel == "email" else None
    return [
        Message(
            key=base + i,
            delivery=f"{lease.dispatch}.{row.n}",
            to=to,
            content=words.content(row.segment, row.language),
            validity=valid[row.segment],
            unsubscribe=unsubscribe + row.token if unsubscribe and row.token else None,
            doubt_since=lookup.doubt_since(row, words.begun, finds=finds),
        )
        for i, (row, to) in enumerate(sendable)
    ]


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
