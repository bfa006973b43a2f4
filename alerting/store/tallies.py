"""Who was reached, read: tallies by channel, region and status, and rows page by page.

Owns no row. Functions take a session and never commit. Invariant: numbers come from the tally, never from counting
deliveries, so that a look at a warning of a million costs the same as at one of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries of a channel and region stand at a status; region is None where it belongs to none."""

    channel: str
    region: int | None
    status: str
    n: int


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """A dispatch for the eyes of an officer; times are aware UTC."""

    id: int
    channel: str
    audience: str
    state: str
    planned: int
    approved: int | None
    created_at: datetime
    opened_at: datetime | None
    first_at: datetime | None
    last_at: datetime | None
    closed_at: datetime | None
    left: int  # deliveries that have not been tried, or will be tried again
    seconds_left: float | None  # that they need at the channel's rate; null without a rate, and at the end


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery with its sealed address, or the key of its feed."""

    dispatch: int
    n: int
    channel: str
    region: int | None
    segment: int
    language: str
    status: str
    reason: str | None
    attempts: int
    maybe_repeated: bool
    reference: str | None
    at: datetime | None
    feed: str | None
    key_id: str | None
    cipher: bytes | None
    mac: bytes | None


def of_alert(session: Session, alert: UUID) -> list[Tally]:
    """Every non-zero tally of an alert's dispatches."""
    rows = session.execute(
        text("""
            SELECT d.channel, nullif(t.region, 0), t.status, sum(t.n) FROM dispatch d
            -- OFFSET 0: one dispatch after the other, for a hash join would read the tallies of every warning there was
            CROSS JOIN LATERAL (SELECT region, status, n FROM tally WHERE dispatch = d.id AND n <> 0 OFFSET 0) AS t
            WHERE d.alert = :alert GROUP BY 1, 2, 3 ORDER BY 1, 2 NULLS FIRST, 3
        """),
        {"alert": alert},
    )
    return [Tally(channel, region, status, int(n)) for channel, region, status, n in rows]


def dispatches_of(session: Session, alert: UUID) -> list[DispatchRow]:
    """The dispatches of an alert; `planned` counts its deliveries, `last_at` is when the last batch ended."""
    rows = session.execute(
        text("""
            SELECT d.id, d.channel, d.audience, d.state,
                   (SELECT coalesce(sum(t.n), 0) FROM tally t WHERE t.dispatch = d.id) AS planned,
                   d.approved, d.created_at, d.opened_at,
                   (SELECT min(b.first_at) FROM batch b WHERE b.dispatch = d.id) AS first_at,
                   (SELECT max(b.done_at) FROM batch b WHERE b.dispatch = d.id AND b.first_at IS NOT NULL) AS last_at,
                   d.closed_at,
                   (SELECT CAST(coalesce(sum(t.n), 0) AS bigint) FROM tally t WHERE t.dispatch = d.id AND t.status = 'planned') AS "left",
                   CASE WHEN d.state IN ('planning', 'open') THEN
                     (SELECT CASE WHEN bool_and(rate IS NOT NULL) THEN sum(rate) END FROM sender s WHERE s.channel = d.channel)
                   END AS rate,
                   (SELECT coalesce(max(r.segments), 1) FROM rendering r WHERE r.alert = d.alert AND r.channel = d.channel)
                   AS longest
            FROM dispatch d WHERE d.alert = :alert ORDER BY d.channel, d.id
        """),
        {"alert": alert},
    )
    found = []
    for row in rows.mappings():
        values: dict[str, Any] = {str(name): value for name, value in row.items()}
        rate, longest = values.pop("rate"), values.pop("longest")
        values["seconds_left"] = None if rate is None else values["left"] * longest / rate
        found.append(DispatchRow(**values))
    return found


def rows_of_alert(
    session: Session,
    alert: UUID,
    *,
    after: tuple[int, int],
    limit: int,
    channel: str | None,
    statuses: Sequence[str],
) -> list[DeliveryRow]:
    """Deliveries of an alert after (dispatch, n), in that order, of one channel or all, of some statuses or all."""
    rows = session.execute(
        text("""
            SELECT v.dispatch, v.n, d.channel, nullif(v.region, 0), v.segment, v.language, v.status, v.reason, v.attempts,
                   v.maybe_repeated, v.reference, v.at, f.key, a.key_id, a.cipher, a.mac
            FROM dispatch d
            -- a page of each dispatch at most, along its key: a join of all would sort a million rows for a hundred
            CROSS JOIN LATERAL (
                SELECT * FROM delivery WHERE dispatch = d.id AND n > CASE WHEN d.id = :dispatch THEN :n ELSE 0 END
                AND (cardinality(CAST(:statuses AS text[])) = 0 OR CAST(status AS text) = ANY(:statuses))
                ORDER BY n LIMIT :limit
            ) AS v
            LEFT JOIN address a ON a.id = v.address LEFT JOIN feed f ON f.id = v.feed
            WHERE d.alert = :alert AND d.id >= :dispatch AND (CAST(:channel AS text) IS NULL OR d.channel = :channel)
              AND (cardinality(CAST(:statuses AS text[])) = 0 OR EXISTS (
                  SELECT FROM tally t WHERE t.dispatch = d.id AND CAST(t.status AS text) = ANY(:statuses) AND t.n > 0))
            ORDER BY v.dispatch, v.n LIMIT :limit
        """),
        {
            "alert": alert,
            "dispatch": after[0],
            "n": after[1],
            "channel": channel,
            "statuses": list(statuses),
            "limit": limit,
        },
    )
    return [DeliveryRow(*row) for row in rows]
