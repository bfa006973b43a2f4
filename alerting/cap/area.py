"""Ground from CAP's texts: polygons and circles as geometries in longitude, latitude (WGS 84, degrees).

Imports shapely and geographiclib, the model and the limits. What cannot be read raises BadShape, which the rules G-02
to G-04, G-09 and G-10 turn into findings. Invariant: points are counted before any geometry is made; a circle's
outline is geodesic, never smaller than the circle and at most 0.1 % larger; nothing here ever widens a polygon.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final

import shapely
from geographiclib.geodesic import Geodesic
from shapely import Polygon, affinity
from shapely.geometry.base import BaseGeometry

from alerting.cap.crossing import scribbled, tangled
from alerting.cap.limits import LIMITS
from alerting.cap.model import Area
from alerting.cap.simplify import simplify as simplify  # noqa: PLC0414 - offered here, beside the ground that it takes

_NUMERALS: Final = b"0123456789+-.eE"
_WORLD: Final = shapely.box(-180, -90, 180, 90)
_HALF_WAY_ROUND: Final = 20_003_900.0  # metres from pole to pole: no point of the earth lies farther away
_LONG: Final = (
    30  # characters of a pair, from which on many numbers have more digits than a double is quick to read
)
_DIGITS: Final = 16  # characters kept of those: with three digits before the point it is exact to a hundredth of a millimetre
_cut_short: Final = itemgetter(slice(_DIGITS))
_CROWDED: Final = 8_000  # characters of a polygon from which on it may have very many points
_PLAINLY: Final = 50
_MANY: Final = 500  # polygons that cross themselves: no real document has as many as ten
_WKB_POLYGON: Final = 3
_WKB_HEAD: Final = struct.Struct("=BIII").pack  # byte order, type, number of rings, points in the first
_LITTLE_ENDIAN: Final = sys.byteorder == "little"
_CORNERS: Final = 180  # of a circle's outline: its edges sag by 0.015 % of the radius
_WIDE: Final = 2.5  # degrees of longitude from which on an edge is divided into _PARTS
_PARTS: Final = 8
_OUTWARD: Final = 1.0004  # the corners lie this much outside, so that no edge cuts into the circle


class BadShape(ValueError):
    """A polygon or circle is not what CAP 3.2.4 asks for; `rule` is the rule that it breaks."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Circle:
    """Centre in degrees, radius in kilometres; a radius of 0 is a point (T-11)."""

    latitude: float
    longitude: float
    radius: float


def more_points(texts: Iterable[str], limit: int) -> bool:
    """Whether polygons write down more points than that: counted, not read, and too short ones not even counted."""
    texts = tuple(texts)
    return sum(map(len, texts)) > limit and sum(text.count(",") for text in texts) > limit


def _numbers(text: str) -> list[float]:
    """Latitude, longitude, latitude, ... of one closed ring as written. Raises BadShape (G-02, G-10)."""
    if len(text) > LIMITS.points < text.count(","):
        raise BadShape("G-10", f"the polygon has more than {LIMITS.points} points: simplify it")
    raw = text.encode("ascii", "replace")
    # What is left without the numerals says at once whether commas and blanks alternate and nothing else is there.
    skeleton = raw.translate(None, _NUMERALS)
    pairs = (len(skeleton) + 1) // 2
    if skeleton != (b", " * pairs)[:-1]:
        raw = b" ".join(raw.split())  # XML's blanks alone: a no-break space is not one
        skeleton = raw.translate(None, _NUMERALS)
        pairs = (len(skeleton) + 1) // 2
        if skeleton != (b", " * pairs)[:-1]:
            raise BadShape("G-02", _PAIRS)
    numbers = raw.replace(b",", b" ").split() if pairs else []
    long = len(raw) > _LONG * pairs and b"e" not in raw and b"E" not in raw
    try:
        flat = list(map(float, map(_cut_short, numbers) if long else numbers))
    except ValueError:
        raise BadShape("G-02", _PAIRS) from None
    if len(flat) != 2 * pairs:  # an empty number between two marks
        raise BadShape("G-02", _PAIRS)
    if pairs < 4:
        raise BadShape(
            "G-02", f"the polygon has {pairs} points: give at least four, the last equal to the first"
        )
    if flat[:2] != flat[-2:]:
        raise BadShape("G-02", "the polygon is not closed: repeat its first point at the end")
    return flat


