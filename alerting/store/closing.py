"""What has come to its end: finished, withdrawn and expired dispatches, and sends without a receipt.

Owns the queries by which the sweep finds them; each uses a partial index, so that none grows with the history. Functions
take a session and never commit. Invariant: nothing that is leased is closed.
"""

from __future__ import annotations

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
        f"""state = 'withdrawn' AND {_NOT_LEASED}
            AND id IN (SELECT dispatch FROM tally WHERE status = 'planned' AND n > 0)""",  # noqa: S608  # constants
        limit,
    )


def without_receipt(session: Session, before: datetime, limit: int = 20) -> list[Ending]:
    """Finished SMS dispatches, closed before a time, with messages of which the provider never said more."""
    return _endings(
        session,
        """channel = 'sms' AND state IN ('done', 'withdrawn') AND closed_at < :before
           AND EXISTS (SELECT FROM tally WHERE tally.dispatch = dispatch.id AND status = 'accepted' AND n > 0)""",
        limit,
        before,
    )


_NOT_LEASED = "NOT EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'leased')"


def _endings(session: Session, where: str, limit: int, before: datetime | None = None) -> list[Ending]:
    rows = session.execute(
        text(f"""
            SELECT id, alert, channel FROM dispatch WHERE {where}
            ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
        """),  # noqa: S608  # the conditions are this module's own
        {"limit": limit, "before": before} if before is not None else {"limit": limit},
    )
    return [Ending(*row) for row in rows]
