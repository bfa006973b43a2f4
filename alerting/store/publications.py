"""Feeds and their documents: which segments are in force where, what is stored of them, and the version of it all.

Reads what the public may see through the view `public_alert` alone; owns feed, feed_head and publication. Functions take a
session and never commit. Invariant: the version is read before the rows, and bumped in the transaction that changes them,
so a document never carries a newer version than its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_A_DAY = timedelta(days=1)

# Documents that are made ready before anybody asks again; every other feed is rendered when asked for.
_MOST_WANTED = 1_000

# A Cancel or Error is no item of a feed: it takes items away.
_ITEMS = "pa.msg_type IN ('Alert', 'Update')"


@dataclass(frozen=True, slots=True)
class Head:
    """The version of all feeds together; raised by whatever changes what is in force."""

    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed that was asked for; `key` is all, all/fr, CN-AH or CN-AH/fr."""

    id: int
    channel: str  # rss | web
    key: str


@dataclass(frozen=True, slots=True)
class InForce:
    """A segment in force; `root` is the first alert of its chain of updates, times are aware UTC."""

    alert: UUID
    n: int
    slug: str
    root: UUID
    rank: int
    infos: tuple[int, ...]
    languages: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime  # of the root
    updated: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """A segment, the language wanted of it, and the number of the info that holds it."""

    alert: UUID
    n: int
    language: str
    info: int


