"""Convex outlines drawn wider with fewer corners.

Imports shapely. The edge between two corners goes, and its neighbours are drawn on until they meet outside. The meeting
point is rounded, so it is put a hair farther out; whoever calls checks that nothing was lost. Invariant: what is not
convex is given back as it was.
"""

from __future__ import annotations

import math
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]

_HAIR: Final = 1e-9  # of the edge that goes
_LEAST: Final = 1e-11  # degrees: a thousandth of a millimetre
_FAR: Final = 4.0  # lengths of the edge that goes, beyond which a spike would grow


def widened(geometry: BaseGeometry, excess: int) -> BaseGeometry:
    """The geometry with up to `excess` points fewer, taken from parts that are convex and without holes."""
    parts = list(shapely.get_parts(geometry))
    for n in sorted(range(len(parts)), key=lambda n: -shapely.get_num_coordinates(parts[n])):
        if excess <= 0:
            break
        ring = shapely.get_coordinates(parts[n]).tolist()[:-1]
        if len(parts[n].interiors) or len(ring) < 5:
            continue
        corners = [(x, y) for x, y in ring]
        fewer = _collapsed(corners, max(3, len(corners) - excess))
        others = [part for k, part in enumerate(parts) if k != n]
        made = Polygon(fewer)
        if (
            len(fewer) < len(corners)
            and made.is_valid
            and not any(made.intersects(other) for other in others)
        ):
            parts[n] = made
            excess -= len(corners) - len(fewer)
    made_of: BaseGeometry = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    return made_of


def _collapsed(corners: list[Point], wanted: int) -> list[Point]:
    """Round after round the cheapest edges go, none beside another of the same round."""
    while len(corners) > wanted:
        n = len(corners)
        found = [(*met, k) for k in range(n) if (met := _meeting(corners, k))]
        gone: dict[int, Point] = {}
        used: set[int] = set()
        quarter = max(1, n // 4)
        for _, point, k in sorted(found)[:quarter]:
            edge = {(k - 1) % n, k, (k + 1) % n, (k + 2) % n}
            if used.isdisjoint(edge) and n - len(gone) > wanted:
                gone[k] = point
                used |= edge
        if not gone:
            return corners
        ends = {(k + 1) % n for k in gone}
        corners = [gone.get(k, corners[k]) for k in range(n) if k not in ends]
    return corners


def _meeting(corners: list[Point], k: int) -> tuple[float, Point] | None:
    """The ground that is added when the edge from corner k goes, and where its neighbours meet."""
    n = len(corners)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = (corners[(k + step) % n] for step in (-1, 0, 1, 2))
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    edge_x, edge_y = cx - bx, cy - by
    length = math.hypot(edge_x, edge_y)
    across = ux * vy - uy * vx
    if ux * edge_y - uy * edge_x <= 0 or edge_x * vy - edge_y * vx <= 0 or across <= 0:
        return None  # one of the corners points inwards, or the neighbours never meet
    along = (edge_x * vy - edge_y * vx) / across
    out = max(_HAIR * length, _LEAST)
    x = bx + along * ux + out * edge_y / length
    y = by + along * uy - out * edge_x / length
    height = ((x - bx) * edge_y - (y - by) * edge_x) / length
    if not (0 < height <= _FAR * length and -180 <= x <= 180 and -90 <= y <= 90):
        return None
    return height * length / 2, (x, y)
