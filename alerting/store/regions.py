"""Regions: the tree of places, their names and codes, and which of them lies around a point.

Owns the rows of region, region_geocode and region_name, and the one way to write their keys (`scheme_key`, `value_key`,
`name_key`), so that what was imported is found however it is typed. Functions take a session and never commit.
Invariant: a region and its descendants are the rows whose `low` lies between its `low` and its `high`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

#: Degrees around a region within which a point that lies in no region still belongs to it: borders are simplified
#: (the built-in ones by 0.02 degrees), and whoever lives on the shore must not fall off the map.
SHORE = 0.05

#: Schemes as they are met in the field, without blanks and marks, and the one name under which they are kept.
_ALIASES = {
    "ISO31661": "ISO3166-1",
    "ISO31661ALPHA2": "ISO3166-1",
    "ISO31662": "ISO3166-2",
    "EMMAID": "EMMA_ID",
    "FIPS6": "FIPS6-4",
    "FIPS64": "FIPS6-4",
    "GBT2260": "GB2260",
    "CPEASGEOGRAPHICCODE": "CPEAS GEOGRAPHIC CODE",
    "CPEAS": "CPEAS GEOGRAPHIC CODE",
}


@dataclass(frozen=True, slots=True)
class Region:
    """One region; `names` by BCP 47 language, the box in WGS 84 degrees (None without a geometry of its own)."""

    id: int
    code: str
    parent: int | None
    parent_code: str | None
    low: int
    high: int
    names: Mapping[str, str]
    box: tuple[float, float, float, float] | None  # west, south, east, north
    time_zone: str | None
    has_geometry: bool

    def name(self, language: str) -> str:
        """The name in a language, else in English, else in any, else the code."""
        return self.names.get(language) or self.names.get("en") or next(iter(self.names.values()), self.code)


def scheme_key(written: str) -> str:
    """A geocode scheme (the valueName) as it is kept: upper case, with the spellings of one scheme made one."""
    name = " ".join(written.split()).upper()
    return _ALIASES.get(re.sub(r"[^A-Z0-9]", "", name), name)


def value_key(written: str) -> str:
    """A geocode value as it is kept: upper case, without blanks around it."""
    return written.strip().upper()


def name_key(written: str) -> str:
    """A place name as it is compared: NFKC, case folded, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", written).casefold().split())


def name_keys(written: str) -> set[str]:
    """The keys under which a name is found: as written, and without marks, which many telephones cannot type."""
    key = name_key(written)
    bare = "".join(c for c in unicodedata.normalize("NFD", key) if unicodedata.category(c) != "Mn")
    return {key, unicodedata.normalize("NFC", bare)} - {""}


_REGION = """
    SELECT r.id, r.code, r.parent, p.code AS parent_code, r.low, r.high, r.names, r.west, r.south, r.east, r.north,
           r.time_zone, r.geometry IS NOT NULL AS has_geometry
    FROM region r LEFT JOIN region p ON p.id = r.parent
"""


def _select(session: Session, rest: str, **values: object) -> list[Region]:
    found = []
    for row in session.execute(text(_REGION + rest), values).mappings():
        box = (row["west"], row["south"], row["east"], row["north"])
        found.append(
            Region(
                id=row["id"],
                code=row["code"],
                parent=row["parent"],
                parent_code=row["parent_code"],
                low=row["low"],
                high=row["high"],
                names=row["names"],
                box=None if box[0] is None else box,
                time_zone=row["time_zone"],
                has_geometry=row["has_geometry"],
            )
        )
    return found


# --------------------------------------------------------------------------------------------------- look-ups


