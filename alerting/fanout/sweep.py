"""The sweep: a process of its own that looks after whatever was left behind.

Each second it takes back lost leases, closes what has ended, applies receipts and rings the lanes that have work; each
five seconds it expires warnings and gives up waiting for receipts. One sweep at a time works (advisory lock); a second
waits. Where Redis does not answer it drains the lanes through children until a job has started again. Invariant: every
round is a repetition that does no harm: what it moves, it moves by the state that it finds.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

import structlog
from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.fanout import bell, worker
from alerting.fanout.drain import utc_now
from alerting.store import alerts, audit, batches, beats, closing, counters, deliveries, outbox
from alerting.store.counters import Counted
from alerting.store.engine import DriverError, ProcessLock, transaction
from alerting.store.states import LANE_OF_CHANNEL, DeliveryStatus, DispatchState, Lane
from alerting.tracking import receipts, retention

log = structlog.get_logger(__name__)

#: Advisory lock of the sweep.
LOCK = 7_201_002

#: Seconds between rounds, and rounds between the slow chores.
ROUND = 1.0
SLOW = 5

#: Rows closed in one transaction.
CHUNK = 20_000

#: Chunks of what is forgotten between two looks at everything else.
CHUNKS = 4

#: Seconds of a round that one chore may take: receipts, and what is closed of a million, wait for the next.
SHARE = 0.8

#: Seconds after which a lane with work, without a lease and without a job that starts, is served by a child.
SILENT = 5.0

#: How long a provider may take for its last word about an SMS.
RECEIPT_PATIENCE = timedelta(hours=6)

#: Lanes whose workers hold leases while they send.
SENDING = frozenset({Lane.SMS, Lane.EMAIL})

#: Rounds in a row that a bell must fail before a child stands in for the workers.
DEAF = 2


class Sweep:
    """The rounds of one process."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.now = now
        self.rounds = 0
        self.deaf = 0  # rounds in a row in which Redis did not answer the bell
        self.given_up: dict[int, int] = {}  # dispatch -> n up to which its receipts are waited for no more
        self.idle_since: dict[Lane, float] = {}  # lanes with work that nobody does, by the wall clock
        self.children: dict[Lane, BaseProcess] = {}

    def round(self) -> None:
        """One round; a chore that the database refuses is left for the next."""
        chores: list[Callable[[], object]] = [
            self.recover,
            self.close_finished,
            self.close_unsent,
            self.apply_receipts,
            self.count,
        ]
        if self.rounds % SLOW == 0:
            chores += [self.expire, self.give_up_receipts, self.forget]
        chores += [self.ring, self.beat]
        for chore in chores:
            try:
                chore()
            except DriverError as error:
                log.warning("sweep_chore_failed", chore=chore.__name__, kind=type(error.orig).__name__)
        self.rounds += 1

    def recover(self) -> int:
        """Take back batches whose lease has run out; rows that may have left are marked, and sent again."""
        with transaction() as session:
            lost = batches.lost(session)
            counts: Counter[counters.Key] = Counter()
            for batch in lost:
                upto = batch.started_to if batch.started_to is not None else batch.n_to
                if batch.withdrawn:
                    # Nothing of a withdrawn warning is repeated: what may have left stays in doubt, the rest is closed.
                    deliveries.close(
                        session, batch.dispatch, DeliveryStatus.UNCONFIRMED, now=self.now(), limit=CHUNK,
                        n_from=batch.n_from, n_to=upto, picked=batch.picked,
                    )  # fmt: skip
                else:
                    marked = deliveries.mark_in_doubt(
                        session, batch.dispatch, batch.n_from, upto, batch.picked
                    )
                    log.warning("lease_recovered", dispatch=batch.dispatch, batch=batch.batch, marked=marked)
                    counts[Counted.IN_DOUBT, (batch.channel,)] += marked
                counts[Counted.LEASES_LOST, (batch.channel,)] += 1
                if batch.results is not None:
                    counts.update(counters.of_results(batch.channel, batch.audience, batch.results))
                batches.reopen(session, batch.batch)
            counters.add(session, counts)
        return len(lost)

    def close_finished(self) -> None:
        """Dispatches of which every batch is done."""
        with transaction() as session:
            for ending in closing.finished(session):
                left = deliveries.planned_left(session, ending.id)
                if left:
                    # Such a row would wait for ever: give it one. Only a database that has lost commits leaves any, and it
                    # may have lost that they were sent.
                    log.error("rows_without_batch", dispatch=ending.id, rows=left)
                    planned = outbox.get(session, ending.id).planned
                    deliveries.mark_in_doubt(session, ending.id, 1, planned, None)
                    batches.add(session, ending.id, 1, planned, 2_000)
                    continue
                outbox.set_state(session, ending.id, DispatchState.DONE, now=self.now())
                self._milestone(session, ending, "dispatch.done")

    def close_unsent(self) -> None:
        """Rows of withdrawn and of expired dispatches that were never started, CHUNK at a time."""
        self._close_rows(closing.withdrawn, DeliveryStatus.WITHDRAWN, "dispatch.withdrawn")
        self._close_rows(closing.out_of_time, DeliveryStatus.EXPIRED, "dispatch.expired")

    def _close_rows(
        self, find: Callable[..., list[closing.Ending]], status: DeliveryStatus, act: str
    ) -> None:
        more, until = True, time.monotonic() + SHARE
        while more and time.monotonic() < until:
            more = False
            with transaction() as session:
                for ending in find(session, 1):
                    more = True
                    if not self._close_some(session, ending.id, status):
                        continue
                    if status is DeliveryStatus.EXPIRED:
                        outbox.set_state(session, ending.id, DispatchState.DONE, now=self.now())
                    self._milestone(session, ending, act)

    def _close_some(self, session: Session, dispatch: int, status: DeliveryStatus) -> bool:
        """Close the rows of some unclaimed batches, which say where such rows are; whether none is left."""
        some = batches.close_ready(session, dispatch, CHUNK)
        for rows in some:
            deliveries.close(
                session, dispatch, status, now=self.now(), limit=rows.n_to - rows.n_from + 1,
                n_from=rows.n_from, n_to=rows.n_to, picked=rows.picked,
            )  # fmt: skip
        if deliveries.planned_left(session, dispatch) and not some:
            # Rows without a batch, which nothing leaves behind: looked for one by one all the same.
            deliveries.close(session, dispatch, status, now=self.now(), limit=CHUNK)
        if deliveries.planned_left(session, dispatch):
            return False
        while batches.close_ready(session, dispatch, CHUNK):
            pass  # of retries whose rows a receipt has moved
        return True

    def _milestone(self, session: Session, ending: closing.Ending, act: str) -> None:
        """Into the warning's audit; answers to citizens are deliveries, which never stand there."""
        if ending.alert is None:
            return
        detail: dict[str, object] = {
            "dispatch": ending.id,
            "channel": ending.channel,
            "counts": deliveries.counts(session, ending.id),
        }
        audit.append(
            session, actor="sweep", act=act, subject=str(ending.alert), detail=detail, now=self.now()
        )

    def count(self) -> None:
        """What the batches that have ended came to, into the counters."""
        more = True
        while more:
            with transaction() as session:
                more = counters.move_ended(session) == counters.CHUNK

    def apply_receipts(self) -> None:
        """Receipts that have come in since the last round; of a flood as many as leave time for the other chores."""
        receipts.apply_waiting(now=self.now, seconds=SHARE)

    def expire(self) -> None:
        """Warnings whose time has passed."""
        with transaction() as session:
            alerts.expire(session, now=self.now())

    def give_up_receipts(self) -> None:
        """SMS that were accepted hours ago and of which nothing more was heard: CHUNK rows of one dispatch in a round."""
        with transaction() as session:
            waiting = closing.unsettled(session, self.now() - RECEIPT_PATIENCE)
            unheard = next((one for one in waiting if one.unheard), None)
            done = [one.id for one in waiting if not one.unheard]
            if unheard is not None:
                # Range by range: a search for accepted rows would walk over all that are not, each time.
                after = self.given_up.pop(unheard.id, 0)
                upto = after + CHUNK
                deliveries.close(
                    session, unheard.id, DeliveryStatus.UNCONFIRMED, now=self.now(), was=DeliveryStatus.ACCEPTED,
                    n_from=after + 1, n_to=upto, limit=CHUNK,
                )  # fmt: skip
                if upto < unheard.planned:
                    self.given_up[unheard.id] = upto
                else:
                    done.append(unheard.id)
            closing.settle(session, done)

    def forget(self) -> None:
        """Who got what, once that is old; not while a warning is being sent."""
        retention.forget(self.settings, actor="sweep", now=self.now(), chunks=CHUNKS, idle=True)

    def ring(self) -> None:
        """Wake the lanes that have work; where the bell is dead, let a child do it."""
        with transaction() as session:
            lanes = {LANE_OF_CHANNEL[channel] for channel in outbox.channels_with_work(session)}
            if outbox.work_to_expand(session):
                lanes.add(Lane.PLAN)
            sending = {LANE_OF_CHANNEL[channel] for channel in batches.channels_held(session, SILENT)}
        # Each lane is tried: a bell that rests after a failure answers at once.
        heard = [bell.ring(lane) for lane in sorted(lanes)]
        self.deaf = 0 if all(heard) else self.deaf + 1
        if self.deaf >= DEAF:
            # Those without work too: planning makes work for the others within a moment.
            self._stand_in(Lane)
        else:
            self._stand_in(self._silent((lanes & SENDING) - sending))

    def _silent(self, idle: Collection[Lane]) -> list[Lane]:
        """Lanes that have had work for SILENT seconds and nobody who does it, though they were rung for: a job may hang."""
        now = time.time()
        self.idle_since = {lane: self.idle_since.get(lane, now) for lane in idle}
        silent = []
        for lane, since in self.idle_since.items():
            if bell.started_since(lane, since):
                self.idle_since[lane] = now
            elif now - since >= SILENT:
                silent.append(lane)
        return silent

    def _stand_in(self, lanes: Iterable[Lane]) -> None:
        """A child for each of the lanes."""
        for lane in lanes:
            child = self.children.get(lane)
            if child is None or not child.is_alive():
                log.warning("standing_in", lane=lane.value)
                self.children[lane] = _fork(lane, self.settings)

    def beat(self) -> None:
        """Say that a round has ended."""
        with transaction() as session:
            beats.tell(session, "sweep", now=self.now())

    def close(self) -> None:
        """Stop the children."""
        for child in self.children.values():
            child.terminate()
            child.join(5)


def _fork(lane: Lane, settings: Settings) -> BaseProcess:
    # Forked, as RQ forks: everything is loaded, and a spawned interpreter would take a second to get there. The sweep
    # has no threads, and the child opens connections of its own (store.engine).
    child = multiprocessing.get_context("fork").Process(
        target=worker.stand_in, args=(lane, settings), daemon=True
    )
    child.start()
    return child


def main(settings: Settings) -> None:
    """Sweep until told to stop."""
    worker.prepare(settings)
    lock = ProcessLock(settings.database_direct_url or settings.database_url, LOCK)
    sweep = Sweep(settings)
    try:
        while True:
            started = time.monotonic()
            if lock.held():
                sweep.round()
            time.sleep(max(0.05, ROUND - (time.monotonic() - started)))
    finally:
        sweep.close()
        lock.release()
