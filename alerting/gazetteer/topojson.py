"""TopoJSON decoded: arcs, quantised or not, into polygons, all geometries of a topology in one go.

Follows the TopoJSON 1.0 specification. Imports numpy and shapely only. Invariant: the geometry of a feature without an
area of its own (null, or collapsed by quantisation) is None, never an invalid shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Points = npt.NDArray[np.float64]


def geometries(topology: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The geometry objects of a topology with their JSON pointers, collections opened, in document order."""
    waiting = [(f"/objects/{name}", found) for name, found in topology["objects"].items()]
    while waiting:
        pointer, found = waiting.pop(0)
        if found.get("type") == "GeometryCollection":
            inner = found.get("geometries", [])
            waiting[:0] = [(f"{pointer}/geometries/{n}", each) for n, each in enumerate(inner)]
        else:
            yield pointer, found


def shapes(topology: dict[str, Any], found: Sequence[dict[str, Any]]) -> npt.NDArray[np.object_]:
    """A polygon or multipolygon for each geometry object; None where it has no area.

    Raises KeyError, IndexError, TypeError or ValueError when the topology is broken.
    """
    arcs = _arcs(topology)
    rings: list[Points] = []
    polygon_of_ring: list[int] = []
    owner_of_polygon: list[int] = []
    for owner, each in enumerate(found):
        for polygon in _polygons(each):
            outline = [_ring(arcs, indices) for indices in polygon]
            if not outline or len(outline[0]) < 4:
                continue
            kept = [ring for ring in outline if len(ring) >= 4]
            polygon_of_ring += [len(owner_of_polygon)] * len(kept)
            owner_of_polygon.append(owner)
            rings += kept
    result = np.full(len(found), None, dtype=np.object_)
    if rings:
        ring_of_point = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        lines = np.asarray(shapely.linearrings(np.concatenate(rings), indices=ring_of_point))
        polygons = np.asarray(shapely.polygons(lines, indices=np.array(polygon_of_ring)))
        present, owners = np.unique(owner_of_polygon, return_inverse=True)
        result[present] = np.asarray(shapely.multipolygons(polygons, indices=owners))
    return result


def _arcs(topology: dict[str, Any]) -> list[Points]:
    """The arcs as arrays of longitude and latitude; quantised ones hold differences of integers."""
    transform = topology.get("transform")
    decoded = []
    for arc in topology["arcs"]:
        points = np.array(arc, dtype=np.float64)[:, :2]
        if transform is not None:
            points = points.cumsum(axis=0) * transform["scale"] + transform["translate"]
        decoded.append(points)
    return decoded


def _polygons(found: dict[str, Any]) -> list[list[list[int]]]:
    if found.get("type") == "Polygon":
        return [found["arcs"]]
    if found.get("type") == "MultiPolygon":
        return list(found["arcs"])
    return []


def _ring(arcs: list[Points], indices: Sequence[int]) -> Points:
    """Arcs joined end to end; ~n is arc n backwards, and the first point of each is the last of the one before."""
    parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in indices]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])]) if parts else np.empty((0, 2))
