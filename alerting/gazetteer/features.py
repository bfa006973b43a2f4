"""A region file as features: bytes in, properties and clean geometry out.

Reads TopoJSON and GeoJSON, gzipped or not, told apart by what they contain. Imports numpy and shapely, nothing of the
service but its errors. Invariant: a geometry that comes out is a valid polygon or multipolygon in WGS 84 degrees.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from alerting.gazetteer import topojson
from alerting.gazetteer.errors import Problem, Refused, Unreadable

#: Bytes that a file may have when unpacked: the districts of a continent have a tenth of it.
LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: where it stands in the file, what it says, and its ground (None: it has none of its own)."""

    pointer: str
    properties: dict[str, Any]
    geometry: BaseGeometry | None


def read(data: bytes) -> list[Feature]:
    """The features of a file; raises Unreadable, or Refused with every feature whose geometry cannot be used."""
    document = _document(data)
    kind = document.get("type")
    if kind == "Topology":
        return _from_topojson(document)
    if kind == "FeatureCollection":
        return _from_geojson(document)
    raise Unreadable(f'expected the "type" Topology (TopoJSON) or FeatureCollection (GeoJSON), not {kind!r}')


def _document(data: bytes) -> dict[str, Any]:
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"the gzip data is damaged: {error}") from error
    if len(data) > LARGEST:
        raise Unreadable(f"the file has more than {LARGEST // 1024**2} MB: split it")
    try:
        document = json.loads(data)
    except ValueError as error:  # UnicodeDecodeError is one as well
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Unreadable("expected a JSON object (TopoJSON or GeoJSON)")
    return document


def _from_topojson(document: dict[str, Any]) -> list[Feature]:
    try:
        found = list(topojson.geometries(document))
        shapes = topojson.shapes(document, [each for _, each in found])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"the TopoJSON is broken: {type(error).__name__}: {error}") from error
    pointers = [pointer for pointer, _ in found]
    kinds = [each.get("type") for _, each in found]
    return _features(pointers, kinds, [each.get("properties") for _, each in found], shapes)


def _from_geojson(document: dict[str, Any]) -> list[Feature]:
    found = document.get("features")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable('expected "features" to be an array of objects')
    geometries = [each.get("geometry") for each in found]
    kinds = [each.get("type") if isinstance(each, dict) else None for each in geometries]
    written = [
        None if kind is None else json.dumps(each) for kind, each in zip(kinds, geometries, strict=True)
    ]
    shapes = np.asarray(shapely.from_geojson(written, on_invalid="ignore"), dtype=np.object_).reshape(
        len(found)
    )
    pointers = [f"/features/{n}" for n in range(len(found))]
    return _features(pointers, kinds, [each.get("properties") for each in found], shapes)


def _features(
    pointers: Sequence[str],
    kinds: Sequence[object],
    properties: Sequence[object],
    shapes: npt.NDArray[np.object_],
) -> list[Feature]:
    valid = _polygons(shapes)
    bounds = shapely.bounds(shapes)
    problems = []
    for n, pointer in enumerate(pointers):
        west, south, east, north = bounds[n]
        if not isinstance(properties[n], dict):
            problems.append(Problem(f"{pointer}/properties", "must be an object with the codes and names"))
        if kinds[n] is None:
            continue
        where = f"{pointer}/geometry" if pointer.startswith("/features") else pointer
        if kinds[n] not in {"Polygon", "MultiPolygon"}:
            problems.append(Problem(where, f"is a {kinds[n]}: a region must be a Polygon or a MultiPolygon"))
        elif valid[n] is None:
            problems.append(Problem(where, "has no area, or coordinates that cannot be read"))
        elif not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            problems.append(
                Problem(
                    where, "lies outside of WGS 84 degrees (longitude, latitude): transform it; split at 180"
                )
            )
    if problems:
        raise Refused(problems)
    return [
        Feature(pointer, stated, shape)
        for pointer, stated, shape in zip(pointers, properties, valid, strict=True)
        if isinstance(stated, dict)
    ]


def _polygons(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The same shapes made valid; None for those without an area."""
    result = shapes.copy()
    broken = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
    for n in broken:
        finite = bool(np.isfinite(shapely.get_coordinates(shapes[n])).all())
        result[n] = (
            shapely.make_valid(shapes[n], method="structure", keep_collapsed=False) if finite else None
        )
    areal = np.isin(shapely.get_type_id(result), (3, 6))  # Polygon, MultiPolygon
    result[~areal | (shapely.area(result) <= 0)] = None
    return result
