"""What has come to its end: finished, withdrawn and expired dispatches, and sends without a receipt.

Owns the queries by which the sweep finds them; each uses a partial index, so that none grows with the history. Functions
take a session and never commit. Invariant: nothing that is leased is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Ending:
    """A dispatch to be closed."""

    id: int
    alert: UUID | None
    channel: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A closed dispatch: `planned` is its highest n, `unheard` whether texts of it still wait for their receipt."""

    id: int
    planned: int
    unheard: bool


def finished(session: Session, limit: int = 200) -> list[Ending]:
    """Open dispatches whose batches are all done, locked."""
    return _endings(
        session,
        "state = 'open' AND NOT EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state IN ('ready', 'leased'))",
        limit,
    )


def out_of_time(session: Session, limit: int = 200) -> list[Ending]:
    """Unfinished dispatches that have expired and of which nothing is in flight, locked."""
    return _endings(
        session, f"state IN ('planning', 'open', 'held') AND expires <= now() AND {_NOT_LEASED}", limit
    )


def withdrawn(session: Session, limit: int = 200) -> list[Ending]:
    """Withdrawn dispatches with rows that were never started and of which nothing is in flight, locked."""
    return _endings(
        session,
        f"""state = 'withdrawn' AND NOT settled AND {_NOT_LEASED}
            AND EXISTS (SELECT FROM tally WHERE tally.dispatch = dispatch.id AND status = 'planned' AND n > 0)""",  # constants
        limit,
    )


def unsettled(session: Session, before: datetime, limit: int = 200) -> list[Unsettled]:
    """Done and withdrawn dispatches, closed before a time, of which it is not yet known that nothing will move; locked.

    Only SMS have receipts: accepted mail stays accepted.
    """
    rows = session.execute(
        text("""
            SELECT id, planned, channel = 'sms' AND coalesce((
                SELECT true FROM tally WHERE tally.dispatch = dispatch.id AND status = 'accepted' AND n > 0 LIMIT 1
            ), false) AS unheard
            FROM dispatch WHERE state IN ('done', 'withdrawn') AND NOT settled AND closed_at < :before
            ORDER BY closed_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
        """),
        {"before": before, "limit": limit},
    )
    return [Unsettled(*row) for row in rows]


def settle(session: Session, dispatches: Sequence[int]) -> None:
    """Say that nothing of these will move by itself any more: the sweep does not meet them again."""
    session.execute(
        text("UPDATE dispatch SET settled = true WHERE id = ANY(CAST(:ids AS bigint[]))"),
        {"ids": list(dispatches)},
    )


_NOT_LEASED = "NOT EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'leased')"


def _endings(session: Session, where: str, limit: int) -> list[Ending]:
    rows = session.execute(
        text(f"""
            SELECT id, alert, channel FROM dispatch WHERE {where}
            ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
        """),  # noqa: S608  # the conditions are this module's own
        {"limit": limit},
    )
    return [Ending(*row) for row in rows]
