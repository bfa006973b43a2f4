"""Warnings as GeoJSON: a feature for each area, wound and cut as RFC 7946 asks, nothing lost."""

from __future__ import annotations

import json
from typing import Any

import shapely
from hypothesis import given
from shapely.geometry import shape

from alerting.cap.geojson import collection, to_geojson
from alerting.cap.jsonform import to_json
from alerting.cap.xml import read
from tests.cap import made


def _of(*areas: Any) -> dict[str, Any]:
    return to_geojson(made.alert(made.info(area=areas)))


def _only(**changes: Any) -> dict[str, Any]:
    (feature,) = _of(made.area(polygon=(), **changes))["features"]
    assert isinstance(feature, dict)
    return feature


def test_each_area_of_each_info_is_a_feature_in_order() -> None:
    two = made.info(area=(made.area(), made.area(area_desc="Delta")))
    features = to_geojson(made.alert(two, made.info(language="fr")))["features"]
    assert [feature["id"].partition("+08:00")[2] for feature in features] == [
        "/info/0/area/0",
        "/info/0/area/1",
        "/info/1/area/0",
    ]
    assert features[0]["id"].startswith("river.example,river-2026-1,2026-03-01T09:00:00+08:00/")
    assert [feature["properties"]["areaDesc"] for feature in features] == [
        "River plain",
        "Delta",
        "River plain",
    ]


def test_fewer_points_never_leave_anybody_out() -> None:
    coast: Any = shapely.Point(20, 10).buffer(1, 64)
    ring = " ".join(f"{lat:.4f},{lon:.4f}" for lon, lat in coast.exterior.coords)
    alert = made.alert(made.info(area=(made.area(polygon=(ring,)),)))
    whole: Any = shape(to_geojson(alert)["features"][0]["geometry"])
    drawn: Any = shape(to_geojson(alert, points=20)["features"][0]["geometry"])
    assert len(whole.exterior.coords) > 200
    assert len(drawn.exterior.coords) <= 20
    assert drawn.covers(whole)


def test_properties_are_caps_elements_without_the_polygons() -> None:
    alert = made.alert()
    plain = to_json(alert)
    (info,) = plain.pop("info")
    (area,) = info.pop("area")
    del area["polygon"]
    assert to_geojson(alert)["features"][0]["properties"] == plain | info | area


def test_outer_rings_run_anticlockwise_and_holes_clockwise() -> None:
    for ring in (made.SQUARE, " ".join(reversed(made.SQUARE.split()))):
        (feature,) = _of(made.area(polygon=(ring,)))["features"]
        assert feature["geometry"]["type"] == "Polygon"
        drawn: Any = shape(feature["geometry"])
        assert shapely.is_ccw(drawn.exterior)
    frame = ("0,0 0,9 1,9 1,0 0,0", "8,0 8,9 9,9 9,0 8,0", "0,0 9,0 9,1 0,1 0,0", "0,8 9,8 9,9 0,9 0,8")
    (feature,) = _of(made.area(polygon=frame))["features"]
    framed: Any = shape(feature["geometry"])
    assert shapely.is_ccw(framed.exterior)
    assert [shapely.is_ccw(hole) for hole in framed.interiors] == [False]


def test_latitude_and_longitude_change_places() -> None:
    (feature,) = _of(made.area())["features"]
    assert feature["bbox"] == [20.0, 10.0, 21.0, 11.0]
    assert [20.0, 10.0] in feature["geometry"]["coordinates"][0]


def test_ground_over_the_antimeridian_is_cut_and_its_box_runs_over_it() -> None:
    made_of = _of(made.area(polygon=("-10,170 -10,-170 10,-170 10,170 -10,170",)))
    (feature,) = made_of["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert feature["bbox"] == [170.0, -10.0, -170.0, 10.0] == made_of["bbox"]


def test_a_circle_over_the_antimeridian_is_cut_too() -> None:
    feature = _only(circle=("-17,179.9 50",))
    west, _, east, _ = feature["bbox"]
    assert 179 < west < 180
    assert -180 < east < -179
    assert feature["properties"]["circle"] == ["-17,179.9 50"]


def test_the_box_of_several_areas_leaves_out_the_widest_gap() -> None:
    aleutians = made.area(polygon=("51,-178 51,-176 52,-176 51,-178",))
    guam = made.area(polygon=("13,144 13,145 14,145 13,144",))
    assert _of(aleutians, guam)["bbox"] == [144.0, 13.0, -176.0, 52.0]
    world = made.area(polygon=("-90,-180 -90,180 90,180 90,-180 -90,-180",))
    assert _of(world, guam)["bbox"] == [-180.0, -90.0, 180.0, 90.0]


def test_a_circle_without_radius_is_a_point() -> None:
    assert _only(circle=("10,20 0",))["geometry"] == {"type": "Point", "coordinates": [20.0, 10.0]}
    assert _only(circle=("10,20 0", "1,2 0"))["geometry"]["type"] == "MultiPoint"


def test_an_area_that_names_its_ground_by_code_alone_has_no_geometry() -> None:
    feature = _only()
    assert feature["geometry"] is None
    assert "bbox" not in feature
    assert feature["properties"]["geocode"] == [{"valueName": "FIPS", "value": "12345"}]


def test_shapes_that_cannot_be_read_are_left_out() -> None:
    assert _only(circle=("nowhere",))["geometry"] is None


def test_what_has_no_area_is_a_feature_all_the_same() -> None:
    (feature,) = _of()["features"]
    assert (feature["geometry"], feature["properties"]["headline"]) == (None, "The river rises")
    (cancel,) = to_geojson(made.alert(info=()))["features"]
    assert (cancel["geometry"], cancel["properties"]["msgType"]) == (None, "Alert")
    assert "bbox" not in to_geojson(made.alert(info=()))


def test_several_alerts_are_one_collection() -> None:
    first, second = made.alert(), made.alert(identifier="river-2026-2")
    both = collection([first, second])
    assert both["features"] == to_geojson(first)["features"] + to_geojson(second)["features"]


@given(made.alerts)
def test_any_alert_gives_json_that_reads_back_equal(alert: Any) -> None:
    written = to_geojson(alert)
    assert json.loads(json.dumps(written)) == written == to_geojson(alert)
    ids = [feature["id"] for feature in written["features"]]
    assert len(set(ids)) == len(ids) > 0


def test_real_documents_give_valid_ground(shared_path: Any) -> None:
    shapes = 0
    for file in sorted((shared_path / "cap" / "corpus" / "valid").glob("*.xml")):
        alert = read(file.read_bytes()).alert
        if alert is None:
            continue
        for feature in to_geojson(alert)["features"]:
            if feature["geometry"] is not None:
                drawn = shape(feature["geometry"])
                assert drawn.is_valid, (file.name, feature["id"])
                west, south, east, north = drawn.bounds
                assert -180 <= west <= east <= 180, file.name
                assert -90 <= south <= north <= 90, file.name
                shapes += 1
    assert shapes > 100
