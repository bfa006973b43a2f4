"""How much ground a geometry covers: square kilometres on the ellipsoid (WGS 84).

Imports numpy and shapely. Edges are straight in longitude and latitude, as `area.ground` draws them. Invariant: adding
up the parts of a geometry gives the whole to a millionth, poles and antimeridian included.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

_AXIS: Final = 6378.137  # kilometres, half the major axis
_E2: Final = 0.0066943799901413165  # eccentricity, squared
_E: Final = _E2**0.5
_STEP: Final = 0.25  # degrees: an edge is bent into the equal-area plane at least this often


def square_km(shape: BaseGeometry) -> float:
    """The area of polygons in longitude, latitude; points and lines have none."""
    if shape.is_empty:
        return 0.0
    plane = shapely.transform(shapely.segmentize(shape, _STEP), _equal_area)
    return float(shapely.area(plane))


def _equal_area(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cylindrical equal-area projection: Snyder, Map Projections (USGS 1395), equations 3-12 and 10-15."""
    sine = np.sin(np.radians(points[:, 1]))
    q = (1 - _E2) * (sine / (1 - _E2 * sine**2) - np.log((1 - _E * sine) / (1 + _E * sine)) / (2 * _E))
    return np.column_stack((_AXIS * np.radians(points[:, 0]), _AXIS * q / 2))
