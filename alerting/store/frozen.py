"""What approval froze, as the fan-out reads it: the ground of each segment and the texts of each dispatch.

Owns no row: authoring writes segment, rendering and notice once, and a trigger refuses every change. Functions take a
session. Invariant: a text is handed out with the hash that was approved; whoever sends it compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.states import NO_SEGMENT


@dataclass(frozen=True, slots=True)
class Segment:
    """The ground of one segment: region ids, and WKB (longitude, latitude) of what they do not cover."""

    n: int
    severity: int
    categories: tuple[str, ...]
    regions: tuple[int, ...]
    covered: tuple[int, ...]
    geometry: bytes | None


@dataclass(frozen=True, slots=True)
class Words:
    """One frozen text of a dispatch; `sha256` as approved, `expires` aware UTC."""

    segment: int
    language: str
    subject: str | None
    text: str
    html: str | None
    segments: int
    sha256: bytes
    expires: datetime


def segments_of(session: Session, alert: UUID) -> list[Segment]:
    """The segments of an alert, the most urgent first."""
    rows = session.execute(
        text("""
            SELECT n, severity, categories, regions, covered, geometry FROM segment
            WHERE alert = :alert ORDER BY rank, n
        """),
        {"alert": alert},
    )
    return [
        Segment(r.n, r.severity, tuple(r.categories), tuple(r.regions), tuple(r.covered), r.geometry)
        for r in rows
    ]


def segment_for_others(session: Session, alert: UUID, channel: str) -> int | None:
    """The segment whose text is told to those outside the ground: NO_SEGMENT where it was written, else the first one.

    None when the alert has no text for this channel at all.
    """
    return session.execute(
        text("""
            SELECT r.segment FROM rendering r LEFT JOIN segment s ON s.alert = r.alert AND s.n = r.segment
            WHERE r.alert = :alert AND r.channel = :channel
            ORDER BY r.segment <> :outside, s.rank, r.segment LIMIT 1
        """),
        {"alert": alert, "channel": channel, "outside": NO_SEGMENT},
    ).scalar_one_or_none()


def words_of_alert(session: Session, alert: UUID, channel: str) -> list[Words]:
    """The frozen texts of an alert on one channel."""
    rows = session.execute(
        text("""
            SELECT r.segment, r.language, r.subject, r.text, r.html, r.segments, r.sha256,
                   coalesce(s.expires, st.expires) AS expires
            FROM rendering r JOIN alert_state st ON st.alert = r.alert
            LEFT JOIN segment s ON s.alert = r.alert AND s.n = r.segment
            WHERE r.alert = :alert AND r.channel = :channel ORDER BY r.segment, r.language
        """),
        {"alert": alert, "channel": channel},
    )
    return [Words(*row) for row in rows]


def longest(session: Session, alert: UUID, channel: str) -> int:
    """How many SMS segments the longest text of an alert on a channel has; 1 for other channels."""
    query = text(
        "SELECT coalesce(max(segments), 1) FROM rendering WHERE alert = :alert AND channel = :channel"
    )
    return int(session.execute(query, {"alert": alert, "channel": channel}).scalar_one())


def words_of_notice(session: Session, notice: int, expires: datetime) -> list[Words]:
    """The one text of a notice."""
    rows = session.execute(
        text("SELECT language, subject, text, html, segments, sha256 FROM notice WHERE id = :id"),
        {"id": notice},
    )
    return [
        Words(NO_SEGMENT, row.language, row.subject, row.text, row.html, row.segments, row.sha256, expires)
        for row in rows
    ]
