from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from alerting.store.cells import COLUMNS, ROWS, bounds_of, cell_of, cells_of

LATS = st.floats(-90, 90) | st.integers(-1800, 1800).map(lambda n: n / 20)
LONS = st.floats(-180, 180) | st.integers(-3600, 3600).map(lambda n: n / 20)


@given(LATS, LONS)
def test_one_point_and_many_are_numbered_alike(lat: float, lon: float):
    assert cell_of(lat, lon) == cells_of([lat], [lon])[0]


@given(LATS, LONS)
def test_a_point_lies_in_its_cell(lat: float, lon: float):
    west, south, east, north = (float(edge[0]) for edge in bounds_of([cell_of(lat, lon)]))
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


def test_a_cell_is_row_times_7200_plus_column_from_the_south_west():
    assert cell_of(-90, -180) == 0
    assert cell_of(-90, -179.95) == 1
    assert cell_of(-89.95, -180) == 7200
    assert cell_of(0, 0) == 1800 * 7200 + 3600


def test_the_pole_and_the_eastern_edge_belong_to_the_last_row_and_column():
    assert cell_of(90, 180) == ROWS * COLUMNS - 1
    assert cell_of(89.99, 179.99) == ROWS * COLUMNS - 1


def test_bounds_are_the_arguments_of_a_box():
    west, south, east, north = bounds_of(np.array([cell_of(31.87, 117.28)]))
    box = np.atleast_1d(shapely.box(west, south, east, north))[0]
    assert box.bounds == pytest.approx((117.25, 31.85, 117.3, 31.9))


@pytest.mark.parametrize(("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (float("nan"), 0)])
def test_a_point_that_is_not_on_earth_has_no_cell(lat: float, lon: float):
    with pytest.raises(ValueError, match="latitude"):
        cell_of(lat, lon)
