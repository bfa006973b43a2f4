"""Writing regions in bulk: what an import of the gazetteer does to the rows, a statement per thousand.

Owns the writes to region, region_geocode and region_name, and the move of followed points to the region that is the
smallest around them now. Takes arrays to the server in one statement each (unnest), because an import stands on the way
to the first warning of a new installation. Functions take a session and never commit. Invariant: the id of a code never
changes, so that what follows it still does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Node:
    """A region as it stands: its place in the tree."""

    id: int
    code: str
    parent: int | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Row:
    """A region to be written; `wkb` None keeps the geometry that it has, like `time_zone`."""

    id: int
    code: str
    parent: int | None
    low: int
    high: int
    names: Mapping[str, str]
    wkb: bytes | None
    box: tuple[float, float, float, float] | None
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were new and changed, and whether the ground of any did."""

    created: int
    changed: int
    ground_changed: bool


def lock(session: Session) -> None:
    """Let no other import write until this transaction ends; readers and followers go on."""
    session.execute(text("LOCK TABLE region IN SHARE ROW EXCLUSIVE MODE"))


def nodes(session: Session) -> dict[str, Node]:
    """The whole tree by code."""
    rows = session.execute(text("SELECT id, code, parent, low, high FROM region"))
    return {row.code: Node(row.id, row.code, row.parent, row.low, row.high) for row in rows}


def new_ids(session: Session, count: int) -> list[int]:
    """Ids for regions that are yet to be written."""
    query = text("""
        SELECT nextval(pg_get_serial_sequence('region', 'id')) FROM generate_series(1, :count)
    """)
    return [int(value) for value in session.execute(query, {"count": count}).scalars()]


def put(session: Session, rows: Sequence[Row]) -> Written:
    """Insert the regions, or bring those of the same code up to date; rows that are equal are not touched."""
    boxes = [row.box or (None, None, None, None) for row in rows]
    written = session.execute(
        text("""
            WITH new AS (
                SELECT * FROM unnest(
                    CAST(:ids AS int[]), CAST(:codes AS text[]), CAST(:parents AS int[]), CAST(:lows AS int[]),
                    CAST(:highs AS int[]), CAST(:names AS jsonb[]), CAST(:wkbs AS bytea[]), CAST(:w AS float8[]),
                    CAST(:s AS float8[]), CAST(:e AS float8[]), CAST(:n AS float8[]), CAST(:zones AS text[]))
                AS new (id, code, parent, low, high, names, geometry, west, south, east, north, time_zone)),
            old AS (SELECT region.code, region.geometry FROM region JOIN new USING (code)),
            written AS (
                INSERT INTO region AS r
                    (id, code, parent, low, high, names, geometry, west, south, east, north, time_zone)
                SELECT * FROM new
                ON CONFLICT (code) DO UPDATE SET
                    parent = excluded.parent, low = excluded.low, high = excluded.high, names = excluded.names,
                    geometry = coalesce(excluded.geometry, r.geometry),
                    west = coalesce(excluded.west, r.west), south = coalesce(excluded.south, r.south),
                    east = coalesce(excluded.east, r.east), north = coalesce(excluded.north, r.north),
                    time_zone = coalesce(excluded.time_zone, r.time_zone)
                WHERE (r.parent, r.low, r.high, r.names) IS DISTINCT FROM
                      (excluded.parent, excluded.low, excluded.high, excluded.names)
                   OR (excluded.geometry IS NOT NULL AND excluded.geometry IS DISTINCT FROM r.geometry)
                   OR (excluded.time_zone IS NOT NULL AND excluded.time_zone IS DISTINCT FROM r.time_zone)
                RETURNING r.code, r.geometry)
            SELECT count(*) FILTER (WHERE old.code IS NULL), count(*) FILTER (WHERE old.code IS NOT NULL),
                   coalesce(bool_or(written.geometry IS DISTINCT FROM old.geometry), false)
            FROM written LEFT JOIN old USING (code)
        """),
        {
            "ids": [row.id for row in rows],
            "codes": [row.code for row in rows],
            "parents": [row.parent for row in rows],
            "lows": [row.low for row in rows],
            "highs": [row.high for row in rows],
            "names": [json.dumps(dict(row.names), ensure_ascii=False) for row in rows],
            "wkbs": [row.wkb for row in rows],
            "zones": [row.time_zone for row in rows],
            **{side: [box[k] for box in boxes] for k, side in enumerate("wsen")},
        },
    ).one()
    return Written(*written)


