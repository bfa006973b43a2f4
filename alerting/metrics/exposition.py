"""One look at everything, as Prometheus reads it.

Owns the transaction of a look and keeps its text for a few seconds. Every figure is described in docs/operations.md, and a
test compares the two. Invariant: whatever is away, there is an answer, and it says what is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from alerting import health
from alerting.health import Health
from alerting.metrics.quantiles import cumulative, quantile
from alerting.metrics.traffic import Traffic
from alerting.store import counters, gauges
from alerting.store.counters import BEYOND, BOUNDS, Counted
from alerting.store.engine import DatabaseError, transaction
from alerting.store.notices import NOTICE_PRIORITY
from alerting.store.states import CHANNELS, EXERCISE_PRIORITY, DeliveryStatus

log = structlog.get_logger(__name__)

CONTENT_TYPE = CONTENT_TYPE_LATEST

#: Seconds for which an answer is given again.
KEPT = 2.0

#: Seconds that one statement of a look may take.
PATIENCE = 0.25

QUANTILES = (0.5, 0.95, 0.99)

#: Severities by cap.rank's priority, 25 to each; exercises come after all of them, and notices (answers to citizens) last.
_SEVERITIES = ("extreme", "severe", "moderate", "unknown", "minor")


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found at one moment."""

    queues: list[gauges.Queue]
    batches: list[gauges.Batches]
    dispatches: list[gauges.Dispatches]
    senders: list[gauges.SenderRow]
    receipts: gauges.Waiting
    audit_head: int
    counted: dict[counters.Key, int]
    recent: dict[tuple[str, str], dict[str, int]]


