"""Receipts: every later word of a provider, once. Append-only; replays and reordering are harmless.

Owns the rows of receipt and the reader's place among them. Functions take a session and never commit. Invariant: the
reader sees each receipt once, in the order of ids. An id is given before its transaction commits, so writers hold a shared
lock, and the reader goes no further than the highest id at a moment without writers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

READER = "receipts"

#: Advisory lock: shared by those who write receipts, whole for the moment in which the reader looks how far it may go.
WRITING = 7_201_003

#: Runs a statement with its parameters and gives its rows.
Run = Callable[[str, Mapping[str, object]], Iterable[tuple[Any, ...]]]

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
    received_at: datetime


# Made thousands of times a second, as in `landing`.
class Unread(NamedTuple):
    """A receipt as the reader meets it."""

    id: int
    provider: str
    dispatch: int | None
    n: int | None
    status: str
    reason: str | None
    reference: str | None


#: One statement: an id is given to a row only after the lock is held, since every row is joined to it.
_ADD = """
    WITH writing AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(%(lock)s))
    INSERT INTO receipt (provider, event_id, dispatch, n, status, reason, reference, raw, received_at)
    SELECT x.* FROM writing, jsonb_to_recordset(CAST(%(rows)s AS jsonb)) AS x(
        provider text, event_id text, dispatch bigint, n bigint, status text, reason text, reference text, raw jsonb,
        received_at timestamptz)
    ON CONFLICT (provider, event_id) DO NOTHING RETURNING provider, event_id
"""


def add(run: Run, receipts: Iterable[Receipt]) -> set[tuple[str, str]]:
    """Write receipts; those whose event is known already are left out. (provider, event id) of those that were new.

    `run` runs one statement, which may be run twice; whether it commits it is the caller's affair.
    """
    rows = json.dumps([_as_json(receipt) for receipt in receipts])
    return {(provider, event) for provider, event in run(_ADD, {"lock": WRITING, "rows": rows})}


def _as_json(receipt: Receipt) -> dict[str, object]:
    return {
        "provider": receipt.provider,
        "event_id": receipt.event_id,
        "dispatch": receipt.dispatch,
        "n": receipt.n,
        "status": receipt.status,
        "reason": receipt.reason,
        "reference": receipt.reference,
        "raw": dict(receipt.raw),
        "received_at": receipt.received_at.isoformat(),
    }


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
            SELECT id, provider, dispatch, n, status, reason, reference FROM receipt
            WHERE id <= :upto AND id > coalesce((SELECT id FROM progress WHERE reader = :reader), 0)
            ORDER BY id LIMIT :limit
        """),
        {"reader": READER, "upto": upto, "limit": limit},
    )
    return list(map(Unread._make, rows))


def read_to(session: Session, last: Unread) -> None:
    """Remember the place: everything up to `last` has been applied in this transaction."""
    session.execute(
        text("""
            INSERT INTO progress (reader, id) VALUES (:reader, :id)
            ON CONFLICT (reader) DO UPDATE SET id = excluded.id
        """),
        {"reader": READER, "id": last.id},
    )
