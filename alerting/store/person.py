"""Everything that one person was sent and said, read for the person: a look into each dispatch, and one walk over receipts.

Owns no row. Functions take a session and never commit. Invariant: nobody else's row is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class SentRow:
    """One delivery to an address, with what it was of: an alert by its CAP identity, or a notice by its kind."""

    dispatch: int
    n: int
    address: int
    channel: str
    alert: UUID | None
    sender: str | None
    identifier: str | None
    notice: int | None
    kind: str | None
    segment: int
    language: str
    status: str
    reason: str | None
    attempts: int
    maybe_repeated: bool
    reference: str | None
    at: datetime | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class HeardRow:
    """One receipt about a delivery."""

    dispatch: int
    n: int
    provider: str
    event_id: str
    status: str
    reason: str | None
    reference: str | None
    raw: Mapping[str, str]
    received_at: datetime


def sent_to(session: Session, addresses: Sequence[int]) -> list[SentRow]:
    """What went, or is to go, to these addresses, in order."""
    rows = session.execute(
        text("""
            SELECT d.id, v.n, v.address, d.channel, d.alert, a.sender, a.identifier, d.notice, t.kind, v.segment, v.language,
                   CAST(v.status AS text), v.reason, v.attempts, v.maybe_repeated, v.reference, v.at, d.expires
            FROM dispatch d
            CROSS JOIN LATERAL (SELECT * FROM delivery WHERE delivery.dispatch = d.id
                                AND delivery.address = ANY(CAST(:ids AS bigint[]))) AS v
            LEFT JOIN alert a ON a.id = d.alert LEFT JOIN notice t ON t.id = d.notice
            ORDER BY d.id, v.n
        """),
        {"ids": list(addresses)},
    )
    return [SentRow(*row) for row in rows]


def heard_of(session: Session, keys: Sequence[tuple[int, int]]) -> list[HeardRow]:
    """The receipts of these (dispatch, n), in the order in which they came."""
    if not keys:
        return []
    rows = session.execute(
        text("""
            SELECT r.dispatch, r.n, provider, event_id, status, reason, reference, raw, received_at
            FROM receipt r JOIN unnest(CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[])) AS x(dispatch, n)
              ON r.dispatch = x.dispatch AND r.n = x.n
            ORDER BY r.id
        """),
        {"dispatches": [dispatch for dispatch, _ in keys], "ns": [n for _, n in keys]},
    )
    return [HeardRow(*row) for row in rows]
