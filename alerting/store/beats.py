"""Signs of life: when a process last said that it was at work, and which migration the database is at.

Functions take a session and never commit. Invariant: one row per process.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from alerting.store.tables import beat


def tell(session: Session, process: str, *, now: datetime) -> None:
    """`process` is at work at `now` (aware UTC)."""
    statement = insert(beat).values(process=process, at=now)
    session.execute(statement.on_conflict_do_update(index_elements=[beat.c.process], set_={"at": now}))


def last(session: Session, process: str) -> datetime | None:
    """When `process` last told, aware UTC; None when it never has."""
    return session.execute(select(beat.c.at).where(beat.c.process == process)).scalar_one_or_none()


def revision(session: Session) -> str | None:
    """The migration that the database is at; None when it was never migrated."""
    known = session.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one()
    if not known:
        return None
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
