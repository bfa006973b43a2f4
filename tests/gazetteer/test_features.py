"""Region files are read whole or refused with everything that is wrong."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from alerting.gazetteer import Refused, Unreadable
from alerting.gazetteer.features import read


def geojson(geometry: object, properties: object = None) -> bytes:
    feature = {"type": "Feature", "properties": properties or {"code": "A"}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def topology(geometry: dict[str, Any], arcs: list[Any], **more: object) -> bytes:
    document = {"type": "Topology", "objects": {"regions": geometry}, "arcs": arcs, **more}
    return json.dumps(document).encode()


def test_arcs_are_joined_forwards_and_backwards() -> None:
    # Two squares that share the edge from (1, 0) to (1, 1): arc 1 forwards in the one, backwards in the other.
    arcs = [[[1, 1], [0, 1], [0, 0], [1, 0]], [[1, 0], [1, 1]], [[1, 0], [2, 0], [2, 1], [1, 1]]]
    both = {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Polygon", "arcs": [[0, 1]], "properties": {"code": "A"}},
            {"type": "MultiPolygon", "arcs": [[[2, ~1]]], "properties": {"code": "B"}},
        ],
    }
    west, east = read(topology(both, arcs))
    assert west.geometry is not None
    assert east.geometry is not None
    assert west.geometry.bounds == (0, 0, 1, 1)
    assert east.geometry.bounds == (1, 0, 2, 1)
    assert east.pointer == "/objects/regions/geometries/1"


def test_quantised_arcs_are_sums_of_differences_scaled_and_moved() -> None:
    # (0,0) (2,0) (2,2) (0,2) (0,0) in steps of half a degree from (10, 20)
    arcs = [[[0, 0], [2, 0], [0, 2], [-2, 0], [0, -2]]]
    square = {"type": "Polygon", "arcs": [[0]], "properties": {"code": "A"}}
    (found,) = read(topology(square, arcs, transform={"scale": [0.5, 0.5], "translate": [10, 20]}))
    assert found.geometry is not None
    assert found.geometry.bounds == (10, 20, 11, 21)


def test_a_hole_is_no_ground() -> None:
    outer = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    inner = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]
    square = {"type": "Polygon", "arcs": [[0], [1]], "properties": {"code": "A"}}
    (found,) = read(topology(square, [outer, inner]))
    assert found.geometry is not None
    assert found.geometry.area == 15


def test_a_region_without_geometry_is_a_region() -> None:
    (found,) = read(geojson(None))
    assert found.geometry is None


def test_a_ring_that_crosses_itself_is_mended() -> None:
    bow_tie = [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]
    (found,) = read(geojson({"type": "Polygon", "coordinates": [bow_tie]}))
    assert found.geometry is not None
    assert found.geometry.is_valid
    assert found.geometry.area == pytest.approx(2)


def test_gzip_is_told_by_its_bytes() -> None:
    (found,) = read(
        gzip.compress(geojson({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}))
    )
    assert found.properties == {"code": "A"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"code,name\nA,B\n",
        b"[1, 2]",
        b'{"type": "Feature"}',
        b'{"type": "FeatureCollection", "features": 3}',
        gzip.compress(b"{}", mtime=0)[:-9],
        b"\xff\xfe\x00",
        b'{"type": "Topology", "objects": {"a": {"type": "Polygon", "arcs": [[7]]}}, "arcs": []}',
        b'{"type": "Topology"}',
    ],
)
def test_what_is_no_region_file_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]},  # no area
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0]]]},
        {"type": "Polygon", "coordinates": "everywhere"},
        {
            "type": "Polygon",
            "coordinates": [[[500000, 4e6], [500100, 4e6], [500100, 4.1e6], [500000, 4e6]]],
        },  # metres
        {"type": "Polygon", "coordinates": [[[170, 0], [190, 0], [190, 9], [170, 0]]]},  # beyond 180
    ],
)
def test_an_unusable_geometry_is_refused_by_pointer(geometry: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read(geojson(geometry))
    assert [problem.pointer for problem in refused.value.problems] == ["/features/0/geometry"]


def test_every_unusable_feature_is_named_at_once() -> None:
    point = {"type": "Point", "coordinates": [1, 2]}
    features = [
        {"type": "Feature", "properties": {}, "geometry": point},
        {"type": "Feature", "geometry": point},
    ]
    with pytest.raises(Refused) as refused:
        read(json.dumps({"type": "FeatureCollection", "features": features}).encode())
    assert [problem.pointer for problem in refused.value.problems] == [
        "/features/0/geometry",
        "/features/1/properties",
        "/features/1/geometry",
    ]
