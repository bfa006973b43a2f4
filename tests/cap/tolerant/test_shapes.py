"""Shapes as authorities write them: the same ground comes out, none is added, and what is hopeless goes alone."""

from __future__ import annotations

import random
import time

import pytest
import shapely

from alerting.cap import area, model
from alerting.cap.tolerant import shapes
from tests.cap import made
from tests.cap.tolerant.received import alert, changed, mends, rules

SQUARE = shapely.box(20, 10, 21, 11)


def ground(*texts: str) -> shapely.geometry.base.BaseGeometry:
    covered = area.ground(model.Area("", polygon=texts))
    assert covered is not None
    return covered


@pytest.mark.parametrize(
    "written",
    [
        "10,20\n\t10,21\n 11,21 11,20 10,20",
        "10,20 10,21 11,21 11,20",  # not closed
        "10, 20 10, 21 11, 21 11, 20 10, 20",
        "10 20 10 21 11 21 11 20 10 20",
        "(10,20) (10,21) (11,21) (11,20) (10,20)",
        "10,20;10,21;11,21;11,20;10,20",
        "10,20,5 10,21,5 11,21,5 11,20,5 10,20,5",
        "POLYGON((20 10, 21 10, 21 11, 20 11, 20 10))",
        "[[10,20],[10,21],[11,21],[11,20],[10,20]]",
        "10°,20° 10°,21° 11°,21° 11°,20° 10°,20°",
        "10,380 10,381 11,381 11,380 10,380",
    ],
)
def test_badly_written_polygons_enclose_what_was_meant(written: str) -> None:
    only = changed((made.SQUARE, written))
    (block,) = alert(only).info[0].area
    assert ground(*block.polygon).equals(SQUARE)
    assert rules(only) <= {"T-05", "T-12"}


def test_longitude_first_is_swapped_where_it_can_only_be_that() -> None:
    only = changed((made.SQUARE, "100,10 101,10 101,11 100,11 100,10"))
    assert ground(*alert(only).info[0].area[0].polygon).equals(shapely.box(100, 10, 101, 11))
    assert mends(only) == [("T-05", "/alert/info[1]/area[1]/polygon[1]")]


def test_a_polygon_beside_a_swapped_one_is_swapped_too() -> None:
    both = f"100,10 101,10 101,11 100,11 100,10</polygon><polygon>{made.SQUARE}"
    swapped = alert(changed((made.SQUARE, both))).info[0].area[0].polygon
    assert swapped[1].startswith("20,10 ")


def test_a_bow_tie_is_two_triangles() -> None:
    only = changed((made.SQUARE, "0,0 2,2 0,2 2,0 0,0"))
    texts = alert(only).info[0].area[0].polygon
    assert len(texts) == 2
    assert all(area.polygon(text).is_valid for text in texts)
    assert ground(*texts).area == pytest.approx(2.0)


def test_a_hole_stays_a_hole() -> None:
    only = changed((made.SQUARE, "POLYGON((0 0, 9 0, 9 9, 0 9, 0 0),(3 3, 6 3, 6 6, 3 6, 3 3))"))
    assert ground(*alert(only).info[0].area[0].polygon).area == pytest.approx(81 - 9)


def test_a_hopeless_polygon_goes_alone() -> None:
    only = changed((made.SQUARE, f"north of the river</polygon><polygon>{made.SQUARE}</polygon><polygon>"))
    block = alert(only).info[0].area[0]
    assert block.polygon == (made.SQUARE,)
    assert mends(only) == [("T-12", f"/alert/info[1]/area[1]/polygon[{n}]") for n in (1, 3)]


def test_one_point_becomes_a_circle_and_a_line_nothing() -> None:
    point = alert(changed((made.SQUARE, "10,20 10,20"))).info[0].area[0]
    assert (point.polygon, point.circle) == ((), ("10,20 0",))
    line = alert(changed((made.SQUARE, "10,20 11,21"))).info[0].area[0]
    assert (line.polygon, line.circle) == ((), ())
    assert line.area_desc == "River plain"


@pytest.mark.parametrize(
    ("written", "read_as", "rule"),
    [
        ("10,20 0", "10,20 0", "T-11"),
        ("10, 20 5", "10,20 5", "T-12"),
        ("10 20 5km", "10,20 5", "T-12"),
        ("10,20,500m", "10,20 0.5", "T-12"),
        ("(10,20) 5", "10,20 5", "T-12"),
        ("100,10 5", "10,100 5", "T-05"),
        ("10,20", "10,20 0", "T-11"),
        ("10,20 -3", "10,20 0", "T-11"),
    ],
)
def test_circles_are_mended(written: str, read_as: str, rule: str) -> None:
    only = changed(("</polygon>", f"</polygon><circle>{written}</circle>"))
    assert alert(only).info[0].area[0].circle == (read_as,)
    assert (rule, "/alert/info[1]/area[1]/circle[1]") in mends(only)


def test_gdacs_rings_enclose_what_the_alert_says_burnt() -> None:
    rings = "8,20 8,21 9,21 9),20 8,20),(8.4,20.4 8.4,20.6 8.6,20.6 8.6),20.4 8.4,20.4"
    made_of = shapes.polygon(rings + " " * 3, swap=False)
    assert made_of.polygons
    assert ground(*made_of.polygons).area == pytest.approx(1 - 0.04)


def test_scribble_is_left_out_at_once() -> None:
    chance = random.Random(7)
    points = [f"{chance.uniform(-80, 80):.2f},{chance.uniform(0, 170):.2f}" for _ in range(2000)]
    start = time.perf_counter()
    shape = shapes.polygon(" ".join([*points, points[0]]), swap=False)
    assert time.perf_counter() - start < 20
    assert shape.polygons == ()
    assert [rule for rule, _ in shape.said] == ["T-12"]


@pytest.mark.parametrize(
    "polygon",
    [
        "8" * 100_000 + ",1 (2,2 3,3 8,1",
        "1,(2" + " " * 100_000 + "2,3 4,5 6,7",
        "8-" * 50_000 + "1,(2 3,4 5,6",
    ],
)
def test_one_endless_number_is_no_endless_work(polygon: str) -> None:
    begun = time.process_time()
    shapes.polygon(polygon, swap=False)
    assert time.process_time() - begun < 1


def test_hundreds_of_crossing_polygons_are_mended_up_to_a_number_and_the_rest_is_said() -> None:
    bow_tie = "<polygon>10,20 11,21 11,20 10,21 10,20</polygon>"
    only = changed((made.SQUARE, f"{made.SQUARE}</polygon>{bow_tie * 900}<polygon>{made.SQUARE}"))
    (area_,) = alert(only).info[0].area
    assert (
        500 < len(area_.polygon) < 1_100
    )  # two triangles of each that was mended, and the sound ones around them
    assert area_.polygon[0] == area_.polygon[-1] == made.SQUARE
    left_out = [mend for mend in only.mended if "too many" in mend.message]
    assert len(left_out) == 400
