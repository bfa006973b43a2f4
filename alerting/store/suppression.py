"""Addresses that stay silent though their rows are gone: recognised by their mac, readable by nobody.

Owns the rows of suppression. Whoever asked to be forgotten, or said STOP long ago, is not brought back by a list. Must
not import a use case. Functions take a session and never commit. Invariant: only the owner, or an officer who says so by
name in the audit, lifts one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


def suppress(session: Session, keys: Collection[tuple[str, bytes]], *, now: datetime) -> None:
    """Keep these (channel, mac) silent from now on; repeating it keeps the first time."""
    if keys:
        session.execute(
            text("""
                INSERT INTO suppression (channel, mac, since)
                SELECT x.channel, x.mac, :now
                FROM unnest(CAST(:channels AS text[]), CAST(:macs AS bytea[])) AS x(channel, mac)
                ON CONFLICT (channel, mac) DO NOTHING
            """),
            {"channels": [channel for channel, _ in keys], "macs": [mac for _, mac in keys], "now": now},
        )


def among(session: Session, keys: Collection[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Those of these (channel, mac) that stay silent."""
    if not keys:
        return set()
    rows = session.execute(
        text("""
            SELECT s.channel, s.mac FROM unnest(CAST(:channels AS text[]), CAST(:macs AS bytea[])) AS x(channel, mac)
            JOIN suppression s ON s.channel = x.channel AND s.mac = x.mac
        """),
        {"channels": [channel for channel, _ in keys], "macs": [mac for _, mac in keys]},
    )
    return {(channel, bytes(mac)) for channel, mac in rows}


def lift(session: Session, channel: str, mac: bytes) -> bool:
    """Let an address come back; False when it was not silent."""
    query = text("DELETE FROM suppression WHERE channel = :channel AND mac = :mac RETURNING since")
    return session.execute(query, {"channel": channel, "mac": mac}).first() is not None