def exist(session: Session) -> bool:
    """Whether any region has been imported."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM region)")).scalar_one())


def get(session: Session, region_id: int) -> Region | None:
    return next(iter(_select(session, "WHERE r.id = :id", id=region_id)), None)


def by_code(session: Session, code: str) -> Region | None:
    """The region with a code, which is compared without regard to case."""
    return next(iter(_select(session, "WHERE r.code = :code", code=value_key(code))), None)


def by_name(session: Session, written: str) -> list[Region]:
    """Every region with this name in any language, by code: several when the name is ambiguous."""
    return _select(
        session,
        "JOIN region_name n ON n.region = r.id WHERE n.key = :key ORDER BY r.code",
        key=name_key(written),
    )


def by_geocode(session: Session, scheme: str, value: str) -> list[Region]:
    """Every region with this code of a scheme, by code; empty when it does not resolve."""
    return _select(
        session,
        "JOIN region_geocode g ON g.region = r.id WHERE g.scheme = :scheme AND g.value = :value ORDER BY r.code",
        scheme=scheme_key(scheme),
        value=value_key(value),
    )


def by_geocodes(session: Session, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    """Region ids of many (scheme, value) pairs as written; a pair that does not resolve is absent."""
    keys = {pair: (scheme_key(pair[0]), value_key(pair[1])) for pair in pairs}
    rows = session.execute(
        text("""
            SELECT g.scheme, g.value, g.region FROM region_geocode g
            JOIN unnest(CAST(:schemes AS text[]), CAST(:values AS text[])) AS w (scheme, value)
              ON g.scheme = w.scheme AND g.value = w.value
        """),
        {"schemes": [k[0] for k in keys.values()], "values": [k[1] for k in keys.values()]},
    )
    found: dict[tuple[str, str], set[int]] = {}
    for scheme, value, region in rows:
        found.setdefault((scheme, value), set()).add(region)
    return {pair: sorted(found[key]) for pair, key in keys.items() if key in found}


def ids_of(session: Session, codes: Collection[str]) -> dict[str, int]:
    """Ids by code; a code without a region is absent."""
    query = text("SELECT code, id FROM region WHERE code = ANY(:codes)")
    return {row.code: row.id for row in session.execute(query, {"codes": list(codes)})}


def of_ids(session: Session, ids: Collection[int]) -> dict[int, Region]:
    """Regions by id."""
    return {found.id: found for found in _select(session, "WHERE r.id = ANY(:ids)", ids=list(ids))}


def ancestors(session: Session, ids: Collection[int]) -> set[int]:
    """The ids of all ancestors of these regions, themselves left out unless one is above another."""
    query = text("""
        WITH RECURSIVE up (id) AS (
            SELECT parent FROM region WHERE id = ANY(:ids) AND parent IS NOT NULL
            UNION
            SELECT region.parent FROM up JOIN region ON region.id = up.id WHERE region.parent IS NOT NULL)
        SELECT id FROM up
    """)
    return set(session.execute(query, {"ids": list(ids)}).scalars())


def descendants(session: Session, ids: Collection[int]) -> set[int]:
    """The ids of all descendants of these regions, themselves included."""
    query = text("""
        SELECT d.id FROM region r JOIN region d ON d.low BETWEEN r.low AND r.high WHERE r.id = ANY(:ids)
    """)
    return set(session.execute(query, {"ids": list(ids)}).scalars())


def without_ground(session: Session, below: Collection[int]) -> set[int]:
    """Descendants of these regions that have no geometry of their own: they share the fate of what they lie in."""
    query = text("""
        SELECT d.id FROM region r JOIN region d ON d.low > r.low AND d.low <= r.high
        WHERE r.id = ANY(:ids) AND d.geometry IS NULL
    """)
    return set(session.execute(query, {"ids": list(below)}).scalars())


def related(session: Session, region_id: int) -> set[int]:
    """A region, its ancestors and its descendants: those whose warnings a feed of it shows."""
    return descendants(session, [region_id]) | ancestors(session, [region_id])


def page(session: Session, *, parent: str | None, after: str, limit: int) -> list[Region]:
    """The children of a region, or the roots (`parent` None), in order of code, beyond the code `after`."""
    where = "p.code = :parent" if parent is not None else "r.parent IS NULL"
    values = {"parent": value_key(parent)} if parent is not None else {}
    return _select(
        session,
        f"WHERE {where} AND r.code > :after ORDER BY r.code LIMIT :limit",
        after=after,
        limit=limit,
        **values,
    )


def listing(session: Session, *, after: str, limit: int) -> list[Region]:
    """All regions in order of code, beyond the code `after`."""
    return _select(session, "WHERE r.code > :after ORDER BY r.code LIMIT :limit", after=after, limit=limit)


def search(session: Session, begins: str, *, limit: int) -> list[Region]:
    """Regions whose code, or name in any language, begins with these letters; shortest names first."""
    key = name_key(begins).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return _select(
        session,
        """JOIN (SELECT region, min(length(key)) AS length FROM (
                   SELECT region, key FROM region_name WHERE key LIKE :key
                   UNION ALL SELECT id, code FROM region WHERE lower(code) LIKE :key) m GROUP BY region) m
             ON m.region = r.id ORDER BY m.length, r.code LIMIT :limit""",
        key=key + "%",
        limit=limit,
    )


def geocodes_of(session: Session, region_id: int) -> list[tuple[str, str]]:
    """The (scheme, value) pairs of a region."""
    query = text("SELECT scheme, value FROM region_geocode WHERE region = :id ORDER BY scheme, value")
    return [(scheme, value) for scheme, value in session.execute(query, {"id": region_id})]


# --------------------------------------------------------------------------------------------------- geometry


def geometry(session: Session, ids: Collection[int]) -> shapely.Geometry | None:
    """The united ground of these regions, each its own or that of its descendants; None when there is none.

    Longitude and latitude in WGS 84 degrees.
    """
    query = text("""
        SELECT d.geometry FROM region r JOIN region d ON d.low BETWEEN r.low AND r.high
        WHERE r.id = ANY(:ids) AND d.geometry IS NOT NULL AND (d.id = r.id OR r.geometry IS NULL)
    """)
    parts = shapely.from_wkb(list(session.execute(query, {"ids": list(ids)}).scalars()))
    return shapely.union_all(parts) if len(parts) else None


def meeting_box(
    session: Session, boxes: Sequence[tuple[float, float, float, float]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """Ids and geometries of the regions whose box meets one of the boxes (west, south, east, north)."""
    query = text("""
        SELECT id, geometry FROM region WHERE geometry IS NOT NULL AND EXISTS (
            SELECT FROM unnest(CAST(:w AS float8[]), CAST(:s AS float8[]), CAST(:e AS float8[]), CAST(:n AS float8[]))
                   AS b (w, s, e, n)
            WHERE west <= b.e AND east >= b.w AND south <= b.n AND north >= b.s)
        ORDER BY id
    """)
    columns = dict(zip("wsen", (list(column) for column in zip(*boxes, strict=True)), strict=True))
    return _loaded(session, query, columns)


def _loaded(
    session: Session, query: TextClause, values: Mapping[str, object]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    rows = session.execute(query, values).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return ids, np.asarray(shapely.from_wkb([row[1] for row in rows]), dtype=np.object_)


def smallest_at(session: Session, lat: float, lon: float) -> int | None:
    """The id of the smallest region around a point; up to `SHORE` degrees off, of the nearest one; None at sea."""
    box = (lon - SHORE, lat - SHORE, lon + SHORE, lat + SHORE)
    ids, shapes = meeting_box(session, [box])
    return Finder(ids, shapes).smallest([lat], [lon])[0]


class Finder:
    """Finds the smallest of these regions around each of many points, without the database."""

    def __init__(self, ids: npt.NDArray[np.int64], shapes: npt.NDArray[np.object_]) -> None:
        # Smallest first: of the regions around a point the one with the lowest place in this order is the answer.
        # Ties (a province that is its country's only one) go to the younger row, which is the finer level.
        order = np.lexsort((-ids, shapely.area(shapes)))
        self._ids, self._shapes = ids[order], shapes[order]
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    def smallest(self, lats: Iterable[float], lons: Iterable[float]) -> list[int | None]:
        """For each point the id of the smallest region around it, or of the nearest within `SHORE`; None at sea."""
        lat, lon = np.asarray(list(lats), dtype=np.float64), np.asarray(list(lons), dtype=np.float64)
        points = np.atleast_1d(np.asarray(shapely.points(lon, lat), dtype=np.object_))
        nowhere = len(self._ids)
        if not nowhere or not len(points):
            return [None] * len(points)
        place = np.full(len(points), nowhere, dtype=np.int64)
        # By boxes first: the tree would prepare the points, and it is the regions that gain from it.
        point, region = self._tree.query(points)
        inside = shapely.intersects_xy(self._shapes[region], lon[point], lat[point])
        np.minimum.at(place, point[inside], region[inside])
        lost = np.flatnonzero(place == nowhere)
        place[lost] = self._ashore(points[lost], lon[lost], lat[lost])
        return [None if at == nowhere else int(self._ids[at]) for at in place]

    def _ashore(
        self, points: npt.NDArray[np.object_], lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """The place in the order of the nearest region within SHORE, the smaller of two; else one past the end."""
        place = np.full(len(points), len(self._ids), dtype=np.int64)
        point, region = self._tree.query(shapely.box(lon - SHORE, lat - SHORE, lon + SHORE, lat + SHORE))
        near = shapely.dwithin(
            self._shapes[region], points[point], SHORE
        )  # prepared; a distance would not be
        point, region = point[near], region[near]
        away = shapely.distance(self._shapes[region], points[point])
        for n in np.lexsort((region, away))[::-1]:  # the nearest is written last
            place[point[n]] = region[n]
        return place


class Locator(Finder):
    """A finder over all regions, loaded once."""

    def __init__(self, session: Session) -> None:
        query = text("SELECT id, geometry FROM region WHERE geometry IS NOT NULL ORDER BY id")
        super().__init__(*_loaded(session, query, {}))
