"""Receipts: every later word of a provider, once. Append-only; replays and reordering are harmless.

Owns the rows of receipt and the reader's place among them. Functions take a session and never commit. Invariant: the
reader sees each receipt once, in the order (transaction, id), and none that a slower transaction may still precede.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

READER = "receipts"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event of a provider; `dispatch` and `n` are None when it names no delivery of ours."""

    provider: str
    event_id: str
    dispatch: int | None
    n: int | None
    status: str
    reason: str | None
    reference: str | None
    raw: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unread:
    """A receipt as the reader meets it."""

    xid: str
    id: int
    dispatch: int | None
    n: int | None
    status: str
    reason: str | None
    reference: str | None


def add(session: Session, receipts: Sequence[Receipt], *, now: datetime) -> int:
    """Write receipts; those whose event is known already are left out. How many were new."""
    if not receipts:
        return 0
    rows = session.execute(
        text("""
            INSERT INTO receipt (provider, event_id, dispatch, n, status, reason, reference, raw, received_at)
            SELECT x.*, :now FROM unnest(
                CAST(:providers AS text[]), CAST(:events AS text[]), CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[]),
                CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:references AS text[]), CAST(:raws AS jsonb[])
            ) AS x ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
        """),
        {
            "now": now,
            "providers": [r.provider for r in receipts],
            "events": [r.event_id for r in receipts],
            "dispatches": [r.dispatch for r in receipts],
            "ns": [r.n for r in receipts],
            "statuses": [r.status for r in receipts],
            "reasons": [r.reason for r in receipts],
            "references": [r.reference for r in receipts],
            "raws": [json.dumps(dict(r.raw)) for r in receipts],
        },
    ).all()
    return len(rows)


def unread(session: Session, limit: int) -> list[Unread]:
    """The next receipts in order. Rows of transactions that may still be running are left for the next time."""
    rows = session.execute(
        text("""
            SELECT CAST(xid AS text), id, dispatch, n, status, reason, reference FROM receipt
            WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
              AND (xid, id) > (coalesce((SELECT xid FROM progress WHERE reader = :reader), '0'::xid8),
                               coalesce((SELECT id FROM progress WHERE reader = :reader), 0))
            ORDER BY receipt.xid, receipt.id LIMIT :limit
        """),
        {"reader": READER, "limit": limit},
    )
    return [Unread(*row) for row in rows]


def read_to(session: Session, last: Unread) -> None:
    """Remember the place: everything up to `last` has been applied in this transaction."""
    session.execute(
        text("""
            INSERT INTO progress (reader, xid, id) VALUES (:reader, CAST(CAST(:xid AS text) AS xid8), :id)
            ON CONFLICT (reader) DO UPDATE SET xid = excluded.xid, id = excluded.id
        """),
        {"reader": READER, "xid": last.xid, "id": last.id},
    )
