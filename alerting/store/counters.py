"""Counters that outlive every process: a small table that is moved in the transaction that did what is counted.

Owns the rows of metric. What a drain counts stands in its batch first (`Results`, written by the statement that renews the
lease) and is moved here by the sweep when the batch has ended or lost its lease. Functions take a session and never commit.
Invariant: labels come from closed sets, never from a person, an address or a document.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.deliveries import Outcome
from alerting.store.engine import prefer_indexes
from alerting.store.states import DeliveryStatus

#: Upper bounds of the classes of the time from issue to acceptance, in seconds: half a flush, the bounds that
#: ARCHITECTURE section 7 promises (3 s, 5 s), a lost lease (10 s), and how long the pace of a slow sender makes a queue.
BOUNDS = (
    0.25,
    0.5,
    1.0,
    2.0,
    3.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    10_800.0,
)

#: The class above all bounds.
BEYOND = "+Inf"

_CLASSES = (*(f"{bound:g}" for bound in BOUNDS), BEYOND)

#: Batches moved in one transaction.
CHUNK = 1_000


class Counted(StrEnum):
    """What is counted, with its labels."""

    SENDS = "sends"  # channel, audience, provider, outcome, reason
    LATENCY = "latency"  # channel, audience, upper bound
    LATENCY_SUM = "latency_sum"  # channel, audience; milliseconds
    LEASES_LOST = "leases_lost"  # channel
    IN_DOUBT = "in_doubt"  # channel; rows marked as perhaps repeated after a lost lease
    RECEIPTS = "receipts"  # channel, provider, outcome; rows of older versions have the outcome alone
    HTTP = "http"  # method, route, status


Key = tuple[Counted, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Results:
    """What the sends of one batch came to under one lease: "provider:outcome:reason" -> n, and the times to acceptance."""

    sends: Mapping[str, int] = field(default_factory=dict)
    latency: Mapping[str, int] = field(default_factory=dict)  # upper bound -> n
    milliseconds: int = 0  # of all of them together

    def plus(self, provider: str, outcomes: Sequence[Outcome], age: float) -> Results:
        """With more outcomes, written `age` seconds after the issue: half a second late at most, a flush, and never early."""
        statuses = Counter([outcome.status for outcome in outcomes])
        accepted = statuses[DeliveryStatus.ACCEPTED] + statuses[DeliveryStatus.DELIVERED]
        sends = Counter(self.sends)
        latency = Counter(self.latency)
        if accepted:
            sends[f"{provider}:accepted:"] += accepted
            latency[_CLASSES[bisect_left(BOUNDS, age)]] += accepted
        if accepted < len(outcomes):
            sends.update(f"{provider}:{word}" for outcome in outcomes if (word := _word(outcome)) is not None)
        return Results(sends, latency, self.milliseconds + int(age * 1000) * accepted)

    def written(self) -> str | None:
        """As JSON for the batch's row; None when nothing was sent."""
        if not self.sends:
            return None
        return json.dumps({"sends": self.sends, "latency": self.latency, "ms": self.milliseconds})


def _word(outcome: Outcome) -> str | None:
    """What was not accepted: "outcome:reason"; deferred is tried again, ambiguous is a lost reply."""
    if outcome.status in (DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED):
        return None
    waits = "deferred" if outcome.status is DeliveryStatus.PLANNED else outcome.status.value
    return f"{'ambiguous' if outcome.ambiguous else waits}:{outcome.reason or ''}"


def of_results(channel: str, audience: str, written: Mapping[str, Any]) -> Counter[Key]:
    """What a batch's row says, as counters."""
    found: Counter[Key] = Counter()
    for words, n in written["sends"].items():
        found[Counted.SENDS, (channel, audience, *words.split(":"))] += n
    for bound, n in written["latency"].items():
        found[Counted.LATENCY, (channel, audience, bound)] += n
    found[Counted.LATENCY_SUM, (channel, audience)] += written["ms"]
    return found


def add(session: Session, counts: Mapping[Key, int]) -> None:
    """Add to the counters, in key order so that two writers never wait for each other in a circle."""
    rows = sorted((name.value, list(labels), n) for (name, labels), n in counts.items() if n)
    if not rows:
        return
    # Labels differ in number, which an array of arrays cannot hold: one row's labels come as JSON.
    session.execute(
        text("""
            INSERT INTO metric (name, labels, n)
            SELECT name, ARRAY(SELECT jsonb_array_elements_text(labels)), n
            FROM unnest(CAST(:names AS text[]), CAST(:labels AS jsonb[]), CAST(:ns AS bigint[])) AS x(name, labels, n)
            ON CONFLICT (name, labels) DO UPDATE SET n = metric.n + excluded.n
        """),
        {
            "names": [name for name, _, _ in rows],
            "labels": [json.dumps(labels) for _, labels, _ in rows],
            "ns": [n for _, _, n in rows],
        },
    )


def move_ended(session: Session) -> int:
    """Move what at most CHUNK ended batches counted into the counters; how many batches it were."""
    rows = session.execute(
        text("""
            SELECT id, dispatch, results FROM batch WHERE state = 'done' AND NOT counted AND results IS NOT NULL
            ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
        """),
        {"limit": CHUNK},
    ).all()
    if not rows:
        return 0
    # By ready lists of ids: in one statement with a join the planner reads every batch that ever was, each second.
    prefer_indexes(session)
    session.execute(
        text("UPDATE batch SET counted = true WHERE id = ANY(:ids)"), {"ids": [row.id for row in rows]}
    )
    dispatches = session.execute(
        text("SELECT id, channel, audience FROM dispatch WHERE id = ANY(:ids)"),
        {"ids": list({row.dispatch for row in rows})},
    )
    named = {id_: (channel, audience) for id_, channel, audience in dispatches}
    counts: Counter[Key] = Counter()
    for _, dispatch, results in rows:
        counts.update(of_results(*named[dispatch], results))
    add(session, counts)
    return len(rows)


def read(session: Session) -> dict[Key, int]:
    """Every counter."""
    known = {each.value for each in Counted}
    rows = session.execute(text("SELECT name, labels, n FROM metric ORDER BY name, labels"))
    return {(Counted(name), tuple(labels)): int(n) for name, labels, n in rows if name in known}
