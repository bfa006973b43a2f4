"""From a segment's area to the ground that it stands on: which regions share it, which lie wholly inside, and its shape.

Architecture section 3: in an area block with polygon or circle the geometry decides and its geocodes describe; in a block
without, the geocodes decide; blocks are united. Reads regions, writes nothing. Invariant: an area is never widened; what
cannot be resolved is an error, and a segment without ground has no Ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from alerting.cap import area as cap_area
from alerting.cap.findings import ERROR, WARNING, Finding, Place
from alerting.cap.model import Area
from alerting.store import regions

#: A region shares ground with a geometry when the part that they share is more than a sliver along a border: at least
#: this part of the smaller of the two ...
SLIVER_SHARE = 0.01
#: ... or somewhere wider than twice this many degrees (about 2.2 km: the tolerance of the built-in borders).
SLIVER_WIDTH = 0.01

#: With more parts than this one box around all of them is looked up.
_BOXES = 64


@dataclass(frozen=True, slots=True)
class Ground:
    """What a segment stands on.

    `regions` are the ids of all that share ground with it, and of all above those: their followers are reached.
    `covered` are those wholly inside: points in them need no geometry. `geometry` is WKB (longitude, latitude) of the
    drawn part, None when codes alone decide; points elsewhere are inside when it holds them.
    """

    regions: tuple[int, ...]
    covered: tuple[int, ...]
    geometry: bytes | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The ground of a segment, None when it has none, and what was found on the way."""

    ground: Ground | None
    findings: tuple[Finding, ...]


def resolve(session: Session, areas: Sequence[Area], info: int) -> Resolved:
    """Resolve the area blocks of a segment; `info` is the index of the info that they stand in, for pointers.

    An unresolved geocode is an error, or a warning where its block has a geometry that decides. No ground is an error.
    """
    drawn = [cap_area.ground(each) for each in areas]
    pairs = {(code.value_name, code.value) for area in areas for code in area.geocode}
    known = regions.by_geocodes(session, pairs) if pairs else {}
    findings: list[Finding] = []
    coded: set[int] = set()
    for k, (area, shape) in enumerate(zip(areas, drawn, strict=True)):
        for j, code in enumerate(area.geocode):
            ids = known.get((code.value_name, code.value))
            if ids is None:
                place: Place = ("info", info, "area", k, "geocode", j)
                findings.append(_unresolved(place, code.value_name, code.value, described=shape is not None))
            elif shape is None and not area.polygon:
                # With a polygon that cannot be read the codes only described it: they must not widen it.
                coded.update(ids)
    shapes = [shape for shape in drawn if shape is not None]
    ground = _united(session, coded, shapely.union_all(shapes) if shapes else None)
    if ground is None and not any(finding.severity == ERROR for finding in findings):
        findings.append(
            Finding(
                "GROUND",
                ERROR,
                ("info", info, "area"),
                "the area covers no ground: draw a polygon or a circle with a radius, or give a geocode. "
                "Nothing is sent without an area, and an area is never widened",
            )
        )
    return Resolved(ground, tuple(findings))


def _unresolved(place: Place, scheme: str, value: str, *, described: bool) -> Finding:
    message = f"no region has the code {value} in the scheme {scheme}: correct it, or import the regions of that scheme"
    if described:
        message += " (the geometry of the block decides, so that nobody is missed)"
    return Finding("GEOCODE", WARNING if described else ERROR, place, message)


def _united(session: Session, coded: set[int], shape: BaseGeometry | None) -> Ground | None:
    if not coded and shape is None:
        return None
    inside = regions.descendants(session, coded) if coded else set()
    covered = set(inside)
    sharing = set(coded)
    if shape is not None:
        touched, contained, deep = _meeting(session, shape)
        sharing |= touched
        inside |= contained | regions.without_ground(session, contained)
        covered |= deep | regions.without_ground(session, deep)
    everything = sharing | inside
    everything |= regions.ancestors(session, everything) if everything else set()
    wkb = None if shape is None else shapely.to_wkb(shape)
    return Ground(tuple(sorted(everything)), tuple(sorted(covered)), wkb)


def _meeting(session: Session, shape: BaseGeometry) -> tuple[set[int], set[int], set[int]]:
    """Ids of the regions that share ground with a shape, of those it contains, of those deep enough inside it.

    A point off the shore belongs to the nearest region, up to `regions.SHORE` degrees away (store.regions): only a
    region with more ground than that around it can answer for its points.
    """
    ids, shapes = regions.meeting_box(session, _boxes(shape))
    if not len(ids):
        return set(), set(), set()
    shapely.prepare(shape)
    meets = shapely.intersects(shape, shapes)
    ids, shapes = ids[meets], shapes[meets]
    contains = np.asarray(shapely.covers(shape, shapes), dtype=np.bool_)
    shares = contains.copy()
    shares[~contains] = _more_than_slivers(shape, shapes[~contains])
    border = shapely.boundary(shape)
    shapely.prepare(border)
    deep = contains.copy()
    deep[contains] = ~shapely.dwithin(border, shapes[contains], regions.SHORE)
    return set(ids[shares].tolist()), set(ids[contains].tolist()), set(ids[deep].tolist())


def _more_than_slivers(shape: BaseGeometry, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Which regions have more than a sliver in common with the shape; planar degrees on both sides of the comparison."""
    shared = np.asarray(shapely.intersection(shape, shapes), dtype=np.object_)
    areas = shapely.area(shared)
    enough = np.asarray(areas >= SLIVER_SHARE * np.minimum(shapely.area(shapes), shape.area), dtype=np.bool_)
    enough &= areas > 0
    narrow = np.flatnonzero(~enough & (areas > 0))
    eroded = shapely.buffer(shared[narrow], -SLIVER_WIDTH, quad_segs=2)
    enough[narrow] = ~shapely.is_empty(eroded)
    return enough


def _boxes(shape: BaseGeometry) -> list[tuple[float, float, float, float]]:
    parts = shapely.get_parts(shape)
    bounds = shapely.bounds(parts if len(parts) <= _BOXES else np.array([shape])).tolist()
    return [(west, south, east, north) for west, south, east, north in bounds]
