"""How much ground there is, in square kilometres: held to the whole earth, to circles and to sums of parts."""

from __future__ import annotations

import math

import pytest
import shapely
from geographiclib.geodesic import Geodesic

from alerting.cap.area import Circle, disc
from alerting.cap.extent import square_km

WGS84_SURFACE = 510_065_621.724  # square kilometres


def test_the_whole_earth_has_the_surface_of_the_ellipsoid() -> None:
    assert square_km(shapely.box(-180, -90, 180, 90)) == pytest.approx(WGS84_SURFACE, rel=1e-9)


@pytest.mark.parametrize("latitude", [0, 45, -78])
def test_a_small_square_is_what_geodesics_enclose(latitude: int) -> None:
    polygon = Geodesic.WGS84.Polygon()
    for south, west in ((0, 0), (0, 0.01), (0.01, 0.01), (0.01, 0)):
        polygon.AddPoint(latitude + south, 20 + west)
    enclosed = polygon.Compute()[2] / 1e6
    assert square_km(shapely.box(20, latitude, 20.01, latitude + 0.01)) == pytest.approx(enclosed, rel=1e-6)


def test_a_disc_is_a_tenth_of_a_per_cent_larger_than_its_circle_at_most() -> None:
    for latitude in (0.0, 60.0, -85.0):
        assert 1 <= square_km(disc(Circle(latitude, 179.5, 50))) / (math.pi * 50**2) < 1.001


def test_the_parts_of_a_triangle_add_up_to_the_whole() -> None:
    triangle = shapely.Polygon([(0, 0), (80, 5), (10, 70)])
    parts = [triangle.intersection(shapely.box(west, -1, west + 10, 71)) for west in range(0, 80, 10)]
    assert sum(map(square_km, parts)) == pytest.approx(square_km(triangle), rel=1e-6)


def test_points_and_nothing_have_no_extent() -> None:
    assert square_km(shapely.Point(1, 2)) == square_km(shapely.Polygon()) == 0
