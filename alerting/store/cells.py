"""The 0.05 degree grid in which points are found: a point's cell number, and a cell's corners.

Cells are numbered row * 7200 + column, rows counted from 90 degrees south, columns from 180 degrees west; both directions
know one rule, so that a point is always looked for where it was put. Imports nothing of the service.
Invariant: `cell_of(lat, lon)` equals `cells_of([lat], [lon])[0]` for every point.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

#: Cells in a degree, in a row around the earth, and rows from pole to pole.
PER_DEGREE = 20
COLUMNS = 360 * PER_DEGREE
ROWS = 180 * PER_DEGREE


Edge = npt.NDArray[np.float64]
Bounds = tuple[Edge, Edge, Edge, Edge]


def cell_of(lat: float, lon: float) -> int:
    """The number of the cell around a point in WGS 84 degrees; raises ValueError outside of them.

    A cell holds its southern and western edge. The pole belongs to the last row and 180 degrees east to the last
    column (not to the first, though the meridian is the same), because an area that ends there ends in that column.
    """
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("latitude must lie between -90 and 90, longitude between -180 and 180")
    # Multiplied, never divided by 0.05, which no float holds exactly.
    row = min(math.floor(lat * PER_DEGREE) + ROWS // 2, ROWS - 1)
    column = min(math.floor(lon * PER_DEGREE) + COLUMNS // 2, COLUMNS - 1)
    return row * COLUMNS + column


def cells_of(lats: npt.ArrayLike, lons: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """The cell numbers of many points; the points must lie within WGS 84's bounds."""
    rows = np.floor(np.asarray(lats, dtype=np.float64) * PER_DEGREE).astype(np.int32) + ROWS // 2
    columns = np.floor(np.asarray(lons, dtype=np.float64) * PER_DEGREE).astype(np.int32) + COLUMNS // 2
    cells: npt.NDArray[np.int32] = np.minimum(rows, ROWS - 1) * COLUMNS + np.minimum(columns, COLUMNS - 1)
    return cells


def bounds_of(cells: npt.ArrayLike) -> Bounds:
    """(west, south, east, north) of cells in degrees, four arrays: the argument order of `shapely.box`."""
    rows, columns = np.divmod(np.asarray(cells, dtype=np.int64), COLUMNS)
    west = (columns - COLUMNS // 2) / PER_DEGREE
    south = (rows - ROWS // 2) / PER_DEGREE
    east = (columns + 1 - COLUMNS // 2) / PER_DEGREE
    north = (rows + 1 - ROWS // 2) / PER_DEGREE
    return west, south, east, north
