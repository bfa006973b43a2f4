"""Batches: the only thing that is claimed. A lease is a token and a time; whoever has lost it writes nothing more.

Owns the rows of batch: claim, renew, finish, split, recover. Functions take a session and never commit; leases are
counted by the database's clock. Invariant: every statement of a lease holder carries its token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Seconds that a lease lasts without a flush: twenty flush windows.
LEASE = 10.0

#: Batches that are leased together at most.
MOST = 8


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed batch: rows n_from..n_to of a dispatch, or the `picked` ones alone."""

    batch: int
    dispatch: int
    n_from: int
    n_to: int
    picked: tuple[int, ...] | None
    token: UUID
    started_to: int  # as the claim set it
    priority: int
    attempts: int
    due_at: datetime  # of the dispatch: its issue, or the time that it waited for


@dataclass(frozen=True, slots=True)
class Lost:
    """A batch whose lease ran out: rows up to `started_to` may have left."""

    batch: int
    dispatch: int
    n_from: int
    n_to: int
    picked: tuple[int, ...] | None
    started_to: int | None
    withdrawn: bool
    channel: str
    audience: str
    results: Mapping[str, Any] | None  # as `tend` wrote them


@dataclass(frozen=True, slots=True)
class Closed:
    """Rows of batches that were ended unclaimed: n_from..n_to, or the `picked` ones alone."""

    n_from: int
    n_to: int
    picked: tuple[int, ...] | None


def add(session: Session, dispatch: int, n_from: int, n_to: int, size: int) -> int:
    """Cut n_from..n_to into ready batches of at most `size` rows; returns how many."""
    if n_to < n_from:
        return 0
    result = session.execute(
        text("""
            INSERT INTO batch (dispatch, n_from, n_to, state)
            SELECT :dispatch, start, least(start + :size - 1, :n_to), 'ready'
            FROM generate_series(CAST(:n_from AS bigint), CAST(:n_to AS bigint), CAST(:size AS bigint)) AS start
            RETURNING id
        """),
        {"dispatch": dispatch, "n_from": n_from, "n_to": n_to, "size": size},
    )
    return len(result.all())


def claim(session: Session, dispatch: int, *, token: UUID, window: int) -> Lease | None:
    """Lease one ready batch of a dispatch, as `claim_some` does; None when other claimers hold them all."""
    return next(iter(claim_some(session, dispatch, token=token, window=window, rows=1)), None)


_CLAIM = text("""
    WITH due AS (
        SELECT id, n_from, n_to, picked FROM batch
        WHERE dispatch = :dispatch AND state = 'ready' AND not_before IS NOT NULL AND not_before <= now()
        ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
    ), fresh AS (
        SELECT id, n_from, n_to, picked FROM batch
        WHERE dispatch = :dispatch AND state = 'ready' AND not_before IS NULL AND NOT EXISTS (SELECT FROM due)
        ORDER BY n_from LIMIT :most FOR UPDATE SKIP LOCKED
    ), mine AS (
        SELECT id, sum(held) OVER (ORDER BY n_from, id) - held AS before FROM (
            SELECT id, n_from, coalesce(cardinality(picked), n_to - n_from + 1) AS held
            FROM (TABLE due UNION ALL TABLE fresh) AS found
        ) AS sized
    )
    UPDATE batch SET state = 'leased', token = :token, attempts = attempts + 1,
           lease_until = now() + make_interval(secs => :lease),
           started_to = CASE WHEN before >= :window THEN n_from - 1
                             WHEN picked IS NULL THEN least(n_to, n_from + :window - before - 1)
                             ELSE coalesce(picked[ :window - before ], n_to) END
    FROM mine, dispatch
    WHERE batch.id = mine.id AND (before = 0 OR before < :rows)
      AND dispatch.id = batch.dispatch AND dispatch.state IN ('planning', 'open')
    RETURNING batch.id, batch.dispatch, batch.n_from, batch.n_to, batch.picked, batch.started_to,
              dispatch.priority, batch.attempts, greatest(dispatch.created_at, dispatch.not_before) AS due_at
""")


def claim_some(session: Session, dispatch: int, *, token: UUID, window: int, rows: int) -> list[Lease]:
    """Lease ready batches of a dispatch, a retry that is due or else the first ones, until they hold `rows` rows.

    Two looks, each along an index of its own: retries whose time has not come are never walked over. `window` rows of
    all of them together may leave before the first flush: `started_to` says so from the beginning.
    """
    found = session.execute(
        _CLAIM,
        {
            "dispatch": dispatch,
            "token": token,
            "lease": LEASE,
            "window": max(window, 0),
            "rows": rows,
            "most": 1 if rows <= 1 else MOST,
        },
    )
    return [
        Lease(
            row.id,
            row.dispatch,
            row.n_from,
            row.n_to,
            None if row.picked is None else tuple(row.picked),
            token,
            row.started_to,
            row.priority,
            row.attempts,
            row.due_at,
        )
        for row in sorted(found.all(), key=lambda row: (row.n_from, row.id))
    ]


@dataclass(frozen=True, slots=True)
class Tending:
    """What a lease holder writes of one batch: how far it may go on, or that it has ended.

    `first` is when the first message of the batch was accepted, if one was; `results` are all that its sends came to
    under this lease (counters.Results).
    """

    lease: Lease
    started_to: int
    ended: bool
    first: datetime | None = None
    results: str | None = None


