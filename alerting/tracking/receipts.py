"""Receipts come in and move deliveries forward, never back.

Owns the two transactions of a receipt: writing it down when the provider calls, and applying it, in order and in bulk, from
the sweep. Must not import a concrete channel. Invariant: a delivery moves only along `states.FOLLOWS`, whatever the
order and number of its receipts, also when they come before the send itself has been recorded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from alerting.store import counters, landing, receipts
from alerting.store.counters import Counted
from alerting.store.engine import UNAVAILABLE, DatabaseError, at_once, transaction
from alerting.store.states import FOLLOWS, DeliveryStatus
from alerting.tracking.writer import Busy, Writer
from channels.base import ReceiptEvent, Status

__all__ = ["Busy", "apply_next", "apply_waiting", "record"]

#: Receipts applied in one transaction.
CHUNK = 5_000

#: What a provider's later word makes of a delivery; words that are absent move nothing and are only kept.
MOVES: dict[Status, DeliveryStatus] = {
    Status.ACCEPTED: DeliveryStatus.ACCEPTED,
    Status.DELIVERED: DeliveryStatus.DELIVERED,
    Status.UNDELIVERED: DeliveryStatus.UNDELIVERED,
    Status.BOUNCED: DeliveryStatus.BOUNCED,
    Status.REJECTED: DeliveryStatus.UNDELIVERED,  # refused after it had been accepted
    Status.OPTED_OUT: DeliveryStatus.OPTED_OUT,
}


def record(events: Sequence[ReceiptEvent], *, now: datetime) -> int:
    """Write receipts down, together with those of other callers; how many were new. Returns when they are committed.

    Replays are ignored, unknown deliveries are kept and move nothing. Raises Busy or what the database raised: the rows may
    then be written or not, and the provider is to say it again.
    """
    return _writer.hand([_receipt(event, now) for event in events]) if events else 0


def _write(groups: Sequence[Sequence[receipts.Receipt]]) -> list[int]:
    """One transaction for the receipts of several callers; how many of each were new."""
    new = receipts.add(at_once, chain.from_iterable(groups))
    counts = []
    for group in groups:
        known = {(receipt.provider, receipt.event_id) for receipt in group} & new
        new -= known  # two callers with one event: it was new for the first
        counts.append(len(known))
    return counts


def _lies_in_the_rows(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and not isinstance(error, UNAVAILABLE)


_writer: Writer[receipts.Receipt, int] = Writer(_write, apart=_lies_in_the_rows)


def _receipt(event: ReceiptEvent, now: datetime) -> receipts.Receipt:
    return receipts.Receipt(
        event.provider,
        _storable(event.event_id),
        *_delivery(event.delivery),
        event.status.value,
        event.reason.value if event.reason is not None else None,
        _storable(event.reference) if event.reference is not None else None,
        {name: _storable(value) for name, value in event.raw.items()},
        now,
    )


def _storable(text: str) -> str:
    """PostgreSQL has no text with U+0000; what else the provider said is kept."""
    return text.replace("\0", "\ufffd")


def apply_waiting(
    *, now: Callable[[], datetime], seconds: float, clock: Callable[[], float] = time.monotonic
) -> int:
    """Apply the receipts that are committed by now, in the order of their ids, for `seconds` at most; how many it were.

    The rest waits for the next call: whoever calls has other work as well.
    """
    until = clock() + seconds
    with transaction() as session:
        upto = receipts.settled_to(session)
    applied = 0
    while (read := _apply(upto, now())) > 0:
        applied += read
        if clock() >= until:
            break
    return applied


def apply_next(*, now: datetime) -> int:
    """Apply the next chunk of receipts; how many were read (0: none waits)."""
    with transaction() as session:
        upto = receipts.settled_to(session)
    return _apply(upto, now)


def _apply(upto: int, now: datetime) -> int:
    """One transaction: the next chunk up to this id, and the reader's place behind it."""
    with transaction() as session:
        unread = receipts.unread(session, upto, CHUNK)
        if not unread:
            return 0
        words: dict[landing.Key, list[receipts.Unread]] = {}
        for receipt in unread:
            if receipt.dispatch is not None and receipt.n is not None and receipt.status in _MOVES:
                words.setdefault((receipt.dispatch, receipt.n), []).append(receipt)
        # Whom a worker moves between our look and our move is looked at again: what it may become depends on where it is.
        counts: Counter[landing.Moved] = Counter()
        while moves := _moves(words, landing.standing(session, words)):
            moved = landing.move(session, moves, now=now)
            counts += moved
            if moved.total() == len(moves):
                break
        counters.add(session, {(Counted.RECEIPTS, tuple(labels)): n for labels, n in counts.items()})
        receipts.read_to(session, unread[-1])
        return len(unread)


_MOVES = {status.value: moved for status, moved in MOVES.items()}


def _moves(
    words: Mapping[landing.Key, Sequence[receipts.Unread]], standing: Mapping[landing.Key, DeliveryStatus]
) -> dict[landing.Key, landing.Move]:
    """What becomes of the deliveries that the words lead further; said again of the result, they lead no further."""
    moves = {}
    for key, was in standing.items():
        current, last = was, None
        for word in words[key]:
            if (moved := _MOVES[word.status]) in FOLLOWS[current]:
                current, last = moved, word
        if last is not None:
            moves[key] = landing.Move(was, current, last.reason, last.reference, last.provider)
    return moves


def _delivery(written: str) -> tuple[int | None, int | None]:
    """`dispatch.n` as two numbers; (None, None) for anything else that a forger or an old link may send."""
    dispatch, dot, n = written.partition(".")
    if dot and dispatch.isascii() and n.isascii() and dispatch.isdigit() and n.isdigit():
        found = int(dispatch), int(n)
        if max(found) < 2**63:
            return found
    return None, None