_PAIRS: Final = "write the polygon as latitude,longitude pairs in decimal degrees with blanks between them"
_RANGE: Final = (
    "latitude comes first and lies in -90..90, longitude in -180..180: correct or swap the numbers"
)


def polygon(text: str) -> BaseGeometry:
    """The polygon, split at the antimeridian; it may be invalid (G-09). Raises BadShape (G-02, G-03, G-10)."""
    flat = _numbers(text)
    flat.reverse()  # longitude, latitude, ... of the same ring, the other way round
    shape = _polygon(flat)
    west, south, east, north = shape.bounds
    if south < -90 or north > 90 or west < -180 or east > 180:
        raise BadShape("G-03", _RANGE)
    if east - west <= 180:
        return shape
    return _ring(flat, 90.0 if sum(flat[1::2]) > 0 else -90.0)


@lru_cache(maxsize=256)
def circle(text: str) -> Circle:
    """Centre and radius. Raises BadShape (G-03, G-04)."""
    try:
        centre, radius_text = text.split()
        latitude_text, longitude_text = centre.split(",")
        latitude, longitude, radius = float(latitude_text), float(longitude_text), float(radius_text)
    except ValueError:
        raise BadShape("G-04", _CIRCLE) from None
    if text.encode("ascii", "replace").translate(None, _NUMERALS).split() != [b","] or not math.isfinite(
        radius
    ):
        raise BadShape("G-04", _CIRCLE)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadShape("G-03", _RANGE)
    if radius < 0:
        raise BadShape("G-04", "the radius is negative: give it in kilometres, 0 or more")
    return Circle(latitude, longitude, radius)


_CIRCLE: Final = (
    "write the circle as latitude,longitude, a blank and the radius in kilometres, such as 38.5,-77.0 5"
)


@lru_cache(maxsize=256)
def disc(spot: Circle) -> BaseGeometry:
    """The circle's ground on the ellipsoid; empty when the radius is 0.

    The corners lie a hair outside, so that the straight edges between them do not cut into the circle.
    """
    if spot.radius == 0:
        return Polygon()
    metres = spot.radius * 1000 * _OUTWARD
    if metres >= _HALF_WAY_ROUND:
        return _WORLD
    flat: list[float] = []
    first = before = _corner(spot, 0.0, metres)
    for corner in range(1, _CORNERS + 1):
        azimuth = 360.0 * corner / _CORNERS
        after = first if corner == _CORNERS else _corner(spot, azimuth, metres)
        flat += before
        if (
            abs(math.remainder(after[0] - before[0], 360)) > _WIDE
        ):  # near a pole edges bend away from the circle
            for part in range(1, _PARTS):
                flat += _corner(spot, azimuth + 360.0 / _CORNERS * (part / _PARTS - 1), metres)
        before = after
    flat += first
    poles = [pole for pole in (90.0, -90.0) if _metres_to(spot, pole) <= metres]
    shape = _ring(flat, poles[0] if len(poles) == 1 else None)
    # Round both poles the outline is that of the hole on the far side.
    return _WORLD.difference(shape) if len(poles) == 2 else shape


def _corner(spot: Circle, azimuth: float, metres: float) -> tuple[float, float]:
    there = Geodesic.WGS84.Direct(spot.latitude, spot.longitude, azimuth, metres)
    return there["lon2"], there["lat2"]


def _metres_to(spot: Circle, pole: float) -> float:
    metres: float = Geodesic.WGS84.Inverse(spot.latitude, spot.longitude, pole, spot.longitude)["s12"]
    return metres


