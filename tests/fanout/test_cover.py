"""The cells of a ground: none of its points is missed, and whole cells are whole."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.fanout.cover import Cover, cover
from alerting.store.cells import cell_of
from bench import population


def cells(written: str) -> set[int]:
    runs = [part.strip("[)") for part in written.strip("{}").split("),") if part]
    return {cell for run in runs for cell in range(*map(int, run.split(",")))}


def check(shape: shapely.Geometry, found: Cover, points: list[tuple[float, float]]) -> None:
    inner, border = cells(found.inner), cells(found.border)
    assert inner.isdisjoint(border)
    for lat, lon in points:
        inside, cell = shapely.intersects_xy(shape, lon, lat), cell_of(lat, lon)
        if inside:
            assert cell in inner | border
        elif cell in inner:
            pytest.fail(f"{lat},{lon} lies outside, and its cell counts as inside")


@given(
    st.tuples(st.floats(-80, 80), st.floats(-170, 170), st.floats(0.01, 8)),
    st.lists(st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)), min_size=20, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_every_point_of_a_disc_is_in_a_cell_of_it(
    disc: tuple[float, float, float], offsets: list[tuple[float, float]]
) -> None:
    lat, lon, radius = disc
    shape = shapely.Point(lon, lat).buffer(radius)
    check(
        shape,
        cover(shape),
        [(lat + radius * dy, lon + radius * dx) for dy, dx in offsets if abs(lat + radius * dy) <= 90],
    )


def test_a_polygon_of_many_points_has_whole_cells_inside() -> None:
    shape = population.polygon(4, 6, vertices=5_000)
    found = cover(shape)
    random = np.random.default_rng(3)
    check(shape, found, [(44 + 7 * y, 13 + 8 * x) for y, x in random.random((4_000, 2)).tolist()])
    assert len(cells(found.inner)) > 0.9 * shape.area * 400  # 400 cells a square degree


def test_few_cells_are_listed_one_by_one() -> None:
    found = cover(shapely.box(10.0, 40.0, 10.2, 40.2))
    assert found.few_inner is not None
    assert set(found.few_inner) == cells(found.inner)
    assert len(found.few_inner) == 16
    assert cover(shapely.box(-100, -40, 100, 40)).few_inner is None


def test_the_poles_and_the_antimeridian_have_cells() -> None:
    shape = shapely.MultiPolygon([shapely.box(179.9, 89.8, 180, 90), shapely.box(-180, -90, -179.95, -89.9)])
    check(shape, cover(shape), [(90, 180), (89.9, 179.95), (-90, -180), (-89.95, -179.97)])
