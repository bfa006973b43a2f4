"""Policies of the authority, one row each. Functions take a session and never commit."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.orm import Session


def get(session: Session, name: str) -> object:
    """The value of a policy; None when it was never set."""
    return session.execute(
        text("SELECT value FROM policy WHERE name = :name"), {"name": name}
    ).scalar_one_or_none()


def put(session: Session, name: str, value: object) -> None:
    """Set a policy."""
    session.execute(
        text("""
            INSERT INTO policy (name, value) VALUES (:name, CAST(:value AS jsonb))
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
        """),
        {"name": name, "value": json.dumps(value)},
    )
