"""Polygons with fewer points that never lose ground: for maps and pages, where 41 009 points are too many.

Imports numpy and shapely. Only corners that point inwards are left out, the smallest first, and holes closed, so that
every edge runs between two of the given points; a convex outline is then drawn wider. Invariant: the result covers the
given geometry exactly, for GEOS as for exact arithmetic; it never joins what was apart.
"""

from __future__ import annotations

from fractions import Fraction
from heapq import heapify, heappop, heappush
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from alerting.cap.outline import widened

Point = tuple[float, float]

_ROUNDING: Final = 3.4e-16  # of a determinant of doubles, in units of its terms (Shewchuk 1997)


def simplify(geometry: BaseGeometry, *, points: int) -> BaseGeometry:
    """Polygons of at most `points` points where that is possible without joining parts: each keeps three corners.

    Takes and gives valid polygons in longitude, latitude, outlines counterclockwise; what stands between has the same
    number of parts and as many holes or fewer. Points count as shapely counts them, the first of a ring twice.
    """
    if shapely.get_num_coordinates(geometry) <= points:
        return geometry
    rings = _Rings(geometry)
    rings.shrink_to(points)
    exact = rings.geometry()
    excess = int(shapely.get_num_coordinates(exact)) - points
    wide = widened(exact, excess) if excess > 0 else exact
    if wide is not exact and wide.is_valid and wide.covers(geometry):
        return wide
    return exact if exact.is_valid and exact.covers(geometry) else geometry


class _Rings:
    """All rings as linked points: `after` and `before` are the neighbours that are left of each."""

    def __init__(self, geometry: BaseGeometry) -> None:
        self.at: list[Point] = []
        self.after: list[int] = []
        self.before: list[int] = []
        self.ring: list[int] = []  # which ring a point belongs to
        self.left: list[int] = []  # points left of each ring
        self.parts: list[list[int]] = []  # rings of each part, the outline first
        self.alive: list[bool] = []
        for part in shapely.get_parts(shapely.orient_polygons(geometry)):
            self.parts.append([self._add(ring) for ring in (part.exterior, *part.interiors)])
        self.holes = {ring for part in self.parts for ring in part[1:]}
        self.grid = _Grid(self.at)

    def _add(self, ring: BaseGeometry) -> int:
        points = [tuple(point) for point in shapely.get_coordinates(ring).tolist()[:-1]]
        first, n, name = len(self.at), len(points), len(self.left)
        self.at += points
        self.after += [first + (k + 1) % n for k in range(n)]
        self.before += [first + (k - 1) % n for k in range(n)]
        self.ring += [name] * n
        self.alive += [True] * n
        self.left.append(n)
        return name

    def shrink_to(self, points: int) -> None:
        """Leave out inward corners, the smallest triangle first, until so few are left or no corner may go."""
        total = len(self.at) + len(self.left)
        heap = [entry for k in range(len(self.at)) if (entry := self._entry(k))]
        heapify(heap)
        waiting: dict[int, list[int]] = {}  # who stands in the way of whom
        while heap and total > points:
            _, k, a, c = heappop(heap)
            if not self.alive[k] or (self.before[k], self.after[k]) != (a, c):
                continue
            if (other := self._in_the_way(k, a, c)) is not None:
                waiting.setdefault(other, []).append(k)
                continue
            gone = self._remove(k)
            total -= len(gone) + (len(gone) == 3)
            for near in (a, c, *(free for n in gone for free in waiting.pop(n, ()))):
                if self.alive[near] and (entry := self._entry(near)):
                    heappush(heap, entry)

    def _entry(self, k: int) -> tuple[float, int, int, int] | None:
        a, c = self.before[k], self.after[k]
        turned = turn(self.at[a], self.at[k], self.at[c])
        if turned > 0 or (self.left[self.ring[k]] == 3 and self.ring[k] not in self.holes):
            return None
        return -turned, k, a, c

    def _in_the_way(self, k: int, a: int, c: int) -> int | None:
        """Another point that lies in the triangle that would be filled, or on its edge."""
        corners = self.at[a], self.at[k], self.at[c]
        for n in self.grid.near(corners):
            if self.alive[n] and n not in {a, k, c} and _within(self.at[n], corners):
                return n
        return None

    def _remove(self, k: int) -> tuple[int, ...]:
        """Leave out the point, or close the hole of which it is one of the last three; the points that went."""
        ring = self.ring[k]
        a, c = self.before[k], self.after[k]
        gone = (a, k, c) if self.left[ring] == 3 else (k,)
        for n in gone:
            self.alive[n] = False
        self.left[ring] -= len(gone)
        self.after[a], self.before[c] = c, a
        return gone

    def geometry(self) -> BaseGeometry:
        starts: dict[int, int] = {}
        for n, ring in enumerate(self.ring):
            if self.alive[n]:
                starts.setdefault(ring, n)
        parts = [
            Polygon(
                self._points(starts[part[0]]),
                [self._points(starts[ring]) for ring in part[1:] if ring in starts],
            )
            for part in self.parts
        ]
        return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)

    def _points(self, start: int) -> list[Point]:
        points = [self.at[start]]
        n = self.after[start]
        while n != start:
            points.append(self.at[n])
            n = self.after[n]
        return points


