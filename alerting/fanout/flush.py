"""Writing down what a drain's sends came to: one transaction for all of its batches.

Owns the statements of a flush: one for all leases, one for the deliveries of each dispatch, the tally, then what must be
tried again. Must not claim, send or decide. Invariant: what a killed drain may have sent without a record lies between the
last flush and the allowance of it, and one window is shared by all batches of a drain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from alerting.fanout import lookup
from alerting.fanout.stream import Load
from alerting.store import addresses, batches, deliveries, outbox, senders
from alerting.store.counters import Results
from alerting.store.deliveries import Outcome
from alerting.store.engine import transaction
from alerting.store.states import AddressState, DeliveryStatus, DispatchState
from channels.base import Reason

#: An address that the provider calls impossible is not tried for the next warning.
DEAD = frozenset({Reason.INVALID_ADDRESS.value, Reason.NO_SUCH_MAILBOX.value})

_TAKEN = frozenset({DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One load in a flush: its new outcomes, how far it may go on, and what all of its sends came to."""

    load: Load
    outcomes: Sequence[Outcome]
    allowed: int
    ended: bool
    results: Results


@dataclass(frozen=True, slots=True)
class Written:
    """What a flush found out: loads that go on, those to be stopped, and those whose lease was lost."""

    going_on: tuple[Entry, ...]
    stopped: tuple[Load, ...]
    lost: tuple[Load, ...]


def allowances(active: Sequence[Load], window: int) -> list[int]:
    """How many messages of each load may have left at the next flush: `window` more, dealt out as the stream hands them out.

    What was allowed before stands, since it may have left already. It does not count against those before it: the first
    load always gets on, or all of them would wait for it for ever.
    """
    allowed = [load.allowed for load in active]
    for i in sorted(range(len(active)), key=lambda i: active[i].lease.priority):
        load = active[i]
        taken = load.taken
        more = 0 if load.spent else min(window, len(load.messages) - taken)
        allowed[i] = max(load.allowed, taken + more)
        window -= more
    return allowed


def write(
    channel: str,
    provider: str,
    active: Sequence[Load],
    outcomes: Mapping[int, Sequence[Outcome]],
    *,
    window: int,
    now: datetime,
) -> Written:
    """Write the outcomes, by id() of their load, and tend every lease."""
    entries = []
    for load, allowed in zip(active, allowances(active, window), strict=True):
        found = outcomes.get(id(load), ())
        age = (now - load.lease.due_at).total_seconds()
        results = load.results.plus(provider, found, age) if found else load.results
        entries.append(Entry(load, found, allowed, load.ended, results))
    with transaction() as session:
        # Something more urgent first seen here stops all that is less urgent: the rest of its batches goes back.
        least = max((load.lease.priority for load in active), default=0)
        urgent = outbox.urgent_waiting(session, channel, least)
        states = batches.tend(session, [_tending(entry) for entry in entries])
        held = [entry for entry in entries if entry.load.lease.batch in states]
        _settle(session, channel, held, now)
        for entry in held:
            if entry.ended:
                _leave(session, entry.load)
    going_on = tuple(entry for entry in held if not entry.ended)
    return Written(
        going_on,
        stopped=tuple(
            entry.load
            for entry in going_on
            if states[entry.load.lease.batch] in (DispatchState.WITHDRAWN, DispatchState.HELD)
            or (urgent is not None and entry.load.lease.priority > urgent)
        ),
        lost=tuple(entry.load for entry in entries if entry.load.lease.batch not in states),
    )


def _tending(entry: Entry) -> batches.Tending:
    load = entry.load
    upto = load.ns[entry.allowed - 1] if entry.allowed else load.lease.n_from - 1
    return batches.Tending(load.lease, upto, entry.ended, load.first, entry.results.written())


def _settle(session: Session, channel: str, entries: Sequence[Entry], now: datetime) -> None:
    """The rows and their tally; then what they say about addresses and about the sender."""
    by_dispatch: defaultdict[int, list[Outcome]] = defaultdict(list)
    stopped: list[int] = []
    dead: list[int] = []
    worked = False
    for entry in entries:
        load = entry.load
        by_dispatch[load.lease.dispatch] += entry.outcomes
        for outcome in entry.outcomes:
            if outcome.status in _TAKEN:
                worked = True
            elif outcome.status is DeliveryStatus.OPTED_OUT:
                stopped += load.address_of(outcome.n)
            elif outcome.reason in DEAD and outcome.status is not DeliveryStatus.PLANNED:
                dead += load.address_of(outcome.n)
        if entry.ended:
            by_dispatch[load.lease.dispatch] += [
                Outcome(n, lookup.too_late(doubt=load.doubtful(n)), None, None, False) for n in load.expired
            ]
    deliveries.settle_all(session, by_dispatch, now=now)
    if stopped:
        addresses.close(session, stopped, AddressState.STOPPED, now=now)
    if dead:
        addresses.close(session, dead, AddressState.DEAD, now=now)
    if worked:
        senders.worked(session, channel)


def _leave(session: Session, load: Load) -> None:
    """What may be tried again, and what was not handed out, become batches of their own."""
    lease = load.lease
    if load.taken < len(load.ns):
        batches.again(
            session, lease.dispatch, load.ns[load.taken :], not_before=None, attempts=lease.attempts
        )
    for at, ns in sorted(load.again.items()):
        not_before = datetime.fromtimestamp(at, UTC) if at else None
        batches.again(session, lease.dispatch, ns, not_before=not_before, attempts=lease.attempts)
