"""drain.bookkeeping, drain.claim_growth: what the database side of a drain costs when a million recipients wait.

drain.bookkeeping: claim and flush, deliveries/s, by the drain's own statements, batch after batch; what comes of it with
reading and decrypting, in a whole Drain before a provider that accepts at once, is printed beside it.
drain.claim_growth: claims/s at 1 000 000 pending against those at 10 000; a ratio of 0.5 is a claim that takes twice as long.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import psycopg

from alerting.config import Settings
from alerting.fanout.drain import Drain
from alerting.store import batches, deliveries, engine, outbox, senders
from alerting.store.batches import Lease
from alerting.store.deliveries import Outcome
from alerting.store.engine import transaction
from alerting.store.states import DeliveryStatus
from bench import machine as m
from bench import population
from bench.rows import row
from channels.base import (
    Event,
    Limits,
    Message,
    Misconfigured,
    ProviderDown,
    SendResult,
    SourceFailed,
    Status,
    Webhook,
)

NAMES = ("drain.bookkeeping", "drain.claim_growth")

BATCH = 2_000
SAMPLES = 3

#: Batches of one sample, and claims of one.
BATCHES = max(1, min(25, m.PEOPLE // 2 // BATCH // (SAMPLES + 1)))
CLAIMS = 60

#: Claims before the first that counts: the driver prepares a statement that comes again.
WARM = 15

#: Pending of the small side, both channels together.
FEW = 10_000

_PEND = """
INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
SELECT d.id, row_number() OVER (PARTITION BY d.id ORDER BY a.id), a.id, 0, f.region, s.language, 'planned'
FROM dispatch d JOIN address a ON a.channel = d.channel AND a.id <= %(people)s
JOIN subscriber s ON s.id = a.subscriber JOIN follow f ON f.subscriber = s.id WHERE d.channel IN ('sms', 'email');
INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3;
UPDATE dispatch SET state = 'open', opened_at = now(), planned = (SELECT max(n) FROM delivery WHERE dispatch = id);
INSERT INTO batch (dispatch, n_from, n_to, state)
SELECT id, i, least(i + %(batch)s - 1, planned), 'ready' FROM dispatch, generate_series(1, planned, %(batch)s) AS i
"""


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted."""
    if not any(wanted(name) for name in NAMES):
        return []
    found = []
    with m.machine() as machine:
        large, small = _pending(machine, m.PEOPLE), _pending(machine, FEW)
        try:
            if wanted("drain.bookkeeping"):
                found.append(_bookkeeping(large))
            if wanted("drain.claim_growth"):
                found.append(_growth(large, small))
        finally:
            machine.drop(large)
            machine.drop(small)
    return found


def _pending(machine: m.Machine, people: int) -> Settings:
    """A fresh clone in which a warning to so many people waits to be sent."""
    settings = machine.fresh()
    population.issue(settings.database_url, squares=2, rows=1, columns=3)
    with psycopg.connect(settings.database_url) as connection:
        for statement in _PEND.split(";\n"):
            connection.execute(statement, {"people": people, "batch": BATCH} if "%(" in statement else None)
    return settings


def _claim(channel: str) -> Lease:
    """A claim without its reading, as Drain._claim makes it."""
    with transaction() as session:
        senders.outlook(session, channel)
        for dispatch in outbox.candidates(session, channel):
            lease = batches.claim(session, dispatch, token=uuid4(), window=1_000)
            if lease is not None:
                return lease
    raise RuntimeError(f"nothing waits on {channel}")


def _flush(channel: str, lease: Lease) -> int:
    """A flush of a whole batch, as Drain._write makes it; how many deliveries."""
    now = datetime.now(UTC)
    outcomes = [
        Outcome(n, DeliveryStatus.ACCEPTED, None, f"SM{n:032x}", False)
        for n in range(lease.n_from, lease.n_to + 1)
    ]
    with transaction() as session:
        outbox.urgent_waiting(session, channel, lease.priority)
        batches.renew(session, lease, lease.n_to, now)
        deliveries.settle(session, lease.dispatch, outcomes, now=now)
        senders.worked(session, channel)
        batches.finish(session, lease)
    return len(outcomes)


def _bookkeeping(settings: Settings) -> dict[str, Any]:
    engine.configure(settings.database_url)
    samples, whole = [], []
    for _ in range(SAMPLES):
        moved, claiming, started = 0, 0.0, time.perf_counter()
        for _ in range(BATCHES):
            began = time.perf_counter()
            lease = _claim("sms")
            claiming += time.perf_counter() - began
            moved += _flush("sms", lease)
        seconds = time.perf_counter() - started
        samples.append([moved / seconds, None])
        began = time.perf_counter()
        drain = Drain("email", Instant(), settings, limit=2.0)
        whole.append(drain.run() / (time.perf_counter() - began))
        print(
            f"claim and flush {samples[-1][0]:.0f}/s ({claiming / BATCHES * 1000:.1f} ms a claim,"
            f" {(seconds - claiming) / BATCHES * 1000:.1f} ms a flush of {moved // BATCHES});"
            f" with reading and decrypting, whole: {whole[-1]:.0f}/s"
        )
    return row("drain.bookkeeping", "deliveries/s", 40_000, samples)


def _growth(large: Settings, small: Settings) -> dict[str, Any]:
    """Claims that are given back, as the sweep gives back a lost lease: the queue stays as long as it was."""
    samples = []
    for _ in range(SAMPLES):
        sample = []
        for settings in (large, small):
            engine.configure(settings.database_url)
            times = []
            for _ in range(WARM + CLAIMS):
                began = time.perf_counter()
                lease = _claim("sms")
                times.append(time.perf_counter() - began)
                with transaction() as session:
                    batches.reopen(session, lease.batch)
            sample.append(1 / statistics.median(times[WARM:]))
        samples.append(sample)
        print(
            f"a claim takes {1000 / sample[0]:.2f} ms at {m.PEOPLE} pending, {1000 / sample[1]:.2f} ms at {FEW}"
        )
    return row("drain.claim_growth", "claims/s", 0.5, samples)


@dataclass(slots=True)
class InstantRun:
    """A provider's run that accepts whatever it is given, at once."""

    messages: Iterator[Message]
    results: SimpleQueue[SendResult]
    done: threading.Event = field(default_factory=threading.Event)
    error: Misconfigured | ProviderDown | SourceFailed | None = None

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        for message in self.messages:
            self.results.put(SendResult(message.key, Status.ACCEPTED, reference=f"SM{message.key:032x}"))
        self.done.set()

    def stop(self) -> list[Message]:
        """Nothing that was taken waits."""
        return []


class Instant:
    """A channel that costs nothing: what remains is ours."""

    name = provider = "email"
    limits = Limits(in_flight=64)

    def open(self, messages: Iterator[Message], results: SimpleQueue[SendResult]) -> InstantRun:
        """Begin to accept."""
        return InstantRun(messages, results)

    def close(self) -> None:
        """Nothing is open."""

    def events(self, _request: Webhook) -> list[Event]:
        """It never calls back."""
        return []