def renumber(session: Session, places: Sequence[Node]) -> None:
    """Give regions that were not written their new place in the tree."""
    if not places:
        return
    session.execute(
        text("""
            UPDATE region SET low = new.low, high = new.high
            FROM unnest(CAST(:ids AS int[]), CAST(:lows AS int[]), CAST(:highs AS int[])) AS new (id, low, high)
            WHERE region.id = new.id
        """),
        {
            "ids": [node.id for node in places],
            "lows": [node.low for node in places],
            "highs": [node.high for node in places],
        },
    )


def set_names(session: Session, keys: Collection[tuple[int, str]]) -> None:
    """Make these (region, name key) pairs the only ones of the regions that they name."""
    values = {"regions": [region for region, _ in keys], "keys": [key for _, key in keys]}
    wanted = "unnest(CAST(:regions AS int[]), CAST(:keys AS text[])) AS w (region, key)"
    session.execute(
        text(f"""
            DELETE FROM region_name n WHERE region = ANY(CAST(:regions AS int[]))
            AND NOT EXISTS (SELECT FROM {wanted} WHERE w.region = n.region AND w.key = n.key)
        """),  # noqa: S608  # a constant of this function
        values,
    )
    session.execute(
        text(f"""
            INSERT INTO region_name (region, key) SELECT region, key FROM {wanted} ON CONFLICT DO NOTHING
        """),  # noqa: S608  # likewise
        values,
    )


def set_geocodes(session: Session, codes: Collection[tuple[int, str, str]]) -> None:
    """Make these (region, scheme, value) triples the only ones of each region and scheme that they name."""
    values = {
        "regions": [code[0] for code in codes],
        "schemes": [code[1] for code in codes],
        "values": [code[2] for code in codes],
    }
    wanted = (
        "unnest(CAST(:regions AS int[]), CAST(:schemes AS text[]), CAST(:values AS text[])) "
        "AS w (region, scheme, value)"
    )
    session.execute(
        text(f"""
            DELETE FROM region_geocode g
            WHERE (region, scheme) IN (SELECT region, scheme FROM {wanted})
              AND (region, scheme, value) NOT IN (SELECT region, scheme, value FROM {wanted})
        """),  # noqa: S608  # a constant of this function
        values,
    )
    session.execute(
        text(f"""
            INSERT INTO region_geocode (region, scheme, value)
            SELECT region, scheme, value FROM {wanted} ON CONFLICT DO NOTHING
        """),  # noqa: S608  # likewise
        values,
    )


def followed(session: Session, ids: Collection[int]) -> dict[str, int]:
    """How many subscriptions name each of these regions, by code; points, which only lie in one, do not count."""
    query = text("""
        SELECT r.code, count(*) AS n FROM follow f JOIN region r ON r.id = f.region
        WHERE f.region = ANY(:ids) AND f.cell IS NULL GROUP BY r.code ORDER BY r.code
    """)
    return {row.code: row.n for row in session.execute(query, {"ids": list(ids)})}


def remove(session: Session, ids: Collection[int]) -> None:
    """Remove regions that nobody follows; points in them are left without a region, feeds of them are given up."""
    values = {"ids": list(ids)}
    session.execute(
        text("UPDATE follow SET region = NULL WHERE region = ANY(:ids) AND cell IS NOT NULL"), values
    )
    session.execute(
        text("DELETE FROM publication USING feed WHERE feed.id = feed AND feed.region = ANY(:ids)"), values
    )
    session.execute(text("DELETE FROM feed WHERE region = ANY(:ids)"), values)
    session.execute(text("UPDATE region SET parent = NULL WHERE parent = ANY(:ids)"), values)
    session.execute(text("DELETE FROM region WHERE id = ANY(:ids)"), values)


@dataclass(frozen=True, slots=True)
class FollowedPoint:
    """A point that somebody follows, with the region that it was found in."""

    follow: int
    region: int | None
    lat: float
    lon: float


def points(session: Session, *, after: int, limit: int) -> list[FollowedPoint]:
    """Followed points in order of id, beyond the id `after`."""
    query = text("""
        SELECT id, region, lat, lon FROM follow WHERE cell IS NOT NULL AND id > :after ORDER BY id LIMIT :limit
    """)
    rows = session.execute(query, {"after": after, "limit": limit})
    return [FollowedPoint(row.id, row.region, row.lat, row.lon) for row in rows]


def move_points(session: Session, moved: Sequence[tuple[int, int | None]]) -> None:
    """Give followed points (follow id, region id) the region that is now the smallest around them."""
    if moved:
        session.execute(
            text("""
                UPDATE follow SET region = new.region
                FROM unnest(CAST(:follows AS bigint[]), CAST(:regions AS int[])) AS new (follow, region)
                WHERE follow.id = new.follow
            """),
            {"follows": [pair[0] for pair in moved], "regions": [pair[1] for pair in moved]},
        )
