"""An area becomes exactly the ground that it names: by code, by geometry, never wider."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import shapely

from alerting import gazetteer
from alerting.authoring.ground import Resolved, resolve
from alerting.cap import xml
from alerting.cap.model import Area, NamedValue
from alerting.store import regions
from alerting.store.engine import transaction

from .conftest import NOW, SQUARE, box, coded


def resolved(*areas: Area) -> Resolved:
    with transaction() as session:
        return resolve(session, areas, 3)


def codes(ids: Sequence[int]) -> set[str]:
    with transaction() as session:
        return {found.code for found in regions.of_ids(session, ids).values()}


def sharing(*areas: Area) -> set[str]:
    found = resolved(*areas)
    assert found.findings == ()
    assert found.ground is not None
    return codes(found.ground.regions)


def covered(*areas: Area) -> set[str]:
    found = resolved(*areas).ground
    assert found is not None
    return codes(found.covered)


def drawn(*polygons: str) -> Area:
    return Area("drawn", polygon=polygons)


pytestmark = pytest.mark.usefixtures("country")


def test_a_code_stands_for_its_region_what_lies_above_and_what_lies_inside() -> None:
    assert sharing(coded("AA-1")) == {"AA", "AA-1", "AA-1-A"}
    assert covered(coded("AA-1")) == {"AA-1", "AA-1-A"}
    assert sharing(coded("AA-1-A")) == {"AA", "AA-1", "AA-1-A"}
    assert covered(coded("AA-1-A")) == {"AA-1-A"}
    assert sharing(Area("all", geocode=(NamedValue("ISO 3166-1", "aa"),))) == {
        "AA",
        "AA-1",
        "AA-1-A",
        "AA-2",
        "AA-3",
    }
    assert resolved(coded("AA-1")).ground.geometry is None  # type: ignore[union-attr] # it has ground


def test_a_geometry_reaches_the_regions_that_it_shares_ground_with() -> None:
    assert sharing(drawn(SQUARE)) == {"AA", "AA-1", "AA-1-A"}
    assert sharing(drawn(box(0.6, 0.6, 0.7, 0.7))) == {
        "AA",
        "AA-1",
    }  # a small part of AA-1, none of its district
    assert sharing(drawn(box(0.2, 0.9, 0.4, 1.2))) == {"AA", "AA-1", "AA-2"}
    assert sharing(drawn(box(5, 5, 6, 6))) == set()  # at sea: boats with a point are reached


def test_a_village_is_no_sliver() -> None:
    assert sharing(drawn(box(0.7, 0.7, 0.701, 0.701))) == {"AA", "AA-1"}


def test_a_sliver_along_a_border_is_not_shared_ground() -> None:
    assert sharing(drawn(box(0, 0, 1, 1.005))) == {
        "AA",
        "AA-1",
        "AA-1-A",
    }  # 0.005 degrees of AA-2, all along it
    assert sharing(drawn(box(0, 0, 1, 1.03))) == {"AA", "AA-1", "AA-1-A", "AA-2"}
    # Less than 1 % of either, yet with a place where a town has room.
    assert sharing(drawn(box(0, 0, 1, 1.001), box(0.4, 1, 0.48, 1.08))) == {"AA", "AA-1", "AA-1-A", "AA-2"}


def test_touching_at_a_border_is_not_sharing() -> None:
    assert sharing(drawn(box(0, 1, 1, 2))) == {"AA", "AA-2"}


def test_only_a_region_deep_inside_answers_for_its_points() -> None:
    # A point up to 0.05 degrees off a region may belong to it: near the border the geometry must decide.
    assert covered(drawn(box(-0.1, 0.9, 1.1, 2.1))) == {"AA-2"}
    assert covered(drawn(box(0, 1, 1, 2))) == set()


def test_in_a_block_with_geometry_the_geometry_decides_and_its_codes_describe() -> None:
    block = Area("both", polygon=(box(0.6, 0.6, 0.7, 0.7),), geocode=coded("AA-3").geocode)
    assert sharing(block) == {"AA", "AA-1"}


def test_blocks_are_united() -> None:
    assert sharing(drawn(box(0.6, 0.6, 0.7, 0.7)), coded("AA-3")) == {"AA", "AA-1", "AA-3"}
    found = resolved(drawn(box(0.6, 0.6, 0.7, 0.7)), coded("AA-3")).ground
    assert found is not None
    assert codes(found.covered) == {"AA-3"}
    assert found.geometry is not None
    assert shapely.from_wkb(found.geometry).equals(shapely.box(0.6, 0.6, 0.7, 0.7))


def test_a_code_that_does_not_resolve_is_an_error_by_pointer() -> None:
    found = resolved(coded("AA-1"), coded("AA-2", "AA-99"))
    assert [(each.severity, each.pointer) for each in found.findings] == [
        ("error", "/info/3/area/1/geocode/1")
    ]


def test_a_code_that_does_not_resolve_is_a_warning_where_a_geometry_decides() -> None:
    found = resolved(Area("both", polygon=(SQUARE,), geocode=(NamedValue("SAME", "006037"),)))
    assert [(each.severity, each.pointer) for each in found.findings] == [
        ("warning", "/info/3/area/0/geocode/0")
    ]
    assert found.ground is not None


@pytest.mark.parametrize(
    "area",
    [Area("words alone"), Area("a point", circle=("0.5,0.5 0",)), Area("broken", polygon=("0,0 1,1",))],
)
def test_no_ground_is_an_error_and_nothing_is_made_up(area: Area) -> None:
    found = resolved(area)
    assert found.ground is None
    assert [(each.severity, each.pointer) for each in found.findings] == [("error", "/info/3/area")]


def test_a_polygon_that_cannot_be_read_does_not_become_the_region_that_describes_it() -> None:
    assert resolved(Area("broken", polygon=("0,0 1,1",), geocode=coded("AA-1").geocode)).ground is None


def test_a_point_with_a_code_stands_for_the_region_of_the_code() -> None:
    assert sharing(Area("a fire", circle=("0.5,0.5 0",), geocode=coded("AA-2").geocode)) == {"AA", "AA-2"}


def test_a_circle_is_a_circle_on_the_earth() -> None:
    # 30 km at 60 degrees north are 0.54 degrees of longitude and 0.27 of latitude.
    west_of_it = shapely.Point(10.5, 60)
    found = resolved(Area("round", circle=("60,10 30",))).ground
    assert found is not None
    assert found.geometry is not None
    assert shapely.from_wkb(found.geometry).contains(west_of_it)


def test_a_ground_across_the_antimeridian_has_both_its_sides() -> None:
    far = [(f"BB-{n}", west) for n, west in enumerate((179, -180, 0))]
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "parent": "BB", "name": code},
            "geometry": json.loads(shapely.to_geojson(shapely.box(west, 10, west + 1, 11))),
        }
        for code, west in far
    ]
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    gazetteer.import_regions(data, mapping=gazetteer.Mapping(), actor="tester", now=NOW, source="far")
    assert sharing(drawn(box(10.2, 179.5, 10.8, -179.5))) == {"BB", "BB-0", "BB-1"}


def test_a_region_without_geometry_shares_the_fate_of_what_it_lies_in() -> None:
    place = {
        "type": "Feature",
        "properties": {"code": "AA-2-X", "parent": "AA-2", "name": "X"},
        "geometry": None,
    }
    data = json.dumps({"type": "FeatureCollection", "features": [place]}).encode()
    gazetteer.import_regions(data, mapping=gazetteer.Mapping(), actor="tester", now=NOW, source="place")
    assert "AA-2-X" in sharing(drawn(box(-0.1, 0.9, 1.1, 2.1)))
    assert "AA-2-X" not in sharing(drawn(box(0.2, 1.2, 0.4, 1.4)))


def test_the_largest_polygon_known_meets_the_whole_world_at_once(shared_path: Path) -> None:
    """In far less than a second; a walk over every pair of points takes minutes."""
    (path,) = (shared_path / "cap/corpus/valid").glob("BF_*e1531b87.xml")
    alert = xml.read(path.read_bytes()).alert
    assert alert is not None
    gazetteer.import_builtin(actor="tester", now=NOW)
    begun = time.perf_counter()
    found = resolved(*alert.info[0].area)
    assert time.perf_counter() - begun < 10
    assert found.ground is not None
    assert "BF" in codes(found.ground.regions)