def ground(area: Area) -> BaseGeometry | None:
    """The union of the area's polygons and circles; None when it has none that covers ground (G-05).

    Shapes that cannot be read are left out: `rules.check` reports each of them, and such a warning is not issued. A
    polygon that crosses itself counts for what it encloses. Polygons whose edges cross too often to be united, or of
    which very many cross themselves, have no ground (`crossing.tangled`). Outlines run counterclockwise and holes clockwise (RFC 7946). Raises nothing.
    """
    if more_points(area.polygon, LIMITS.points) or len(set(area.circle)) > LIMITS.circles:
        return None
    shapes: list[BaseGeometry] = []
    crossed = 0
    for text in dict.fromkeys(area.polygon):
        try:
            shape = polygon(text)
        except BadShape:
            continue
        shapes.append(enclosed(shape, crowded=len(text) > _CROWDED))
        crossed += shapes[-1] is not shape
        if crossed > _MANY:
            return None
    for text in dict.fromkeys(area.circle):
        try:
            shapes.append(disc(circle(text)))
        except BadShape:
            continue
    shapes = [shape for shape in shapes if not shape.is_empty]
    if not shapes or (len(shapes) > 1 and tangled(shapes)):
        return None
    united: BaseGeometry = shapely.orient_polygons(
        shapely.union_all(shapes) if len(shapes) > 1 else shapes[0]
    )
    return united


def sound(shape: BaseGeometry, *, crowded: bool) -> bool:
    """Whether a polygon neither crosses nor touches itself; `crowded` when it may have very many points."""
    return not (crowded and tangled([shape], plainly=_PLAINLY)) and bool(shape.is_valid)


def enclosed(shape: BaseGeometry, *, crowded: bool) -> BaseGeometry:
    """What a polygon encloses that may cross itself; empty for a scribble (`crossing.scribbled`)."""
    if sound(shape, crowded=crowded):
        return shape
    if scribbled(shape):
        return Polygon()
    # By structure: by linework 150 points that cross at random take 16 s instead of 0.2, and windings cancel out.
    mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = shapely.get_parts(mended)
    return shapely.union_all([part for part in parts if part.area > 0])


def _ring(flat: list[float], pole: float | None) -> BaseGeometry:
    """The polygon of a ring; one that spans more than 180 degrees goes the shorter way round and is cut at 180.

    A ring that does not come back to where it began has gone round `pole` and is closed over it.
    """
    longitudes, latitudes = flat[::2], flat[1::2]
    if max(longitudes) - min(longitudes) <= 180:
        return _polygon(flat)
    east = [longitudes[0]]
    for longitude in longitudes[1:]:
        # Whole turns are added to each as written: sums of differences would not come back to the first point.
        east.append(longitude + 360.0 * round((east[-1] - longitude) / 360))
    ring = list(zip(east, latitudes, strict=True))
    if abs(east[-1] - east[0]) > 1 and pole is not None:
        ring += [(east[-1], pole), (east[0], pole)]
    shape = Polygon(ring)
    if shape.area == 0:  # a band right round the earth, written from -180 to 180
        return _polygon(flat)
    return _cut(shape) if shape.is_valid else shape


def _polygon(flat: list[float]) -> BaseGeometry:
    """Made as WKB: Polygon(...) would take the points one by one, at six times the price."""
    head = _WKB_HEAD(_LITTLE_ENDIAN, _WKB_POLYGON, 1, len(flat) // 2)
    made: BaseGeometry = shapely.from_wkb(head + array("d", flat).tobytes())
    return made


def _cut(shape: BaseGeometry) -> BaseGeometry:
    """The parts of a shape with longitudes beyond 180 laid back into -180..180."""
    west, _, east, _ = shape.bounds
    pieces: list[BaseGeometry] = []
    for turn in range(math.floor((west + 180) / 360), math.floor((east + 180) / 360) + 1):
        moved = affinity.translate(shape, xoff=-360.0 * turn)
        piece = moved.intersection(_WORLD)
        pieces += [part for part in shapely.get_parts(piece) if part.area > 0]
    return shapely.union_all(pieces)
