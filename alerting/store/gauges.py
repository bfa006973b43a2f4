"""What stands in the database at this moment, for whoever watches: queues, leases, receipts, senders.

Owns no row. Every statement walks a partial index over what is unfinished, or stops at a limit, so that a look (after
`bound`) costs the same after years of warnings; none touches delivery. Functions take a session and never commit.
Invariant: numbers of recipients come from the tally.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.receipts import READER
from alerting.store.states import CHANNELS

#: Rows after which counting stops: a queue of so many batches, or receipts, is long, whatever its exact length.
MOST = 20_000

#: Batches at the head of each dispatch among which its oldest is sought.
FRONT = 100

#: Ended batches that the latest latencies are taken from.
RECENT = 5_000


@dataclass(frozen=True, slots=True)
class Queue:
    """Recipients of one channel and priority (cap.rank, 0 is the most urgent) who still wait."""

    channel: str
    priority: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches of one channel: due ones, those that wait for a time, leased ones; ages in seconds, 0 for none."""

    channel: str
    ready: int
    deferred: int
    leased: int
    oldest: float  # how long the oldest one has been due
    overdue: float  # how long the oldest lease has been over without the sweep taking it back


@dataclass(frozen=True, slots=True)
class Dispatches:
    """Dispatches of one channel in one unfinished state; `oldest` is seconds since the issue of one not yet begun."""

    channel: str
    state: str
    n: int
    oldest: float