@dataclass(frozen=True, slots=True)
class Told:
    """The frozen text of a segment on a channel, and what stands beside it in the document."""

    language: str
    title: str
    text: str
    sender_name: str
    areas: tuple[str, ...]
    polygons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as the web lane left it."""

    version: int
    etag: str
    body: bytes
    built_at: datetime
    good_until: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """When what is in force last changed by issue, end, start or expiry, and when it next will by itself."""

    last: datetime | None
    next: datetime | None


def head(session: Session) -> Head:
    """The version of all feeds at this moment."""
    row = session.execute(text("SELECT version, changed_at FROM feed_head")).one()
    return Head(row.version, row.changed_at)


def bump(session: Session, now: datetime) -> int:
    """Raise the version, in the transaction that changes what is in force; one at a time until it ends."""
    return int(
        session.execute(
            text("UPDATE feed_head SET version = version + 1, changed_at = :now RETURNING version"),
            {"now": now},
        ).scalar_one()
    )


def in_force(session: Session, now: datetime, region: int | None = None) -> list[InForce]:
    """Every segment in force, the newest first; of one region: those that share ground with it.

    segment.regions holds the ancestors and descendants of its ground, so that containment is all there is to ask.
    """
    where = "AND seg.regions @> ARRAY[CAST(:region AS integer)]" if region is not None else ""
    rows = session.execute(
        text(f"""
            WITH RECURSIVE live AS (
                SELECT pa.id, pa.seq, pa.slug, pa.issued_at FROM public_alert pa
                WHERE pa.state = 'issued' AND pa.expires > :now AND {_ITEMS}
            ), chain (alert, old) AS (
                SELECT id, id FROM live UNION SELECT c.alert, s.old FROM chain c JOIN supersedes s ON s.new = c.old
            ), root AS (
                SELECT DISTINCT ON (c.alert) c.alert, pa.id, pa.issued_at
                FROM chain c JOIN public_alert pa ON pa.id = c.old ORDER BY c.alert, pa.seq
            )
            SELECT live.id, seg.n, live.slug, root.id AS root, seg.rank, seg.infos, seg.languages, seg.categories,
                   root.issued_at AS published, live.issued_at AS updated, seg.expires
            FROM live JOIN root ON root.alert = live.id JOIN segment seg ON seg.alert = live.id
            WHERE seg.effective <= :now AND seg.expires > :now {where}
            ORDER BY live.seq DESC, seg.n
        """),  # noqa: S608 - constants of this module
        {"now": now, "region": region} if region is not None else {"now": now},
    )
    return [
        InForce(
            alert=row.id,
            n=row.n,
            slug=row.slug,
            root=row.root,
            rank=row.rank,
            infos=tuple(row.infos),
            languages=tuple(row.languages),
            categories=tuple(row.categories),
            published=row.published,
            updated=row.updated,
            expires=row.expires,
        )
        for row in rows
    ]


def changes(session: Session, now: datetime, region: int | None = None) -> Changes:
    """The last and the next moment at which the answer of `in_force` changes, as far as is known now."""
    where = "AND seg.regions @> ARRAY[CAST(:region AS integer)]" if region is not None else ""
    row = session.execute(
        text(f"""
            SELECT max(at) FILTER (WHERE at <= :now) AS last, min(at) FILTER (WHERE at > :now) AS next
            FROM (
                SELECT greatest(pa.issued_at, seg.effective) AS starts,
                       least(seg.expires, coalesce(pa.ended_at, 'infinity')) AS ends
                FROM public_alert pa JOIN segment seg ON seg.alert = pa.id WHERE {_ITEMS} {where}
            ) span CROSS JOIN LATERAL (VALUES (starts), (ends)) AS edge (at)
            WHERE starts < ends
        """),  # noqa: S608 - constants of this module
        {"now": now, "region": region} if region is not None else {"now": now},
    ).one()
    return Changes(row.last, row.next)


def told(session: Session, channel: str, chosen: Sequence[Chosen]) -> dict[tuple[UUID, int], Told]:
    """The frozen texts of segments by (alert, n); one whose channel was left out has none.

    A language that is missing is replaced by `mul`, else by any: a segment is never lost for its language.
    """
    rows = session.execute(
        text("""
            SELECT w.alert, w.n, r.language, coalesce(r.subject, '') AS subject, r.text,
                   coalesce(pa.cap -> 'info' -> w.info ->> 'senderName', '') AS sender_name,
                   coalesce(pa.cap -> 'info' -> w.info -> 'area', '[]') AS areas
            FROM unnest(CAST(:alerts AS uuid[]), CAST(:numbers AS smallint[]), CAST(:languages AS text[]),
                        CAST(:infos AS integer[])) AS w (alert, n, language, info)
            JOIN public_alert pa ON pa.id = w.alert
            CROSS JOIN LATERAL (
                SELECT language, subject, text FROM rendering
                WHERE alert = w.alert AND segment = w.n AND channel = :channel
                ORDER BY language <> w.language, language <> 'mul', language LIMIT 1
            ) r
        """),
        {
            "alerts": [each.alert for each in chosen],
            "numbers": [each.n for each in chosen],
            "languages": [each.language for each in chosen],
            "infos": [each.info for each in chosen],
            "channel": channel,
        },
    )
    return {
        (row.alert, row.n): Told(
            language=row.language,
            title=row.subject,
            text=row.text,
            sender_name=row.sender_name,
            areas=tuple(area["areaDesc"] for area in row.areas),
            polygons=tuple(polygon for area in row.areas for polygon in area.get("polygon", ())),
        )
        for row in rows
    }


def stored(session: Session, channel: str, key: str, media: str) -> Stored | None:
    """The document that the web lane made, however old."""
    row = session.execute(
        text("""
            SELECT p.version, p.etag, p.body, p.built_at, p.good_until
            FROM feed f JOIN publication p ON p.feed = f.id
            WHERE f.channel = :channel AND f.key = :key AND p.media = :media
        """),
        {"channel": channel, "key": key, "media": media},
    ).one_or_none()
    return (
        None if row is None else Stored(row.version, row.etag, bytes(row.body), row.built_at, row.good_until)
    )


def keep(session: Session, feed: int, media: str, document: Stored) -> None:
    """Store a document unless one of a later version, or a later one of the same version, is there already."""
    session.execute(
        text("""
            INSERT INTO publication (feed, media, version, etag, body, built_at, good_until)
            VALUES (:feed, :media, :version, :etag, :body, :built_at, :good_until)
            ON CONFLICT (feed, media) DO UPDATE SET version = excluded.version, etag = excluded.etag,
                body = excluded.body, built_at = excluded.built_at, good_until = excluded.good_until
            WHERE (publication.version, publication.built_at) <= (excluded.version, excluded.built_at)
        """),
        {
            "feed": feed,
            "media": media,
            "version": document.version,
            "etag": document.etag,
            "body": document.body,
            "built_at": document.built_at,
            "good_until": document.good_until,
        },
    )


def feed(session: Session, feed_id: int) -> FeedRow | None:
    """The feed of an id."""
    row = session.execute(
        text("SELECT id, channel, key FROM feed WHERE id = :id"), {"id": feed_id}
    ).one_or_none()
    return None if row is None else FeedRow(row.id, row.channel, row.key)


def note_asked(
    session: Session, *, channel: str, key: str, region: int | None, language: str | None, now: datetime
) -> int:
    """Remember that a feed is read, so that the web lane makes it ready; the feed's id."""
    return int(
        session.execute(
            text("""
                INSERT INTO feed (channel, key, region, language, asked_at)
                VALUES (:channel, :key, :region, :language, :now)
                ON CONFLICT (channel, key) DO UPDATE SET asked_at = greatest(feed.asked_at, excluded.asked_at)
                RETURNING id
            """),
            {"channel": channel, "key": key, "region": region, "language": language, "now": now},
        ).scalar_one()
    )


