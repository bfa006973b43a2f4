"""Alerts: documents, their state, segments, texts and lineage.

Owns the rows of alert, alert_state, segment, rendering and supersedes. An alert, its segments and its texts are written
once; only alert_state moves. What the public may see is read through the view public_alert, which holds the gate. Functions
take a session and never commit. Invariant: `version` grows with each change of state.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from alerting.store import tables as t
from alerting.store.states import AlertState, Origin, Workspace


@dataclass(frozen=True, slots=True)
class Document:
    """One CAP message as it is kept; `cap` is the canonical model in JSON form, `hash` its SHA-256."""

    id: UUID
    slug: str
    workspace: Workspace
    sender: str
    identifier: str
    sent: datetime
    status: str
    scope: str
    msg_type: str
    origin: Origin
    hash: bytes
    cap: Mapping[str, object]
    cap_xml: bytes
    omit: Mapping[str, str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """An alert with its state; all but the XML, which `cap_xml` reads. Times are aware UTC."""

    id: UUID
    seq: int
    slug: str
    workspace: Workspace
    sender: str
    identifier: str
    sent: datetime
    status: str
    scope: str
    msg_type: str
    hash: bytes
    cap: Mapping[str, object]
    omit: Mapping[str, str]
    received_at: datetime
    state: AlertState
    version: int
    submitted_by: str
    approved_by: str | None
    people: Mapping[str, int]
    issued_at: datetime | None
    ended_at: datetime | None
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as frozen. `rank` 0 is the most urgent, `severity` a states.Floor, `infos` indices into the document."""

    n: int
    rank: int
    severity: int
    infos: tuple[int, ...]
    languages: tuple[str, ...]
    categories: tuple[str, ...]
    area: str
    effective: datetime
    expires: datetime
    regions: tuple[int, ...]
    covered: tuple[int, ...]
    geometry: bytes | None


@dataclass(frozen=True, slots=True)
class Rendering:
    """One frozen text. `segment` is NO_SEGMENT for those who are told and are outside the ground."""

    segment: int
    channel: str
    language: str
    subject: str | None
    text: str
    html: str | None
    segments: int
    sha256: bytes


_COLUMNS = """
    a.id, a.seq, a.slug, a.workspace, a.sender, a.identifier, a.sent, a.status, a.scope, a.msg_type, a.hash, a.cap,
    a.omit, a.received_at, s.state, s.version, s.submitted_by, s.approved_by, s.people, s.issued_at, s.ended_at, s.expires
"""
_JOIN = "FROM alert a JOIN alert_state s ON s.alert = a.id"


def _stored(row: Mapping[str, object]) -> Stored:
    values = dict(row)
    return Stored(
        workspace=Workspace(str(values.pop("workspace"))),
        state=AlertState(str(values.pop("state"))),
        hash=bytes(values.pop("hash")),  # type: ignore[call-overload]  # a bytea column
        **values,  # type: ignore[arg-type]  # the columns are named after the fields
    )


def _select(session: Session, rest: str, **values: object) -> list[Stored]:
    query = text(f"SELECT {_COLUMNS} {_JOIN} {rest}")
    return [_stored(dict(row)) for row in session.execute(query, values).mappings()]


# --------------------------------------------------------------------------------------------------- writing


def insert_document(session: Session, document: Document) -> bool:
    """Write an alert; False, and nothing written, when its identity or its slug is taken.

    Waits for a transaction that is writing the same identity, so that two submissions at once make one row.
    """
    values = asdict(document)
    statement = upsert(t.alert).values(values).on_conflict_do_nothing().returning(t.alert.c.id)
    return session.execute(statement).first() is not None


def insert_state(
    session: Session,
    alert: UUID,
    *,
    state: AlertState,
    submitted_by: str,
    people: Mapping[str, int],
    expires: datetime | None,
) -> None:
    """Write the first state of an alert; `people` is by channel."""
    values = {
        "alert": alert,
        "state": state,
        "submitted_by": submitted_by,
        "people": dict(people),
        "expires": expires,
    }
    session.execute(insert(t.alert_state), values)


def insert_segments(session: Session, alert: UUID, segments: Sequence[Segment]) -> None:
    """Freeze the segments of an alert."""
    if segments:
        session.execute(insert(t.segment), [{"alert": alert, **asdict(each)} for each in segments])


def insert_renderings(session: Session, alert: UUID, renderings: Sequence[Rendering]) -> None:
    """Freeze the texts of an alert."""
    if renderings:
        session.execute(insert(t.rendering), [{"alert": alert, **asdict(each)} for each in renderings])


def issue(session: Session, alert: UUID, *, approved_by: str | None, now: datetime) -> None:
    """Put an alert in force."""
    session.execute(
        text("""
            UPDATE alert_state SET state = 'issued', version = version + 1, issued_at = :now, approved_by = :by
            WHERE alert = :alert
        """),
        {"alert": alert, "now": now, "by": approved_by},
    )


def keep_signed(session: Session, alert: UUID, signed: bytes) -> None:
    """Keep the document with our signature: from now on the public gets this one."""
    session.execute(
        text("UPDATE alert_state SET signed_xml = :signed WHERE alert = :alert"),
        {"alert": alert, "signed": signed},
    )


