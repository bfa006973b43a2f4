"""API keys as rows: their names, roles and hashes, never the keys themselves.

Functions take a session and never commit. Imports nothing of the service but the tables and the states. Invariant: a
name is given once and stays with its key, revoked or not, so that the audit's names keep their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.orm import Session

from alerting.store.states import Role
from alerting.store.tables import api_key


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is shown: the key itself is nowhere. Times are UTC."""

    id: int
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


_COLUMNS = (api_key.c.id, api_key.c.name, api_key.c.role, api_key.c.created_at, api_key.c.revoked_at)


def _key(row: Row[*tuple[Any, ...]]) -> Key:
    return Key(row.id, row.name, Role(row.role), row.created_at, row.revoked_at)


def alone(session: Session) -> None:
    """Let no other transaction change the keys until this one ends; readers go on."""
    session.execute(text("LOCK TABLE api_key IN EXCLUSIVE MODE"))


def add(session: Session, *, name: str, role: Role, digest: bytes, now: datetime) -> Key:
    """Store the SHA-256 of a key; the caller has made sure by `by_name` that the name is free."""
    statement = insert(api_key).values(name=name, role=role.value, hash=digest, created_at=now)
    return _key(session.execute(statement.returning(*_COLUMNS)).one())


def by_digest(session: Session, digest: bytes) -> Key | None:
    """The key with this SHA-256, unless it is revoked."""
    row = session.execute(
        select(*_COLUMNS).where(api_key.c.hash == digest, api_key.c.revoked_at.is_(None))
    ).one_or_none()
    return None if row is None else _key(row)


def by_name(session: Session, name: str) -> Key | None:
    row = session.execute(select(*_COLUMNS).where(api_key.c.name == name)).one_or_none()
    return None if row is None else _key(row)


def every(session: Session) -> tuple[Key, ...]:
    """All keys ever made, in the order of their making."""
    return tuple(_key(row) for row in session.execute(select(*_COLUMNS).order_by(api_key.c.id)))


def revoke(session: Session, key: Key, *, now: datetime) -> None:
    session.execute(
        update(api_key).where(api_key.c.id == key.id, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    )