def wanted(session: Session, channel: str, now: datetime) -> list[int]:
    """The feeds of a channel to make ready: `all`, and those asked for within a day, the latest first."""
    everything = note_asked(session, channel=channel, key="all", region=None, language=None, now=now)
    rows = session.execute(
        text("""
            SELECT id FROM feed WHERE channel = :channel AND asked_at > :since AND id <> :everything
            ORDER BY asked_at DESC, id LIMIT :most
        """),
        {"channel": channel, "since": now - _A_DAY, "everything": everything, "most": _MOST_WANTED - 1},
    )
    return [everything, *rows.scalars()]


@dataclass(frozen=True, slots=True)
class PublicAlert:
    """An alert as the public may see it; times are aware UTC."""

    id: UUID
    slug: str
    msg_type: str
    state: str
    cap_xml: bytes
    issued_at: datetime
    ended_at: datetime | None


def by_slug(session: Session, slug: str) -> PublicAlert | None:
    """The alert of a public page; None for one that has not passed the gate."""
    row = session.execute(
        text("""
            SELECT id, slug, msg_type, state, cap_xml, issued_at, ended_at FROM public_alert WHERE slug = :slug
        """),
        {"slug": slug},
    ).one_or_none()
    if row is None:
        return None
    return PublicAlert(
        row.id, row.slug, row.msg_type, row.state, bytes(row.cap_xml), row.issued_at, row.ended_at
    )


def newest(session: Session, alert: UUID) -> str | None:
    """The slug of the last public message of the chain that goes on from an alert; None when nothing followed."""
    return session.execute(
        text("""
            WITH RECURSIVE later (id) AS (
                SELECT new FROM supersedes WHERE old = :alert
                UNION SELECT s.new FROM later JOIN supersedes s ON s.old = later.id
            )
            SELECT pa.slug FROM later JOIN public_alert pa ON pa.id = later.id ORDER BY pa.seq DESC LIMIT 1
        """),
        {"alert": alert},
    ).scalar_one_or_none()


def public_cap(session: Session, alert: UUID) -> tuple[bytes, datetime] | None:
    """The CAP document as received or written, and when it was issued; None for one that has not passed the gate."""
    row = session.execute(
        text("SELECT cap_xml, issued_at FROM public_alert WHERE id = :id"), {"id": alert}
    ).one_or_none()
    return None if row is None else (bytes(row.cap_xml), row.issued_at)
