"""A ground as grid cells: those wholly inside, and those that its border crosses.

Points carry the number of their 0.05 degree cell (store/cells.py), so that the database answers for whole cells and only
the points of border cells meet the geometry. Pure: shapely and numpy only. Invariant: inner and border cells together
hold every point of the ground; no point of an inner cell lies outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from alerting.store.cells import COLUMNS, PER_DEGREE, ROWS

#: Tiles are halved three times in each step: 512 cells, 64, 8, 1.
STEPS = (512, 64, 8, 1)

#: A border of more tiles than this is taken as it stands: points in it meet the geometry, which is right, only slower.
MOST_TILES = 40_000

#: Up to so many cells an index finds them one by one.
FEW_CELLS = 4_000


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells as PostgreSQL int4multirange texts, and one by one where they are few."""

    inner: str
    border: str
    few_inner: tuple[int, ...] | None
    few_border: tuple[int, ...] | None


_EMPTY = np.empty((0, 3), dtype=np.int64)


def cover(geometry: shapely.Geometry) -> Cover:
    """The cells of a ground in longitude and latitude, within -180..180 and -90..90 degrees."""
    shapely.prepare(geometry)
    inner: list[np.ndarray] = []
    tiles = _tiles_of(tuple(shapely.bounds(geometry).tolist()), STEPS[0])
    for size in STEPS:
        if size != STEPS[0]:
            tiles = _split(tiles, size)
        boxes = _boxes(tiles, size)
        touched = shapely.intersects(geometry, boxes)
        tiles, boxes = tiles[touched], boxes[touched]
        inside = shapely.covers(geometry, boxes)
        inner.append(_sized(tiles[inside], size))
        tiles = tiles[~inside]
        if len(tiles) > MOST_TILES:
            break
    border = _sized(tiles, size)
    whole = np.concatenate(inner) if inner else _EMPTY
    return Cover(_multirange(whole), _multirange(border), _few(whole), _few(border))


def _tiles_of(bounds: tuple[float, float, float, float], size: int) -> np.ndarray:
    """(row, column) of the tiles of `size` cells that a box touches; a neighbour too many does no harm."""
    west, south, east, north = bounds
    rows = range(_index(south + 90, ROWS) // size, _index(north + 90, ROWS) // size + 1)
    columns = range(_index(west + 180, COLUMNS) // size, _index(east + 180, COLUMNS) // size + 1)
    return np.array([(r * size, c * size) for r in rows for c in columns], dtype=np.int64).reshape(-1, 2)


def _index(degrees: float, count: int) -> int:
    return min(max(int(degrees * PER_DEGREE), 0), count - 1)


def _split(tiles: np.ndarray, size: int) -> np.ndarray:
    steps = np.arange(8, dtype=np.int64) * size
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    parts = (tiles[:, None, :] + offsets[None, :, :]).reshape(-1, 2)
    return parts[(parts[:, 0] < ROWS) & (parts[:, 1] < COLUMNS)]


def _boxes(tiles: np.ndarray, size: int) -> np.ndarray:
    # Divided as store.cells divides, so that both see the same edge.
    south = (tiles[:, 0] - ROWS // 2) / PER_DEGREE
    west = (tiles[:, 1] - COLUMNS // 2) / PER_DEGREE
    north = (np.minimum(tiles[:, 0] + size, ROWS) - ROWS // 2) / PER_DEGREE
    east = (np.minimum(tiles[:, 1] + size, COLUMNS) - COLUMNS // 2) / PER_DEGREE
    return np.asarray(shapely.box(west, south, east, north))


def _sized(tiles: np.ndarray, size: int) -> np.ndarray:
    return np.column_stack([tiles, np.full(len(tiles), size, dtype=np.int64)]) if len(tiles) else _EMPTY


def _runs(tiles: np.ndarray) -> list[tuple[int, int]]:
    """Half-open runs of cell numbers, merged and in order."""
    runs: list[tuple[int, int]] = []
    for row, column, size in tiles.tolist():
        end = min(column + size, COLUMNS)
        runs.extend((r * COLUMNS + column, r * COLUMNS + end) for r in range(row, min(row + size, ROWS)))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(runs):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _multirange(tiles: np.ndarray) -> str:
    return "{" + ",".join(f"[{low},{high})" for low, high in _runs(tiles)) + "}"


def _few(tiles: np.ndarray) -> tuple[int, ...] | None:
    runs: Sequence[tuple[int, int]] = _runs(tiles)
    if sum(high - low for low, high in runs) > FEW_CELLS:
        return None
    return tuple(cell for low, high in runs for cell in range(low, high))