@dataclass(frozen=True, slots=True)
class SenderRow:
    """One sender; `rate` a second (None: unlimited), `ahead` seconds that its pace is reserved for, `resting` seconds left."""

    channel: str
    provider: str
    name: str
    rate: float | None
    ahead: float
    resting: float
    failures: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Receipts that are written down and not applied, counted up to MOST, and the age of the oldest in seconds."""

    n: int
    oldest: float


def queues(session: Session) -> list[Queue]:
    """Who still waits for a warning or an answer that is on its way."""
    rows = session.execute(
        text("""
            SELECT d.channel, d.priority, sum(t.n) FROM dispatch d
            JOIN tally t ON t.dispatch = d.id AND t.status = 'planned' AND t.n > 0
            WHERE d.state IN ('planning', 'open') GROUP BY d.channel, d.priority ORDER BY 1, 2
        """)
    )
    return [Queue(channel, priority, int(n)) for channel, priority, n in rows]


def batches(session: Session) -> list[Batches]:
    """Channels with batches that are not done; of each, the counts of ready ones stop at MOST."""
    rows = session.execute(
        text("""
            SELECT channel, count(*) FILTER (WHERE state = 'ready' AND due <= now()),
                   count(*) FILTER (WHERE state = 'ready' AND due > now()),
                   count(*) FILTER (WHERE state = 'leased'),
                   max(extract(epoch FROM now() - lease_until)) FILTER (WHERE state = 'leased')
            FROM (
                SELECT c.channel, waiting.* FROM unnest(CAST(:channels AS text[])) AS c(channel) CROSS JOIN LATERAL (
                    SELECT b.state, greatest(b.ready_at, b.not_before, d.not_before) AS due, b.lease_until
                    FROM dispatch d JOIN batch b ON b.dispatch = d.id AND b.state = 'ready'
                    WHERE d.channel = c.channel AND d.state IN ('planning', 'open') LIMIT :most) AS waiting
                UNION ALL
                (SELECT d.channel, b.state, NULL, b.lease_until
                 FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE b.state = 'leased'
                 ORDER BY b.lease_until LIMIT :most)
            ) AS unfinished GROUP BY channel ORDER BY channel
        """),
        {"channels": list(CHANNELS), "most": MOST},
    ).all()
    oldest = _oldest_ready(session)
    return [
        Batches(channel, ready, deferred, leased, oldest.get(channel, 0.0), _age(overdue))
        for channel, ready, deferred, leased, overdue in rows
    ]


def _oldest_ready(session: Session) -> dict[str, float]:
    """Channel -> how long its oldest ready batch has been due.

    Batches become ready in the order of their numbers, and those that wait for a time in that of their times. Only what was
    taken back from a dead worker, or is tried again, is younger than what stands behind it: hence FRONT and not one.
    """
    rows = session.execute(
        text("""
            SELECT c.channel, max(extract(epoch FROM now() - waiting.due))
            FROM unnest(CAST(:channels AS text[])) AS c(channel) CROSS JOIN LATERAL (
                SELECT greatest(b.ready_at, b.not_before, d.not_before) AS due FROM dispatch d CROSS JOIN LATERAL (
                    (SELECT ready_at, not_before FROM batch
                     WHERE dispatch = d.id AND state = 'ready' AND not_before IS NULL ORDER BY n_from LIMIT :front)
                    UNION ALL
                    (SELECT ready_at, not_before FROM batch
                     WHERE dispatch = d.id AND state = 'ready' AND not_before IS NOT NULL ORDER BY not_before LIMIT :front)
                ) AS b WHERE d.channel = c.channel AND d.state IN ('planning', 'open') LIMIT :most) AS waiting
            GROUP BY c.channel
        """),
        {"channels": list(CHANNELS), "most": MOST, "front": FRONT},
    )
    return {channel: _age(oldest) for channel, oldest in rows}


def dispatches(session: Session) -> list[Dispatches]:
    """Dispatches that are planned, sent or held.

    Not begun is one of which no range has been expanded although it is among the most urgent: those behind it have to wait,
    and so has an Update while its predecessor is in flight.
    """
    rows = session.execute(
        text("""
            SELECT channel, state, count(*), max(extract(epoch FROM now() - due)) FILTER (
                       WHERE ranges = 0 AND priority = most_urgent
                         AND NOT EXISTS (SELECT FROM batch WHERE dispatch = ANY(replaces) AND batch.state = 'leased'))
            FROM (
                SELECT channel, state, priority, ranges, replaces, greatest(created_at, not_before) AS due,
                       min(priority) FILTER (WHERE state = 'planning' AND expires > now()) OVER () AS most_urgent
                FROM dispatch WHERE state IN ('planning', 'open')
                UNION ALL
                SELECT channel, state, NULL, NULL, NULL, NULL, NULL FROM dispatch WHERE state = 'held'
            ) AS unfinished GROUP BY channel, state ORDER BY channel, state
        """)
    )
    return [Dispatches(channel, state, n, _age(oldest)) for channel, state, n, oldest in rows]


def senders(session: Session) -> list[SenderRow]:
    """Every sender."""
    rows = session.execute(
        text("""
            SELECT channel, provider, name, rate, extract(epoch FROM next_free - now()),
                   extract(epoch FROM resting_until - now()), failures
            FROM sender ORDER BY channel, provider, name
        """)
    )
    return [
        SenderRow(channel, provider, name, rate, _age(ahead), _age(resting), failures)
        for channel, provider, name, rate, ahead, resting, failures in rows
    ]


def receipts_waiting(session: Session) -> Waiting:
    """How far the reader of receipts is behind."""
    row = session.execute(
        text("""
            SELECT count(*), extract(epoch FROM now() - min(received_at)) FROM (
                SELECT received_at FROM receipt
                WHERE id > coalesce((SELECT id FROM progress WHERE reader = :reader), 0) ORDER BY id LIMIT :most
            ) AS unread
        """),
        {"reader": READER, "most": MOST},
    ).one()
    return Waiting(row[0], _age(row[1]))


def audit_head(session: Session) -> int:
    """The number of the last row of the audit, 0 for none."""
    return int(session.execute(text("SELECT coalesce(max(seq), 0) FROM audit")).scalar_one())


def recent_latency(session: Session) -> dict[tuple[str, str], dict[str, int]]:
    """Messages accepted in the last hour: (channel, audience) -> upper bound of the seconds since the issue -> n."""
    rows = session.execute(
        text("""
            SELECT d.channel, d.audience, l.key, sum(CAST(l.value AS bigint))
            FROM (SELECT dispatch, results FROM batch
                  WHERE state = 'done' AND results IS NOT NULL AND done_at > now() - interval '1 hour'
                  ORDER BY done_at DESC LIMIT :most) AS b
            JOIN dispatch d ON d.id = b.dispatch
            CROSS JOIN LATERAL jsonb_each_text(b.results -> 'latency') AS l
            GROUP BY 1, 2, 3
        """),
        {"most": RECENT},
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for channel, audience, bound, n in rows:
        found.setdefault((channel, audience), {})[bound] = int(n)
    return found


def bound(session: Session, seconds: float) -> None:
    """Let no statement of this transaction take longer, nor walk over a table where there is an index.

    Without the second the planner, in doubt about rows of a moment ago, reads years of dispatches for a few of them.
    """
    session.execute(
        text("""
            SELECT set_config('statement_timeout', :milliseconds, true), set_config('enable_seqscan', 'off', true),
                   set_config('jit', 'off', true)
        """),
        {"milliseconds": str(int(seconds * 1000))},
    )


def _age(seconds: Decimal | None) -> float:
    """Seconds as PostgreSQL extracts them; nothing, and what lies ahead, as 0."""
    return max(float(seconds or 0), 0.0)
