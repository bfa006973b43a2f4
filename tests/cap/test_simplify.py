"""Fewer points and never less ground: simplified polygons cover what was given, exactly."""

from __future__ import annotations

import math
import random
import time

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, affinity
from shapely.geometry.base import BaseGeometry

from alerting.cap.area import polygon, simplify


def star(corners: int, seed: int, *, size: float = 5.0, rough: float = 0.4) -> Polygon:
    """A ring round the origin that goes in and out."""
    chance = random.Random(seed)
    turns = [2 * math.pi * (k + 0.9 * chance.random()) / corners for k in range(corners)]
    reach = [size * (1 - rough * chance.random()) for _ in turns]
    return Polygon([(r * math.cos(a), r * math.sin(a)) for a, r in zip(turns, reach, strict=True)])


stars = st.builds(
    star, st.integers(5, 60), st.integers(0, 10_000), rough=st.sampled_from([0.0, 0.05, 0.4, 0.9])
)


@st.composite
def islands(draw: st.DrawFn) -> BaseGeometry:
    """Several stars far enough apart, some with a lake, some of those with an island in it."""
    parts: list[BaseGeometry] = []
    for n in range(draw(st.integers(1, 4))):
        outline: BaseGeometry = draw(stars)
        if not outline.is_valid:
            continue
        lake = affinity.scale(draw(stars), 0.08, 0.08, origin=(0, 0))
        if draw(st.booleans()) and lake.is_valid and outline.contains(lake):
            outline = outline.difference(lake)
            islet = affinity.scale(lake, 0.3, 0.3, origin=(0, 0))
            if draw(st.booleans()) and lake.contains_properly(islet):
                parts.append(affinity.translate(islet, xoff=11.0 * n))
        parts.append(affinity.translate(outline, xoff=11.0 * n))
    made = shapely.union_all([part for part in parts if part.is_valid])
    return made if not made.is_empty else shapely.box(0, 0, 1, 1)


@settings(max_examples=150, deadline=None)
@given(islands(), st.integers(4, 120))
def test_what_is_simplified_covers_what_was_given(shape: BaseGeometry, points: int) -> None:
    simplified = simplify(shape, points=points)
    assert simplified.is_valid
    assert simplified.covers(shape)
    assert shape.difference(simplified).is_empty
    assert shapely.get_num_coordinates(simplified) <= shapely.get_num_coordinates(shape)
    assert len(shapely.get_parts(simplified)) == len(shapely.get_parts(shape))
    assert len(shapely.get_rings(simplified)) <= len(shapely.get_rings(shape))


@settings(max_examples=60, deadline=None)
@given(stars, st.integers(8, 40))
def test_one_ring_reaches_the_number_of_points(shape: Polygon, points: int) -> None:
    if shape.is_valid:
        assert shapely.get_num_coordinates(simplify(shape, points=points)) <= points


def test_what_is_small_enough_stays_as_it_is() -> None:
    shape = star(30, 1)
    assert simplify(shape, points=31) is shape


def test_a_dent_goes_before_a_bay() -> None:
    """The ground that is added least of all is added first."""
    dented = Polygon([(0, 0), (10, 0), (10, 10), (6, 10), (5, 5), (4, 10), (3, 9.9), (2, 10), (0, 10)])
    filled = simplify(dented, points=9)
    assert filled.area - dented.area == pytest.approx(0.1)


def test_a_hole_may_close_but_none_opens() -> None:
    lake = shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 5, 5))
    assert simplify(lake, points=6).equals(shapely.box(0, 0, 10, 10))


def test_a_part_in_the_hole_of_another_is_not_swallowed() -> None:
    ring = shapely.box(0, 0, 10, 10).difference(shapely.box(2, 2, 8, 8))
    both = shapely.union_all([ring, shapely.box(4, 4, 5, 5)])
    simplified = simplify(both, points=9)
    assert simplified.is_valid
    assert simplified.covers(both)
    assert len(shapely.get_parts(simplified)) == 2


def test_neighbours_do_not_grow_into_each_other() -> None:
    comb = Polygon([(0, 0), (9, 0), (9, 4), (5, 4), (5, 1), (4, 1), (4, 4), (0, 4)])
    tooth = shapely.box(4.2, 2, 4.8, 6)
    assert simplify(MultiPolygon([comb, tooth]), points=12).is_valid


def test_pieces_at_the_antimeridian_stay_on_their_sides() -> None:
    ring = [(5 * math.sin(a), 180 + 4 * math.cos(a) + 0.3 * math.cos(30 * a)) for a in _turns(400)]
    text = " ".join(f"{y:.5f},{(x + 180) % 360 - 180:.5f}" for y, x in [*ring, ring[0]])
    shape = polygon(text)
    simplified = simplify(shape, points=40)
    west, _, east, _ = simplified.bounds
    assert (west, east) == (-180, 180)
    assert simplified.is_valid
    assert simplified.covers(shape)
    assert shapely.get_num_coordinates(simplified) <= 40
    assert not simplified.covers(Point(0, 0))


def test_a_convex_outline_is_drawn_wider() -> None:
    circle = Point(10, 50).buffer(2, 64)
    simplified = simplify(circle, points=30)
    assert shapely.get_num_coordinates(simplified) <= 30
    assert simplified.covers(circle)
    assert simplified.area < circle.area * 1.03


def test_a_coastline_of_41009_points_becomes_500_in_seconds() -> None:
    chance = random.Random(1)
    reach = [5 + math.sin(40 * a) + math.sin(900 * a) / 50 + chance.random() / 1000 for a in _turns(41_008)]
    coast = Polygon([(r * math.cos(a), r * math.sin(a)) for a, r in zip(_turns(41_008), reach, strict=True)])
    began = time.process_time()
    simplified = simplify(coast, points=500)
    assert time.process_time() - began < 8
    assert shapely.get_num_coordinates(simplified) <= 500
    assert simplified.covers(coast)
    assert simplified.area < coast.area * 1.3


def _turns(count: int) -> list[float]:
    return [2 * math.pi * k / count for k in range(count)]
