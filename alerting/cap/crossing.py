"""Where polygons meet: how often their edges may cross, and which of them overlap.

Imports numpy and shapely. Two combs of a few thousand teeth have millions of crossings in a few kilobytes, and cutting or
uniting them would take minutes and gigabytes, so crossings are counted before any work that grows with them. Invariant:
counting costs no more than reading the points did, and comparing has a bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

CROSSINGS: Final = 100_000
"""Boxes of edges that may touch beyond those of neighbours, however many edges there are."""

UNCROWDED: Final = 600
"""So few points that asking for their validity, or for what they share, costs nothing to speak of."""

_PER_EDGE: Final = 4  # boxes more for each edge: many small shapes must not cost more than one large shape
_FEW: Final = 8  # points that cannot cross often enough to cost anything
_SLACK: Final = 20  # crossings, or boxes, that are too few to count
_CROSSED: Final = 0.5  # crossings for each edge that a ring is still mended with

_NEIGHBOURS: Final = 6  # boxes of edges that each edge touches on an honest outline
_CHUNK: Final = 32  # boxes asked for at once: each of them may meet every other
_WORK: Final = 2_000_000  # points of polygons compared: a hundred times what any real warning needs
_FEW_POLYGONS: Final = 8  # compared pair by pair, before a tree is worth building
_DEGREE: Final = 111_200.0  # metres of latitude

Boxes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def tangled(shapes: Sequence[BaseGeometry], *, plainly: int = 1) -> bool:
    """Whether the edges of these polygons, taken together, might cross more often than their number or CROSSINGS allow.

    With `plainly` above 1 only those are looked at closely that seem to cross so many times more often: a hundredth of
    the time that asking for their validity takes.
    """
    made: NDArray[Any] = np.asarray(shapes, dtype=object)
    if int(shapely.get_num_coordinates(made).sum()) <= _FEW:
        return False
    west, south, east, north = boxes = _boxes(made)
    limit = min(CROSSINGS, _SLACK + _PER_EDGE * len(west)) + _NEIGHBOURS * len(west)
    if min(_overlaps(west, east), _overlaps(south, north)) <= plainly * limit:
        return False
    return _touching(boxes, limit) > limit


def scribbled(shape: BaseGeometry) -> bool:
    """Whether a ring crosses itself so often that it outlines nothing, and mending it would cost seconds.

    Crossings are counted themselves: the boxes of an honest outline touch more often than a ring may cross.
    """
    if shapely.get_num_coordinates(shape) <= _FEW:
        return False
    if tangled([shape]):
        return True
    made: NDArray[Any] = np.asarray([shape], dtype=object)
    points, ring = shapely.get_coordinates(shapely.get_rings(made), return_index=True)
    first = np.flatnonzero(ring[1:] == ring[:-1])
    one, other = shapely.STRtree(shapely.box(*_boxes(made))).query(shapely.box(*_boxes(made)))
    one, other = one[one < other], other[one < other]
    a, b, c, d = points[first[one]], points[first[one] + 1], points[first[other]], points[first[other] + 1]
    apart = (_side(a, b, c) * _side(a, b, d) > 0) | (_side(c, d, a) * _side(c, d, b) > 0)
    meeting = len(one) - int(apart.sum()) - len(first)  # every edge meets the next
    return meeting > _SLACK + _CROSSED * len(first)


def _side(
    start: NDArray[np.float64], end: NDArray[np.float64], point: NDArray[np.float64]
) -> NDArray[np.float64]:
    along, to = end - start, point - start
    side: NDArray[np.float64] = np.sign(along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0])
    return side


def _boxes(shapes: NDArray[Any]) -> Boxes:
    points, ring = shapely.get_coordinates(shapely.get_rings(shapes), return_index=True)
    edge = ring[1:] == ring[:-1]
    one, other = points[:-1][edge], points[1:][edge]
    low, high = np.minimum(one, other), np.maximum(one, other)
    return low[:, 0], low[:, 1], high[:, 0], high[:, 1]


def _overlaps(low: NDArray[np.float64], high: NDArray[np.float64]) -> int:
    """Pairs of intervals that share a point: of those that begin before the end of each, less those that ended."""
    n = len(low)
    begun = np.searchsorted(np.sort(low), high, side="right")
    return int(begun.sum()) - n * (n + 1) // 2


def _touching(boxes: Boxes, limit: int) -> int:
    """Pairs of boxes that touch, counted until there are more than `limit`."""
    made = shapely.box(*boxes)
    tree = shapely.STRtree(made)
    found = 0
    for start in range(0, len(made), _CHUNK):
        found += tree.query(made[start : start + _CHUNK]).shape[1]
        if found > 2 * limit + len(made):
            break
    return (found - len(made)) // 2 + 1


def overlapping(shapes: Sequence[BaseGeometry], most: float) -> Iterator[int]:
    """Which of these valid polygons share more than `most` square metres with an earlier one; they must not be tangled.

    Beyond what _WORK allows nothing is compared any more: only a document made for it has that many that lie close.
    """
    tree = shapely.STRtree(shapes) if len(shapes) > _FEW_POLYGONS else None
    work: float = _WORK
    for later, shape in enumerate(shapes):
        near = range(later) if tree is None else sorted(n for n in tree.query(shape).tolist() if n < later)
        if tree is not None:
            work -= 4 * len(near)
        for earlier in near:
            if tree is not None:
                work -= shapely.get_num_coordinates(shape) + shapely.get_num_coordinates(shapes[earlier])
                if work < 0:
                    return
            if _shared(shape, shapes[earlier]) > most:
                yield later
                break


def _shared(one: BaseGeometry, other: BaseGeometry) -> float:
    """The ground that two polygons share, in square metres."""
    if not one.intersects(other):
        return 0.0
    shared = one.intersection(other)
    if shared.area == 0:
        return 0.0
    _, south, _, north = one.bounds
    area: float = shared.area * _DEGREE * _DEGREE * math.cos(math.radians((south + north) / 2))
    return area
