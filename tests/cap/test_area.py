"""Ground from polygons and circles: read, checked, on the ellipsoid and across the antimeridian."""

from __future__ import annotations

import math
import time

import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point

from alerting.cap import model as m
from alerting.cap.area import BadShape, Circle, circle, disc, ground, polygon
from alerting.cap.limits import LIMITS
from tests.cap import made

degrees = st.integers(-1800, 1800).map(lambda tenth: tenth / 10)


def test_latitude_comes_first() -> None:
    assert polygon("10,20 10,21 12,21 10,20").bounds == (20, 10, 21, 12)


@pytest.mark.parametrize("text", ["10,20\n10,21\t11,21\r\n 10,20", "+10,20.0 1e1,21 11,21 10,20"])
def test_any_white_space_and_any_decimal_are_read(text: str) -> None:
    assert polygon(text).bounds == (20, 10, 21, 11)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "G-02"),
        ("1,1 1,2 1,1", "G-02"),
        ("1,1 1,2 2,2 2,1", "G-02"),
        ("1 1,1 2,2 2,1 1", "G-02"),
        ("1,1\xa01,2\xa02,2\xa01,1", "G-02"),
        ("1,1,1 2 2,2 1,1", "G-02"),
        ("1,,1 1,2 2,2 1,,1", "G-02"),
        ("nan,1 1,2 2,2 nan,1", "G-02"),
        ("1,1 1,2 2,inf 1,1", "G-02"),
        ("1_0,1 1,2 2,2 1_0,1", "G-02"),
        ("١,1 1,2 2,2 ١,1", "G-02"),
        ("1;1 1;2 2;2 1;1", "G-02"),
        ("90.1,1 1,2 2,2 90.1,1", "G-03"),
        ("1,1 1,180.5 2,2 1,1", "G-03"),
        ("1e999,1 1,2 2,2 1e999,1", "G-03"),
        ("1,1 " * (LIMITS.points + 1), "G-10"),
    ],
)
def test_what_is_no_polygon(text: str, rule: str) -> None:
    with pytest.raises(BadShape) as raised:
        polygon(text)
    assert raised.value.rule == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "G-04"),
        ("1,1", "G-04"),
        ("1 1 1", "G-04"),
        ("1,1 nan", "G-04"),
        ("1,1 -1", "G-04"),
        ("91,1 5", "G-03"),
    ],
)
def test_what_is_no_circle(text: str, rule: str) -> None:
    with pytest.raises(BadShape) as raised:
        circle(text)
    assert raised.value.rule == rule


# ---- circles ----


@given(st.integers(-80, 80), degrees, st.floats(0.1, 500), st.floats(0, 360))
def test_a_circle_is_geodesic_to_a_thousandth(
    latitude: float, longitude: float, radius: float, bearing: float
) -> None:
    shape = disc(Circle(latitude, longitude, radius))
    assert shape.is_valid
    for share, inside in ((0.9999, True), (1.001, False)):
        there = Geodesic.WGS84.Direct(latitude, longitude, bearing, radius * 1000 * share)
        assert shape.covers(Point(there["lon2"], there["lat2"])) is inside


@pytest.mark.parametrize(
    ("spot", "inside", "outside"),
    [
        (Circle(0, 179.9, 100), [(179.5, 0), (-179.5, 0)], [(0, 0), (178, 0)]),
        (Circle(89.9, 10, 100), [(0, 90), (-170, 89.5), (100, 89.9)], [(10, 88)]),
        (Circle(-89.9, 10, 100), [(0, -90), (-170, -89.5)], [(10, -88), (0, 89)]),
        (Circle(0, 0, 12_000), [(0, 90), (0, -90), (100, 0), (-100, 0)], [(180, 0), (-175, 3)]),
        (Circle(40, 0, 20_003), [(0, 0), (90, 10)], []),
        (Circle(40, 0, 30_000), [(180, -40)], []),
    ],
)
def test_circles_across_the_antimeridian_and_the_poles(
    spot: Circle, inside: list[tuple[float, float]], outside: list[tuple[float, float]]
) -> None:
    shape = disc(spot)
    assert shape.is_valid
    assert all(shape.covers(Point(point)) for point in inside)
    assert not any(shape.covers(Point(point)) for point in outside)
    west, south, east, north = shape.bounds
    assert west >= -180
    assert east <= 180
    assert south >= -90
    assert north <= 90


