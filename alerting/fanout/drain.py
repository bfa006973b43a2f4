"""Draining a channel: claim, send, flush, finish, over and over, through one run of the adapter.

Owns the transactions of a sender. The database is never held while a provider is called: the adapter takes messages from
the stream and puts results into a queue, and each half second one transaction writes what has come back, extends the
leases and moves the allowance. Invariant: what a killed drain may have sent without a record lies between the last flush
and the allowance of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from uuid import uuid4

import structlog
from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.fanout import failover, flush, loads, retry
from alerting.fanout.grants import Grants
from alerting.fanout.stream import Load, Stream
from alerting.store import batches, deliveries, outbox, senders
from alerting.store.addresses import Vault
from alerting.store.deliveries import Outcome
from alerting.store.engine import UNAVAILABLE, DriverError, transaction
from alerting.store.states import DeliveryStatus
from channels.base import Channel, Run, SendResult, Status

log = structlog.get_logger(__name__)

#: Seconds between flushes.
FLUSH = 0.5

#: Messages that may leave before the first flush, where no rate is known.
FIRST_WINDOW = 1_000

#: How much more than half a second's messages may leave at a pace: a flush may be late, and a slow sender's few are uneven.
LATE = 1.1
SPARE = 8

#: Seconds that a drain without work waits for more while the planner is still at it, and otherwise.
LINGER = 0.25

#: Seconds after a claim that found nothing before the next: the planner needs as long for a batch.
PAUSE = 0.05

#: SQLSTATEs after which the same transaction is simply run again: serialization failure and deadlock.
REPEATABLE = frozenset({"40001", "40P01"})


def utc_now() -> datetime:
    """The wall clock, aware; a default argument of this package's entry points alone."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Drain:
    """One worker's turn on one channel. `limit` is how many seconds it claims work before it hands over."""

    channel: str
    adapter: Channel
    settings: Settings
    limit: float = 60.0
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = time.monotonic
    stream: Stream = field(default_factory=Stream)
    results: SimpleQueue[SendResult] = field(default_factory=SimpleQueue)
    active: list[Load] = field(default_factory=list)
    waiting: list[tuple[Load, Outcome]] = field(default_factory=list)  # not yet written
    words: dict[int, loads.Words] = field(default_factory=dict)
    vault: Vault = field(init=False)
    grants: Grants = field(init=False)
    keys: int = 0
    sent: int = 0
    found: int = 0  # of those, what the provider had already
    speed: float = 0.0  # results a second, lately
    flushed_at: float = 0.0
    claim_at: float = 0.0  # not before

    def __post_init__(self) -> None:
        self.vault = Vault(self.settings)
        self.grants = Grants(self.channel, self.stream, self.clock)

    # ------------------------------------------------------------------------------------------------- the loop

    def run(self) -> int:
        """Drain until there is no more work, the provider fails, or the limit has passed; messages with a result."""
        started = idle_since = self.flushed_at = self.clock()
        run: Run | None = None
        try:
            while True:
                over = self.clock() - started >= self.limit
                if not over and self._hungry() and self._claim():
                    continue
                if self.active:
                    idle_since = self.clock()
                    run = run or self.adapter.open(self.stream, self.results)
                    self.stream.attention(self.grants.patience(0.02))
                    self._tend(run)
                    if run.done.is_set():
                        break
                elif over or not self._linger(idle_since):
                    break
        finally:
            self._close(run)
        return self.sent

    def _linger(self, idle_since: float) -> bool:
        with transaction() as session:
            more = outbox.expanding(session, self.channel)
        if not more and self.clock() - idle_since >= LINGER:
            return False
        self.stream.attention(0.02)
        return self.clock() - idle_since < self.limit

    def _hungry(self) -> bool:
        return self.clock() >= self.claim_at and self.stream.backlog() < self._enough()

    def _enough(self) -> int:
        """Messages that are enough to hold: what half a second sends."""
        return self.grants.backlog() or max(self.adapter.limits.in_flight, int(self.speed * FLUSH))

    def _tend(self, run: Run) -> None:
        """Take in results; flush when it is time, for what is more urgent, when the stream starves or all has ended."""
        self._collect()
        urgent = self.grants.ask()
        ended = all(load.ended for load in self.active)
        if (
            urgent
            or ended
            or self._starving()
            or run.done.is_set()
            or self.clock() - self.flushed_at >= FLUSH
        ):
            self._flush()

    def _starving(self) -> bool:
        """Whether the next message may leave only after a flush, and nothing is in flight that this could wait for."""
        waiting = (load for load in self.active if not load.spent)
        first = min(waiting, key=lambda load: load.lease.priority, default=None)
        return (
            first is not None
            and first.taken >= first.allowed
            and all(load.in_flight <= 0 for load in self.active)
        )

    def _close(self, run: Run | None) -> None:
        """Let what is in flight end, write it, give back the rest."""
        self.stream.close()
        if run is not None:
            returned = run.stop()
            self._untake([message.key for message in returned])
            run.done.wait(30)
            self._collect()
        self.grants.give_back()
        for load in self.active:
            load.stopped = True
        self._flush()
        patience = self.clock() + batches.LEASE
        while self.waiting and self.clock() < patience:
            time.sleep(0.2)
            self._flush()
        if self.found:
            log.info("found_at_provider", channel=self.channel, found=self.found)
        if run is not None and run.error is not None:
            failover.rest(self.channel, run.error)

    def _untake(self, keys: list[int]) -> None:
        """Messages that the adapter took but never started go back to their loads."""
        for key in sorted(keys, reverse=True):
            load = self._load_of(key)
            if load is not None:
                load.settled += 1
                load.again.setdefault(0.0, []).append(load.ns[key - load.base])

    # ----------------------------------------------------------------------------------------------------- claim

    def _claim(self) -> bool:
        """Claim in two steps: among the few dispatches, then some of its batches; False when there is none."""
        clock, now = self.clock(), self.now()
        opened: list[Load] = []
        try:
            with transaction() as session:
                awake, rate = senders.outlook(session, self.channel)
                if not awake:
                    return False
                self.grants.follow(rate)
                window = self._window() - sum(load.allowed - load.taken for load in self.active)
                rows = max(self._enough() - self.stream.backlog(), 1)
                for dispatch_id in outbox.candidates(session, self.channel):
                    leases = batches.claim_some(session, dispatch_id, token=uuid4(), window=window, rows=rows)
                    opened = [self._open(session, lease, now=now, clock=clock) for lease in leases]
                    if opened:
                        break
            # Their leases are committed by now: before that a lost database would leave the batches to others as well.
            for load in opened:
                self._take_on(load)
            if opened:
                return True
        except loads.TextChanged as error:
            failover.hold(
                self.channel, error.dispatch, "a text differs from the approved one", now=self.now()
            )
            return True
        except UNAVAILABLE:
            log.warning("database_away", channel=self.channel)
            self.stream.attention(0.2)
        self.claim_at = self.clock() + PAUSE
        return False

    def _open(self, session: Session, lease: batches.Lease, *, now: datetime, clock: float) -> Load:
        if lease.dispatch not in self.words:
            dispatch = outbox.get(session, lease.dispatch)
            self.words[lease.dispatch] = loads.words_of(session, dispatch, self.settings.default_language)
        opened = loads.open_batch(
            session,
            lease,
            self.words[lease.dispatch],
            self.channel,
            settings=self.settings,
            vault=self.vault,
            base=self.keys,
            now=now,
            clock=clock,
            finds=self.adapter.limits.finds,
        )
        deliveries.settle(session, lease.dispatch, opened.outcomes, now=now)
        self.keys += len(opened.load.messages)
        if not opened.load.messages:
            batches.finish(session, lease)
        return opened.load

    def _take_on(self, load: Load) -> None:
        if load.messages:
            self.active.append(load)
            self.stream.put(load)

    def _window(self) -> int:
        """Rows of all loads together that may leave until the next flush: what half a second carries.

        At a pace that is known, and what is in flight is part of it: a kill leaves no more than this in doubt.
        """
        rate = self.grants.rate or self.adapter.limits.rate
        if rate is not None:
            return int(rate * FLUSH * LATE) + SPARE
        return self.adapter.limits.in_flight + max(FIRST_WINDOW, int(self.speed * FLUSH * 1.5))

    # ----------------------------------------------------------------------------------------------------- flush

    def _load_of(self, key: int) -> Load | None:
        return next((load for load in self.active if load.base <= key < load.base + len(load.messages)), None)

    def _collect(self) -> None:
        """Turn results into outcomes that wait for the next flush."""
        now = self.now()
        load: Load | None = None
        while True:
            try:
                result = self.results.get_nowait()
            except Empty:
                return
            if load is None or not load.base <= result.key < load.base + len(load.messages):
                load = self._load_of(result.key)
            if load is None:
                continue  # its lease was lost: another worker answers for it now
            self.sent += 1
            load.settled += 1
            self.waiting.append((load, self._outcome(load, result, now)))

    def _outcome(self, load: Load, result: SendResult, now: datetime) -> Outcome:
        i = result.key - load.base
        decision = retry.decide(
            result,
            attempts=load.attempts[i],
            repeated=load.repeated[i],
            now=now,
            expires=load.expires_at[i],
            asked=load.messages[i].doubt_since is not None,
        )
        self.found += result.found
        if decision.again_at is not None:
            load.again.setdefault(decision.again_at.timestamp(), []).append(load.ns[i])
        if load.first is None and decision.status in (DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED):
            load.first = now
        reason = decision.reason or (result.reason.value if result.reason is not None else None)
        return Outcome(
            load.ns[i], decision.status, reason, result.reference, ambiguous=result.status is Status.AMBIGUOUS
        )

    def _flush(self) -> None:
        """Write everything that has come back; a lost database keeps it for the next time."""
        if not self.active and not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        elapsed, self.flushed_at = self.clock() - self.flushed_at, self.clock()
        if elapsed > 0.05:
            self.speed = (
                len(waiting) / elapsed if not self.speed else (self.speed + len(waiting) / elapsed) / 2
            )
        by_load: dict[int, list[Outcome]] = {}
        for load, outcome in waiting:
            by_load.setdefault(id(load), []).append(outcome)
        written = False
        try:
            for _ in range(5):
                try:
                    self._write(by_load)
                    written = True
                    return
                except DriverError as error:
                    if getattr(error.orig, "sqlstate", None) not in REPEATABLE:
                        raise
        except UNAVAILABLE:
            log.warning("database_away", channel=self.channel, unwritten=len(waiting))
            time.sleep(PAUSE)  # a starving stream asks for a flush at once, again and again
        finally:
            # Whatever went wrong: what was sent and is not written is never forgotten.
            if not written:
                self.waiting = waiting + self.waiting

    def _write(self, by_load: dict[int, list[Outcome]]) -> None:
        clock = self.clock()
        written = flush.write(
            self.channel,
            self.adapter.provider,
            self.active,
            by_load,
            window=self._window(),
            now=self.now(),
        )
        for entry in written.going_on:
            entry.load.results = entry.results
            self.stream.allow(entry.load, entry.allowed, clock + batches.LEASE - loads.MARGIN)
        for load in written.lost:
            log.warning(
                "lease_lost", channel=self.channel, dispatch=load.lease.dispatch, batch=load.lease.batch
            )
        for load in (*written.stopped, *written.lost):
            self.stream.stop(load)
        self.active = [entry.load for entry in written.going_on]
