"""The use case: a region file becomes rows, whole or not at all.

Owns the transaction. Ids are stable by code, so that what follows a region still does after it was imported again.
Points that somebody follows move to the region that is now the smallest around them. Invariant: the numbering of the whole
tree is right at each commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely
from sqlalchemy.orm import Session

from alerting.gazetteer import tree
from alerting.gazetteer.errors import Problem, Refused
from alerting.gazetteer.features import read
from alerting.gazetteer.mapping import BUILTIN, Mapping, Place, places
from alerting.store import audit, region_rows, regions
from alerting.store.engine import transaction
from alerting.store.region_rows import Node, Row

BUILTIN_FILE = Path(__file__).with_name("world-admin1.topojson.gz")

_POINTS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: regions in the file (with the countries made for them), new, changed, removed ones."""

    regions: int
    created: int
    changed: int
    removed: int


def import_regions(
    data: bytes, *, mapping: Mapping, actor: str, now: datetime, source: str, replace_all: bool = False
) -> Imported:
    """Import a TopoJSON or GeoJSON file, gzipped or not; `source` is its name, for the audit.

    With `replace_all` regions that the file does not hold are removed; one that somebody follows is refused.
    Raises Unreadable, or Refused with every problem by pointer.
    """
    found = places(read(data), mapping)
    with transaction() as session:
        region_rows.lock(session)
        imported = _write(session, found, mapping, replace_all=replace_all)
        audit.append(
            session,
            actor=actor,
            act="regions.imported",
            subject=source,
            detail={
                "sha256": hashlib.sha256(data).hexdigest(),
                "regions": imported.regions,
                "created": imported.created,
                "changed": imported.changed,
                "removed": imported.removed,
            },
            now=now,
        )
    return imported


def import_builtin(*, actor: str, now: datetime, replace_all: bool = False) -> Imported:
    """Import the first-level divisions of the world that come with the service."""
    return import_regions(
        BUILTIN_FILE.read_bytes(),
        mapping=BUILTIN,
        actor=actor,
        now=now,
        source=BUILTIN_FILE.name,
        replace_all=replace_all,
    )


def ensure_builtin(*, actor: str, now: datetime) -> Imported | None:
    """Import the built-in file unless there are regions already, which an operator may have put in its place."""
    with transaction() as session:
        if regions.exist(session):
            return None
    return import_builtin(actor=actor, now=now)


def _write(session: Session, found: list[Place], mapping: Mapping, *, replace_all: bool) -> Imported:
    existing = region_rows.nodes(session)
    by_id = {node.id: node.code for node in existing.values()}
    above = {code: by_id.get(node.parent or 0) for code, node in existing.items()}
    if not replace_all:  # a file without parents leaves them as they are
        found = [place if place.parent else replace(place, parent=above.get(place.code)) for place in found]
    found += _countries(found, existing, mapping)
    removed = _removed(session, found, existing) if replace_all else set()
    parents = {code: parent for code, parent in above.items() if code not in removed}
    parents |= {place.code: place.parent for place in found}
    numbers = _number(parents, found, mapping)

    fresh = [place.code for place in found if place.code not in existing]
    ids = {code: node.id for code, node in existing.items()}
    ids |= dict(zip(fresh, region_rows.new_ids(session, len(fresh)), strict=True))
    # Removed first: a region of the file may have had one of them above it, and nothing may name it afterwards.
    region_rows.remove(session, [existing[code].id for code in removed])
    written = region_rows.put(session, _rows(found, ids, numbers))
    own = {place.code for place in found}
    region_rows.renumber(session, list(_moved(existing, own | removed, numbers)))
    region_rows.set_names(
        session,
        {(ids[p.code], key) for p in found for name in p.names.values() for key in regions.name_keys(name)},
    )
    region_rows.set_geocodes(
        session, {(ids[p.code], scheme, value) for p in found for scheme, value in p.geocodes}
    )
    if written.ground_changed or removed:
        _move_points(session)
    return Imported(len(found), written.created, written.changed, len(removed))


def _countries(found: Sequence[Place], existing: dict[str, Node], mapping: Mapping) -> list[Place]:
    """A place for each country that the file names as a parent and nobody knows; raises Refused for other parents."""
    known = existing.keys() | {place.code for place in found}
    made: dict[str, Place] = {}
    problems = []
    for place in found:
        code = place.parent
        if code is None or code in known or code in made:
            continue
        if not tree.is_country(code):
            at = f"{place.pointer}/properties/{mapping.parent}"
            problems.append(Problem(at, f"{code} is no region: import the regions above these first"))
            continue
        names = tree.country_names(code, place.stated_country)
        made[code] = Place(place.pointer, code, None, names, (("ISO3166-1", code),), None, None)
    if problems:
        raise Refused(problems)
    return list(made.values())


def _removed(session: Session, found: Sequence[Place], existing: dict[str, Node]) -> set[str]:
    """Codes that are to go; raises Refused when somebody follows one."""
    gone = existing.keys() - {place.code for place in found}
    followed = region_rows.followed(session, [existing[code].id for code in gone])
    if followed:
        raise Refused(
            [
                Problem("", f"does not hold {code}, which {n} subscriptions follow: it cannot be removed")
                for code, n in followed.items()
            ]
        )
    return gone


def _number(
    parents: dict[str, str | None], found: Sequence[Place], mapping: Mapping
) -> dict[str, tuple[int, int]]:
    try:
        return tree.number(parents)
    except tree.Circle as circle:
        pointers = {place.code: place.pointer for place in found}
        raise Refused(
            [
                Problem(
                    f"{pointers.get(code, '')}/properties/{mapping.parent}",
                    f"{code} lies below itself: its parents go in a circle",
                )
                for code in circle.codes
            ]
        ) from circle


def _rows(found: Sequence[Place], ids: dict[str, int], numbers: dict[str, tuple[int, int]]) -> list[Row]:
    shapes = np.array([place.geometry for place in found], dtype=np.object_)
    wkbs, bounds = shapely.to_wkb(shapes), shapely.bounds(shapes).tolist()
    return [
        Row(
            id=ids[place.code],
            code=place.code,
            parent=ids[place.parent] if place.parent else None,
            low=numbers[place.code][0],
            high=numbers[place.code][1],
            names=place.names,
            wkb=wkb,
            box=None if wkb is None else (box[0], box[1], box[2], box[3]),
            time_zone=place.time_zone,
        )
        for place, wkb, box in zip(found, wkbs, bounds, strict=True)
    ]


def _moved(
    existing: dict[str, Node], written: set[str], numbers: dict[str, tuple[int, int]]
) -> Iterable[Node]:
    """Regions that the file does not hold and whose place in the numbering is another now."""
    for code, node in existing.items():
        if code not in written and (node.low, node.high) != numbers[code]:
            yield replace(node, low=numbers[code][0], high=numbers[code][1])


def _move_points(session: Session) -> None:
    """Find the smallest region around each followed point anew: a finer level may have come, or another border."""
    last, locator = 0, None
    while chunk := region_rows.points(session, after=last, limit=_POINTS_AT_ONCE):
        locator = locator or regions.Locator(session)
        now_in = locator.smallest((point.lat for point in chunk), (point.lon for point in chunk))
        moved = [(p.follow, region) for p, region in zip(chunk, now_in, strict=True) if p.region != region]
        region_rows.move_points(session, moved)
        last = chunk[-1].follow