def end(session: Session, alerts: Collection[UUID], *, state: AlertState, by: UUID, now: datetime) -> None:
    """End alerts that another one (`by`) takes the place of or lifts, and record the lineage."""
    values = {"alerts": list(alerts), "state": state.value, "by": by, "now": now}
    session.execute(
        text("""
            UPDATE alert_state SET state = :state, version = version + 1, ended_at = :now
            WHERE alert = ANY(:alerts) AND state = 'issued'
        """),
        values,
    )
    session.execute(
        text("""
            INSERT INTO supersedes (new, old) SELECT CAST(:by AS uuid), old FROM unnest(CAST(:alerts AS uuid[])) AS old
            ON CONFLICT DO NOTHING
        """),
        values,
    )


def expire(session: Session, *, now: datetime) -> list[UUID]:
    """Mark issued alerts whose last segment has expired; returns them."""
    query = text("""
        UPDATE alert_state SET state = 'expired', version = version + 1, ended_at = expires
        WHERE state = 'issued' AND expires <= :now RETURNING alert
    """)
    return list(session.execute(query, {"now": now}).scalars())


# --------------------------------------------------------------------------------------------------- reading


def get(session: Session, alert: UUID) -> Stored | None:
    return next(iter(_select(session, "WHERE a.id = :id", id=alert)), None)


def lock(session: Session, alerts: Collection[UUID]) -> dict[UUID, Stored]:
    """Alerts with their states held until the transaction ends; taken in order, so that two of them never wait in a circle."""
    ids = sorted(set(alerts))
    session.execute(
        text("SELECT FROM alert_state WHERE alert = ANY(:ids) ORDER BY alert FOR UPDATE"), {"ids": ids}
    )
    # Read by a statement of its own: what waited for the lock sees what the other transaction wrote.
    return {found.id: found for found in _select(session, "WHERE a.id = ANY(:ids)", ids=ids)}


def by_slug(session: Session, slug: str) -> Stored | None:
    return next(iter(_select(session, "WHERE a.slug = :slug", slug=slug)), None)


def by_identity(session: Session, sender: str, identifier: str) -> Stored | None:
    """The own alert of this sender and identifier."""
    where = "WHERE a.sender = :sender AND a.identifier = :identifier AND a.origin = 'own'"
    return next(iter(_select(session, where, sender=sender, identifier=identifier)), None)


def by_identities(session: Session, identities: Collection[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
    """Own alerts by (sender, identifier); unknown ones are absent."""
    rows = _select(
        session,
        """JOIN unnest(CAST(:senders AS text[]), CAST(:identifiers AS text[])) AS w (sender, identifier)
             ON a.sender = w.sender AND a.identifier = w.identifier WHERE a.origin = 'own'""",
        senders=[sender for sender, _ in identities],
        identifiers=[identifier for _, identifier in identities],
    )
    return {(row.sender, row.identifier): row for row in rows}


def listing(
    session: Session, *, before: int | None, limit: int, state: AlertState | None = None
) -> list[Stored]:
    """Alerts, the latest first, below the number `before` (None: from the latest)."""
    return _select(
        session,
        """WHERE (CAST(:before AS bigint) IS NULL OR a.seq < :before)
             AND (CAST(:state AS text) IS NULL OR s.state = :state) ORDER BY a.seq DESC LIMIT :limit""",
        before=before,
        limit=limit,
        state=state,
    )


def cap_xml(session: Session, alert: UUID) -> bytes | None:
    """The CAP document of any alert as written or received, without our signature; for the public use `public_xml`."""
    found = session.execute(
        text("SELECT cap_xml FROM alert WHERE id = :id"), {"id": alert}
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def public_xml(session: Session, alert: UUID) -> bytes | None:
    """The CAP document of an alert that has passed the gate; None for all others."""
    query = text("SELECT cap_xml FROM public_alert WHERE id = :id")
    found = session.execute(query, {"id": alert}).scalar_one_or_none()
    return None if found is None else bytes(found)


def successors(session: Session, alert: UUID) -> list[Stored]:
    """The alerts that took the place of this one or lifted it."""
    return _select(session, "JOIN supersedes x ON x.new = a.id WHERE x.old = :id ORDER BY a.seq", id=alert)


def predecessors(session: Session, alert: UUID) -> list[Stored]:
    """The alerts whose place this one took, or that it lifted."""
    return _select(session, "JOIN supersedes x ON x.old = a.id WHERE x.new = :id ORDER BY a.seq", id=alert)


_SEGMENT = "n, rank, severity, infos, languages, categories, area, effective, segment.expires, regions, covered, geometry"


def _segment(row: Mapping[str, object]) -> Segment:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Segment(**values)  # type: ignore[arg-type]  # the columns are named after the fields


def segments_of(session: Session, alert: UUID) -> list[Segment]:
    """The segments of an alert, in their order in the document."""
    query = text("""
        SELECT n, rank, severity, infos, languages, categories, area, effective, expires, regions, covered, geometry
        FROM segment WHERE alert = :alert ORDER BY n
    """)
    return [_segment(dict(row)) for row in session.execute(query, {"alert": alert}).mappings()]


def renderings_of(session: Session, alert: UUID, channel: str) -> list[Rendering]:
    """The frozen texts of an alert on a channel."""
    query = text("""
        SELECT segment, channel, language, subject, text, html, segments, sha256 FROM rendering
        WHERE alert = :alert AND channel = :channel ORDER BY segment, language
    """)
    return [Rendering(*row) for row in session.execute(query, {"alert": alert, "channel": channel})]