class Exposition:
    """The answer to a scrape, made at most each KEPT seconds."""

    def __init__(
        self, redis_url: str, traffic: Traffic, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis_url = redis_url
        self._traffic = traffic
        self._clock = clock
        self._making = threading.Lock()
        self._made: tuple[float, bytes] | None = None

    def text(self, *, now: datetime) -> bytes:
        """The figures in Prometheus's text format; `now` is aware UTC."""
        with self._making:
            if self._made is None or self._clock() >= self._made[0] + KEPT:
                self._made = (self._clock(), self._make(now))
            return self._made[1]

    def _make(self, now: datetime) -> bytes:
        found = health.examine(self._redis_url, now=now)
        look = None
        if found.ready:
            self._traffic.write()
            look = _look()
        registry = CollectorRegistry()
        registry.register(_Found([*_of_health(found, look is not None), *(_of_look(look) if look else ())]))
        return generate_latest(registry)


class _Found(Collector):
    """Metrics that are there already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _look() -> _Look | None:
    """Everything in one transaction; None when the database did not answer in time."""
    try:
        with transaction() as session:
            gauges.bound(session, PATIENCE)
            return _Look(
                gauges.queues(session),
                gauges.batches(session),
                gauges.dispatches(session),
                gauges.senders(session),
                gauges.receipts_waiting(session),
                gauges.audit_head(session),
                counters.read(session),
                gauges.recent_latency(session),
            )
    except DatabaseError as error:
        log.warning("metrics_incomplete", kind=type(error).__name__)
        return None


def _gauge(
    name: str, text: str, labels: tuple[str, ...], rows: Iterator[tuple[tuple[str, ...], float]]
) -> Metric:
    family = GaugeMetricFamily(f"alerting_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _counter(
    name: str,
    text: str,
    labels: tuple[str, ...],
    look: _Look,
    counted: Counted,
    always: Iterable[tuple[str, ...]] = (),
) -> Metric:
    """`always` are shown as 0 before the first: Prometheus sees no increase in a series that begins at 1.

    A row that an older version counted has fewer labels, the last ones: those that it lacks are empty.
    """
    family = CounterMetricFamily(f"alerting_{name}", text, labels=labels)
    found = dict.fromkeys(always, 0) | {
        ("",) * (len(labels) - len(values)) + values: n
        for (kind, values), n in look.counted.items()
        if kind is counted
    }
    for values, n in found.items():
        family.add_metric(values, n)
    return family


def _one(value: float) -> Iterator[tuple[tuple[str, ...], float]]:
    yield (), value


def _of_health(found: Health, looked: bool) -> Iterator[Metric]:
    yield _gauge("postgresql_up", "1 when PostgreSQL answers.", (), _one(found.postgresql.ok))
    yield _gauge(
        "migrated", "1 when the database is at this installation's migration.", (), _one(found.migration.ok)
    )
    yield _gauge("redis_up", "1 when Redis answers.", (), _one(found.redis.ok))
    yield _gauge("scrape_complete", "1 when the figures below could be read in time.", (), _one(looked))
    if found.sweep_age is not None:
        yield _gauge("sweep_age_seconds", "Since the last round of the sweep.", (), _one(found.sweep_age))


def _of_look(look: _Look) -> Iterator[Metric]:
    yield from _of_queues(look)
    yield from _of_dispatches(look)
    yield from _of_senders(look)
    yield _gauge("receipts_waiting", "Receipts not yet applied.", (), _one(look.receipts.n))
    yield _gauge("receipts_oldest_seconds", "Age of the oldest of them.", (), _one(look.receipts.oldest))
    yield _gauge("audit_head", "Number of the last row of the audit.", (), _one(look.audit_head))
    yield from _of_counters(look)
    yield from _of_latency(look)


def _of_queues(look: _Look) -> Iterator[Metric]:
    yield _gauge(
        "queue_recipients",
        "Recipients who are planned and have no result yet.",
        ("channel", "severity", "priority"),
        (((q.channel, _severity(q.priority), str(q.priority)), q.waiting) for q in look.queues),
    )
    by_channel = {each.channel: each for each in look.batches}
    rows = [by_channel.get(name, gauges.Batches(name, 0, 0, 0, 0.0, 0.0)) for name in CHANNELS]
    yield _gauge(
        "batches",
        "Batches that may be claimed, wait for a time, or are leased; the first two are counted to 20 000.",
        ("channel", "state"),
        (
            ((row.channel, state), n)
            for row in rows
            for state, n in (("ready", row.ready), ("deferred", row.deferred), ("leased", row.leased))
        ),
    )
    yield _gauge(
        "oldest_ready_batch_seconds",
        "How long the oldest batch that may be claimed has waited.",
        ("channel",),
        (((row.channel,), row.oldest if row.ready else 0.0) for row in rows),
    )
    yield _gauge(
        "lease_overdue_seconds",
        "How long the oldest lease has been over without being taken back.",
        ("channel",),
        (((row.channel,), row.overdue) for row in rows),
    )


def _of_dispatches(look: _Look) -> Iterator[Metric]:
    unfinished = {(each.channel, each.state): each for each in look.dispatches}
    yield _gauge(
        "dispatches",
        "Dispatches that are not finished.",
        ("channel", "state"),
        (
            ((channel, state), found.n if (found := unfinished.get((channel, state))) else 0)
            for channel in CHANNELS
            for state in ("planning", "open", "held")
        ),
    )
    yield _gauge(
        "oldest_unplanned_dispatch_seconds",
        "Since the issue of the oldest warning for whose recipients nobody has begun to look.",
        ("channel",),
        (
            ((channel,), found.oldest if (found := unfinished.get((channel, "planning"))) else 0.0)
            for channel in CHANNELS
        ),
    )


def _of_senders(look: _Look) -> Iterator[Metric]:
    labels = ("channel", "provider", "sender")
    named = [((row.channel, row.provider, row.name), row) for row in look.senders]
    yield _gauge(
        "sender_rate",
        "Messages (SMS: segments) a second that a sender may send; absent where there is no limit.",
        labels,
        ((values, row.rate) for values, row in named if row.rate is not None),
    )
    yield _gauge(
        "sender_reserved_seconds",
        "How far ahead a sender's pace is given away.",
        labels,
        ((values, row.ahead) for values, row in named),
    )
    yield _gauge(
        "sender_resting_seconds",
        "For how long a sender is still left alone after its provider failed.",
        labels,
        ((values, row.resting) for values, row in named),
    )
    yield _gauge(
        "sender_failures",
        "Runs in a row that ended with the provider down.",
        labels,
        ((values, row.failures) for values, row in named),
    )


def _of_counters(look: _Look) -> Iterator[Metric]:
    yield _counter(
        "sends",
        "Results of sends: accepted, deferred (tried again), ambiguous (the reply was lost), or final.",
        ("channel", "audience", "provider", "outcome", "reason"),
        look,
        Counted.SENDS,
    )
    yield _counter(
        "receipts",
        "Deliveries moved by what providers said later.",
        ("channel", "provider", "outcome"),
        look,
        Counted.RECEIPTS,
        always=[
            (row.channel, row.provider, outcome.value)
            for row in look.senders
            for outcome in (DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED)
        ],
    )
    channels = [(name,) for name in CHANNELS]
    yield _counter(
        "leases_lost", "Leases that ran out.", ("channel",), look, Counted.LEASES_LOST, always=channels
    )
    yield _counter(
        "in_doubt",
        "Messages marked as perhaps repeated because a lease was lost.",
        ("channel",),
        look,
        Counted.IN_DOUBT,
        always=channels,
    )
    yield _counter("http_requests", "Requests answered.", ("method", "route", "status"), look, Counted.HTTP)


def _of_latency(look: _Look) -> Iterator[Metric]:
    every: dict[tuple[str, ...], dict[str, int]] = {}
    for (kind, labels), n in look.counted.items():
        if kind is Counted.LATENCY:
            every.setdefault(labels[:2], {})[labels[2]] = n
    family = HistogramMetricFamily(
        "alerting_issue_to_accepted_seconds",
        "From the issue to the provider's acceptance, to the flush after it (0.5 s).",
        labels=("channel", "audience"),
    )
    for names, counts in every.items():
        total = look.counted.get((Counted.LATENCY_SUM, names), 0) / 1000
        family.add_metric(names, cumulative(BOUNDS, counts, BEYOND), total)
    yield family
    yield _gauge(
        "issue_to_accepted_last_hour_seconds",
        "Quantiles of the same over the batches that ended in the last hour.",
        ("channel", "audience", "quantile"),
        (
            ((*names, f"{q:g}"), value)
            for names, counts in sorted(look.recent.items())
            for q in QUANTILES
            if (value := quantile(q, cumulative(BOUNDS, counts, BEYOND))) is not None
        ),
    )


def _severity(priority: int) -> str:
    if priority >= NOTICE_PRIORITY:
        return "notice"
    return "exercise" if priority >= EXERCISE_PRIORITY else _SEVERITIES[min(priority, 124) // 25]
