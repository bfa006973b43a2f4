"""Receipts: every later word of a provider, once. Append-only; replays and reordering are harmless.

Owns the rows of receipt and the reader's place among them. Functions take a session and never commit. Invariant: the
reader sees each receipt once, in the order of ids. An id is given before its transaction commits, so writers hold a shared
lock, and the reader goes no further than the highest id at a moment without writers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

READER = "receipts"

#: Advisory lock: shared by those who write receipts, whole for the moment in which the reader looks how far it may go.
WRITING = 7_201_003

LOCK_NOT_AVAILABLE = "55P03"


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
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": WRITING})
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


def settled_to(session: Session) -> int:
    """The id up to which every receipt is committed or never will be; 0 while a writer takes too long.

    Call it in a transaction of its own: for its length nobody can write receipts.
    """
    try:
        session.execute(text("SET LOCAL lock_timeout = '1s'"))
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITING})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        session.rollback()
        return 0
    return int(session.execute(text("SELECT coalesce(max(id), 0) FROM receipt")).scalar_one())


def unread(session: Session, upto: int, limit: int) -> list[Unread]:
    """The next receipts in order, up to an id that `settled_to` gave."""
    rows = session.execute(
        text("""
            SELECT id, dispatch, n, status, reason, reference FROM receipt
            WHERE id <= :upto AND id > coalesce((SELECT id FROM progress WHERE reader = :reader), 0)
            ORDER BY id LIMIT :limit
        """),
        {"reader": READER, "upto": upto, "limit": limit},
    )
    return [Unread(*row) for row in rows]


def read_to(session: Session, last: Unread) -> None:
    """Remember the place: everything up to `last` has been applied in this transaction."""
    session.execute(
        text("""
            INSERT INTO progress (reader, id) VALUES (:reader, :id)
            ON CONFLICT (reader) DO UPDATE SET id = excluded.id
        """),
        {"reader": READER, "id": last.id},
    )