class _Grid:
    """Points by the cell that they lie in, a few in each."""

    def __init__(self, points: list[Point]) -> None:
        side = max(1, int(len(points) ** 0.5))
        self.west, self.south = min(x for x, _ in points), min(y for _, y in points)
        self.wide = (max(x for x, _ in points) - self.west) / side or 1.0
        self.high = (max(y for _, y in points) - self.south) / side or 1.0
        self.cells: dict[tuple[int, int], list[int]] = {}
        for n, point in enumerate(points):
            self.cells.setdefault(self._cell(point), []).append(n)

    def _cell(self, point: Point) -> tuple[int, int]:
        return int((point[0] - self.west) / self.wide), int((point[1] - self.south) / self.high)

    def near(self, corners: tuple[Point, Point, Point]) -> list[int]:
        """The points of all cells that the box of the corners touches."""
        columns, rows = zip(*map(self._cell, corners), strict=True)
        span = (max(columns) - min(columns) + 1) * (max(rows) - min(rows) + 1)
        if span > len(self.cells):
            return [
                n
                for (column, row), some in self.cells.items()
                if min(columns) <= column <= max(columns) and min(rows) <= row <= max(rows)
                for n in some
            ]
        return [
            n
            for column in range(min(columns), max(columns) + 1)
            for row in range(min(rows), max(rows) + 1)
            for n in self.cells.get((column, row), ())
        ]


def turn(a: Point, b: Point, c: Point) -> float:
    """Twice the area of the triangle: above 0 for a turn to the left, and its sign is exact."""
    one = (b[0] - a[0]) * (c[1] - a[1])
    other = (b[1] - a[1]) * (c[0] - a[0])
    if abs(one - other) > _ROUNDING * (abs(one) + abs(other)):
        return one - other
    (ax, ay), (bx, by), (cx, cy) = (map(Fraction, point) for point in (a, b, c))
    exact = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return float(exact) or (0.0 if exact == 0 else 5e-324 if exact > 0 else -5e-324)


def _within(point: Point, corners: tuple[Point, Point, Point]) -> bool:
    """Whether the point lies in the triangle or on its edge; its corners turn to the right, or lie on a line."""
    a, b, c = corners
    x, y = point
    if not (min(a[0], b[0], c[0]) <= x <= max(a[0], b[0], c[0])):
        return False
    if not (min(a[1], b[1], c[1]) <= y <= max(a[1], b[1], c[1])):
        return False
    return turn(a, b, point) <= 0 and turn(b, c, point) <= 0 and turn(c, a, point) <= 0