@pytest.mark.parametrize(
    ("latitude", "radius", "bearing"),
    [(66.0, 3000.0, 6.86), (0.001, 9000.0, 357.0), (89.99, 1.0, 4.9), (85.0, 3000.0, 2.0)],
)
def test_a_circle_whose_rim_passes_a_pole_is_as_exact(latitude: float, radius: float, bearing: float) -> None:
    """Edges there span many degrees of longitude, and bend away from the circle."""
    shape = disc(Circle(latitude, 12.3, radius))
    assert shape.is_valid
    for share, inside in ((0.99999, True), (1.001, False)):
        there = Geodesic.WGS84.Direct(latitude, 12.3, bearing, radius * 1000 * share)
        assert shape.covers(Point(there["lon2"], there["lat2"])) is inside


def test_a_circle_of_radius_0_covers_nothing() -> None:
    assert disc(Circle(1, 1, 0)).is_empty


# ---- polygons across the antimeridian ----


def test_a_polygon_across_the_antimeridian_is_split() -> None:
    shape = polygon("-17,177 -17,-179 -16,-179 -16,177 -17,177")
    assert shape.area == pytest.approx(4)
    assert shape.covers(Point(179, -16.5))
    assert shape.covers(Point(-179.5, -16.5))
    assert not shape.intersects(Point(0, -16.5))


def test_a_polygon_that_touches_180_from_both_sides() -> None:
    shape = polygon("-17,177 -17,180 -17,-180 -17,-179 -16,-179 -16,177 -17,177")
    assert shape.area == pytest.approx(4)


def test_a_polygon_round_the_pole_covers_it() -> None:
    shape = polygon("80,-180 80,-90 80,0 80,90 80,180 80,-180")
    assert shape.covers(Point(33, 89))
    assert not shape.covers(Point(33, 70))


def test_a_band_round_the_earth_stays_one() -> None:
    assert polygon("-10,-180 10,-180 10,180 -10,180 -10,-180").area == pytest.approx(7200)


@given(degrees, st.integers(1, 60), st.integers(-80, 79))
def test_moving_a_box_round_the_earth_keeps_its_size(west: float, width: int, south: int) -> None:
    def wrapped(longitude: float) -> float:
        return (longitude + 180) % 360 - 180

    left, right = wrapped(west), wrapped(west + width)
    text = f"{south},{left} {south},{right} {south + 1},{right} {south + 1},{left} {south},{left}"
    assert polygon(text).area == pytest.approx(width)


# ---- ground ----


def test_ground_is_the_union_of_all_shapes() -> None:
    shapes = made.area(polygon=(made.SQUARE, "11,20 11,21 12,21 12,20 11,20"), circle=("50,50 10",))
    union = ground(shapes)
    assert union is not None
    assert union.covers(Point(20.5, 11))
    assert union.covers(Point(50, 50))
    assert union.area == pytest.approx(2 + math.pi * 100 / 111.2**2 / math.cos(math.radians(50)), rel=0.01)


def test_codes_alone_have_no_ground_here() -> None:
    assert ground(made.area(polygon=())) is None
    assert ground(made.area(polygon=(), circle=("1,1 0",))) is None


def test_shapes_that_cannot_be_read_never_widen_the_ground() -> None:
    sound = ground(made.area(polygon=("1,1", made.SQUARE)))
    assert sound is not None
    assert sound.equals(polygon(made.SQUARE))
    bow = ground(made.area(polygon=("0,0 1,1 0,1 1,0 0,0",)))
    assert bow is not None
    assert bow.is_valid
    assert bow.area == pytest.approx(0.5)
    assert ground(made.area(polygon=("0,0 0,1 0,2 0,0",))) is None


def test_a_coastline_of_41009_points_is_quick() -> None:
    turns = [2 * math.pi * n / 41_008 for n in range(41_008)]
    points = [(math.sin(a) * (5 + math.sin(40 * a)), math.cos(a) * (5 + math.sin(40 * a))) for a in turns]
    text = " ".join(f"{y:.6f},{x:.6f}" for y, x in [*points, points[0]])
    began = time.perf_counter()
    shape = ground(m.Area("Coast", polygon=(text,)))
    assert time.perf_counter() - began < 10
    assert shape is not None
    assert shapely.get_num_coordinates(shape) == 41_009


def test_too_many_points_are_refused_before_any_is_read() -> None:
    began = time.perf_counter()
    assert ground(m.Area("Dust", polygon=("1,1 " * 1_000_000,))) is None
    assert time.perf_counter() - began < 2