def tend(session: Session, tended: Sequence[Tending]) -> dict[int, str]:
    """Extend leases and move `started_to`, or end batches; the states of their dispatches, without batches that were lost."""
    rows = session.execute(
        text("""
            UPDATE batch SET
                state = CASE WHEN x.ended THEN 'done' ELSE 'leased' END,
                token = CASE WHEN x.ended THEN NULL ELSE batch.token END,
                lease_until = CASE WHEN x.ended THEN NULL ELSE now() + make_interval(secs => :lease) END,
                started_to = CASE WHEN x.ended THEN NULL ELSE x.started_to END,
                done_at = CASE WHEN x.ended THEN clock_timestamp() END,
                first_at = coalesce(batch.first_at, x.first_at), results = coalesce(x.results, batch.results)
            FROM dispatch, unnest(
                CAST(:ids AS bigint[]), CAST(:tokens AS uuid[]), CAST(:starts AS bigint[]), CAST(:ends AS bool[]),
                CAST(:firsts AS timestamptz[]), CAST(:results AS jsonb[])
            ) AS x(id, token, started_to, ended, first_at, results)
            WHERE batch.id = x.id AND batch.token = x.token AND dispatch.id = batch.dispatch
            RETURNING batch.id, dispatch.state
        """),
        {
            "lease": LEASE,
            "ids": [one.lease.batch for one in tended],
            "tokens": [one.lease.token for one in tended],
            "starts": [one.started_to for one in tended],
            "ends": [one.ended for one in tended],
            "firsts": [one.first for one in tended],
            "results": [one.results for one in tended],
        },
    )
    return {row.id: row.state for row in rows}


def renew(session: Session, lease: Lease, started_to: int, first: datetime | None = None) -> str | None:
    """Extend one lease and move `started_to`; the dispatch's state, or None when the lease was lost."""
    return tend(session, [Tending(lease, started_to, ended=False, first=first)]).get(lease.batch)


def finish(session: Session, lease: Lease) -> bool:
    """End the lease and the batch; False when it was lost before."""
    return lease.batch in tend(session, [Tending(lease, lease.n_to, ended=True)])


def again(
    session: Session, dispatch: int, ns: Sequence[int], *, not_before: datetime | None, attempts: int
) -> None:
    """A new batch of single rows, to be sent not before a time."""
    session.execute(
        text("""
            INSERT INTO batch (dispatch, n_from, n_to, picked, state, not_before, attempts)
            VALUES (:dispatch, :n_from, :n_to, :picked, 'ready', :not_before, :attempts)
        """),
        {
            "dispatch": dispatch,
            "n_from": min(ns),
            "n_to": max(ns),
            "picked": sorted(ns),
            "not_before": not_before,
            "attempts": attempts,
        },
    )


def lost(session: Session, limit: int = 100) -> list[Lost]:
    """Batches whose lease has run out, locked for recovery."""
    rows = session.execute(
        text("""
            SELECT batch.id, dispatch, n_from, n_to, picked, started_to, dispatch.state = 'withdrawn' AS withdrawn,
                   dispatch.channel, dispatch.audience, batch.results
            FROM batch JOIN dispatch ON dispatch.id = batch.dispatch
            WHERE batch.state = 'leased' AND lease_until < now()
            ORDER BY lease_until LIMIT :limit FOR UPDATE OF batch SKIP LOCKED
        """),
        {"limit": limit},
    )
    return [
        Lost(
            r.id,
            r.dispatch,
            r.n_from,
            r.n_to,
            None if r.picked is None else tuple(r.picked),
            r.started_to,
            r.withdrawn,
            r.channel,
            r.audience,
            r.results,
        )
        for r in rows
    ]


def channels_held(session: Session, seconds: float) -> list[str]:
    """Channels of which a batch is leased for at least so many seconds more: somebody is at work there."""
    rows = session.execute(
        text("""
            SELECT DISTINCT channel FROM batch JOIN dispatch ON dispatch.id = batch.dispatch
            WHERE batch.state = 'leased' AND lease_until > now() + make_interval(secs => :seconds)
        """),
        {"seconds": seconds},
    )
    return list(rows.scalars())


def reopen(session: Session, batch: int) -> None:
    """Make a batch ready again; its old token is worth nothing from now on, and its results are the caller's to count."""
    session.execute(
        text("""
            UPDATE batch SET state = 'ready', token = NULL, lease_until = NULL, started_to = NULL, results = NULL,
                   ready_at = now()
            WHERE id = :id
        """),
        {"id": batch},
    )


def close_ready(session: Session, dispatch: int, rows: int) -> list[Closed]:
    """End batches of a dispatch that nobody has claimed, of about `rows` rows together; what they held, joined where they meet.

    An empty list: none is left. What it costs grows with `rows`, not with the batches of the dispatch.
    """
    found = session.execute(
        text("""
            WITH early AS (
                SELECT id, sum(held) OVER (ORDER BY id) - held AS before FROM (
                    SELECT id, coalesce(cardinality(picked), n_to - n_from + 1) AS held FROM batch
                    WHERE dispatch = :dispatch AND state = 'ready' LIMIT 500) AS few
            )
            UPDATE batch SET state = 'done' FROM early
            WHERE batch.id = early.id AND batch.state = 'ready' AND early.before < :rows
            RETURNING n_from, n_to, picked
        """),
        {"dispatch": dispatch, "rows": rows},
    )
    closed: list[Closed] = []
    for n_from, n_to, picked in sorted(found.all(), key=lambda row: row[0]):
        if picked is not None:
            closed.append(Closed(n_from, n_to, tuple(picked)))
        elif closed and closed[-1].picked is None and closed[-1].n_to + 1 == n_from:
            closed[-1] = Closed(closed[-1].n_from, n_to, None)
        else:
            closed.append(Closed(n_from, n_to, None))
    return closed
