"""The audit: a chain of what officers did and of the milestones of dispatches, each row sealing the one before.

Owns the rows of audit, which are only ever inserted and read. hash = SHA-256(previous hash || canonical JSON of the row),
so that a row changed, left out or put in later breaks the chain from there on. Citizens are named by internal ids only.
Functions take a session and never commit. Invariant: `append` takes the chain's lock, so it is the last act of its
transaction; whoever needs another lock after it would deadlock with the next writer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, text
from sqlalchemy.orm import Session

from alerting.store import tables as t

#: Key of the advisory lock of the chain: any constant that nothing else uses.
_LOCK = 0x6175646974  # "audit"

#: The hash before the first row.
ORIGIN = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; `at` is aware UTC."""

    seq: int
    at: datetime
    actor: str
    act: str
    subject: str
    detail: Mapping[str, object]
    previous: bytes
    hash: bytes


def append(
    session: Session, *, actor: str, act: str, subject: str, detail: Mapping[str, object], now: datetime
) -> int:
    """Add a row and return its number. Call it last: it holds the chain's lock until the transaction ends.

    `detail` holds text, integers, booleans, None, and lists and objects of them: raises TypeError for anything else,
    because a float does not come back from the database as it was hashed.
    """
    _require_exact(detail)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = session.execute(text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).first()
    seq, previous = (last.seq + 1, bytes(last.hash)) if last else (1, ORIGIN)
    values = {"seq": seq, "at": now, "actor": actor, "act": act, "subject": subject, "detail": dict(detail)}
    sealed = _seal(previous, seq=seq, at=now, actor=actor, act=act, subject=subject, detail=detail)
    session.execute(insert(t.audit), {**values, "previous": previous, "hash": sealed})
    return seq


def last(session: Session) -> Entry | None:
    """The end of the chain; None while it is empty."""
    row = session.execute(text("SELECT * FROM audit ORDER BY seq DESC LIMIT 1")).first()
    return None if row is None else _entry(row)


def verify(session: Session) -> int | None:
    """The number of the first row that is not as it was written, or is missing; None when the chain is whole.

    What was cut off at the end cannot be seen from inside: compare the last hash with one kept elsewhere.
    """
    previous, expected = ORIGIN, 1
    for entry in entries(session):
        sealed = _seal(
            previous,
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            act=entry.act,
            subject=entry.subject,
            detail=entry.detail,
        )
        if entry.seq != expected or entry.previous != previous or entry.hash != sealed:
            return expected
        previous, expected = entry.hash, expected + 1
    return None


def entries(session: Session, *, after: int = 0) -> Iterator[Entry]:
    """Rows in order, beyond the number `after`, 1 000 at a time."""
    query = text("SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT 1000")
    while rows := session.execute(query, {"after": after}).all():
        yield from map(_entry, rows)
        after = rows[-1].seq


def of(session: Session, subject: str) -> list[Entry]:
    """The rows about one subject (an alert's id), in order."""
    query = text("SELECT * FROM audit WHERE subject = :subject ORDER BY seq")
    return list(map(_entry, session.execute(query, {"subject": subject})))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.seq, row.at, row.actor, row.act, row.subject, row.detail, bytes(row.previous), bytes(row.hash)
    )


def _seal(previous: bytes, *, at: datetime, **values: object) -> bytes:
    written = at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(
        {**values, "at": written}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(previous + canonical.encode("utf-8")).digest()


def _require_exact(value: object) -> None:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys of an audit detail must be text")
        for each in value.values():
            _require_exact(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _require_exact(each)
    elif not (value is None or isinstance(value, str | int)):
        raise TypeError(
            f"an audit detail holds text, integers, booleans and None, not {type(value).__name__}"
        )
