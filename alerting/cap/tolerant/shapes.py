"""Polygons and circles as authorities send them, as texts that CAP takes and that enclose the same ground.

Imports shapely and the strict area. Invariant: no ground is warned that the sender did not draw; a shape that cannot be
read is left out alone, and the caller says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from alerting.cap import area
from alerting.cap.crossing import scribbled
from alerting.cap.model import Area

Pair = tuple[str, str]

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_FREE: Final = re.compile(r"[\s,;|/()\[\]{}°'\"]+")
_WKT: Final = re.compile(r"\s*(?:SRID=\d+;)?\s*(?:MULTI)?POLYGON\s*Z?\s*", re.IGNORECASE)
_RADIUS: Final = re.compile(
    r"(-?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(km|kms|kilometers|kilometres|m|metres|meters|mi|miles|nm)?",
    re.IGNORECASE,
)
_KILOMETRES: Final = {
    "m": 0.001,
    "metres": 0.001,
    "meters": 0.001,
    "mi": 1.609344,
    "miles": 1.609344,
    "nm": 1.852,
}
_TOLERATED: Final = 0.05  # of the points may be unreadable
_HOLES: Final = 200
_DECIMALS: Final = (7, 10, 15)  # a centimetre, where that will do


@dataclass(frozen=True, slots=True)
class Shape:
    """What became of one text: polygons to write, circles to write, and what was done under which rule."""

    polygons: tuple[str, ...] = ()
    circles: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


def swapped(texts: list[str]) -> bool:
    """Whether polygons name longitude first: some can only be so, and none can only be the other way."""
    first = second = False
    for text in texts:
        rings = _rings(text)
        pairs = _numbers(rings[0]) if rings else []
        if not pairs:
            continue
        beyond = max(abs(a) for a, _ in pairs) > 90
        across = max(abs(b) for _, b in pairs) > 90
        if beyond and not across and all(abs(a) <= 360 for a, _ in pairs):
            first = True
        elif across and not beyond:
            second = True
    return first and not second


def polygon(text: str, *, swap: bool, mend: bool = True) -> Shape:
    """The polygon mended. `swap` says that the message writes longitude first. Raises nothing.

    Without `mend` one that crosses itself is left out: for a document with hundreds of them.
    """
    if not text.strip():
        return Shape(said=(("T-12", "the polygon is empty: it was left out"),))
    if not swap and (as_written := _sound(text)) is not None:
        return Shape((as_written,))
    said: list[tuple[str, str]] = []
    rings = _rings(text)
    if rings is None:
        return Shape(said=(("T-12", "the polygon cannot be read as pairs of numbers: it was left out"),))
    if swap or _WKT.match(text):
        rings = [[(b, a) for a, b in ring] for ring in rings]
        said.append(("T-05", "the polygon gives longitude before latitude: they were swapped"))
    closed: list[list[Pair]] = []
    for ring in rings:
        inside = _in_range(ring, said)
        if inside is None:
            return Shape(said=(("T-12", "the polygon leaves the earth: it was left out"),))
        closed.append(inside if inside[0] == inside[-1] else [*inside, inside[0]])
        if inside[0] != inside[-1]:
            said.append(("T-12", "the polygon was not closed: its first point was repeated"))
    return _made(closed, said, text, mend=mend)


def _made(rings: list[list[Pair]], said: list[tuple[str, str]], text: str, *, mend: bool) -> Shape:
    outer = rings[0]
    distinct = {(float(a), float(b)) for a, b in outer}
    if len(distinct) == 1:
        point = f"{outer[0][0]},{outer[0][1]} 0"
        told = "the polygon is one point: it was kept as a circle of radius 0, which covers no ground"
        return Shape(circles=(point,), said=(("T-12", told),))
    if len(distinct) == 2:
        return Shape(said=(("T-12", "the polygon is a line: it was left out"),))
    written = " ".join(f"{a},{b}" for a, b in outer)
    if len(rings) == 1 and (sound := _sound(written)) is not None:
        return Shape((sound,), said=tuple(said) or (("T-12", "the polygon's writing was mended"),))
    if not mend:
        return Shape(said=(("T-12", "too many polygons cross themselves: this one was left out"),))
    pieces = _pieces(rings)
    if pieces is None:  # over the antimeridian, or beyond what is mended: the ground of it is taken as ever
        return Shape((written,), said=tuple(said)) if _readable(written) else _hopeless()
    if not pieces:
        told = "the polygon encloses nothing, or crosses itself more than can be mended: it was left out"
        return Shape(said=(("T-12", told),))
    told = "the polygon crosses itself or has holes: polygons that enclose the same were written"
    if text.split() == written.split():
        said = []
    return Shape(tuple(pieces), said=(*said, ("T-12", told)))


def _hopeless() -> Shape:
    return Shape(said=(("T-12", "the polygon cannot be read: it was left out"),))


def _readable(text: str) -> bool:
    try:
        area.polygon(text)
    except area.BadShape:
        return False
    return True


def _sound(text: str) -> str | None:
    """The text with single blanks where it is a valid polygon of CAP already."""
    try:
        return text if area.sound(area.polygon(text), crowded=True) else None
    except area.BadShape:
        return None


def _rings(text: str) -> list[list[Pair]] | None:
    """Pairs of numbers, each ring that brackets set apart for itself; None where they cannot be told apart."""
    text = text.replace("−", "-").replace("–", "-")
    wkt = _WKT.match(text)
    body = text[wkt.end() :] if wkt else text
    rings: list[list[Pair]] = []
    for part in _parts(body):
        pairs = _pairs(part)
        if pairs is None:
            return None
        if pairs:
            rings.append(pairs)
    return rings or None


def _parts(text: str) -> list[str]:
    """The rings of a text whose brackets set rings apart, not pairs."""
    return _stuck(text) if 0 < 3 * text.count("(") <= text.count(",") else [text]


def _stuck(text: str) -> list[str]:
    """Rings whose brackets stand inside the pairs, as GDACS has them: `8.76,-68.1),(8.77` or `8.76),-68.1 8.77,(-68.2`."""
    flat = re.sub(r"\)(\s*+,\s*+-?[0-9.]++)(?=\s)", r"\1)", text)  # the pair before the bracket, whole
    # The pair after it, whole; begun where a number begins: not to look at a long one from each of its digits.
    flat = re.sub(r"((?:-|(?<![0-9.-]))[0-9.]++\s*+,\s*+)\(", r"(\1", flat)
    return [part for part in re.split(r"[()]+", flat) if _NUMBER.search(part)]


def _pairs(text: str) -> list[Pair] | None:
    groups = [group for group in re.split(r"\s*;\s*", text) if group.strip()] if ";" in text else text.split()
    pairs: list[Pair] = []
    bad = 0
    for group in groups:
        numbers = [each for each in _FREE.split(group) if each]
        if len(numbers) in {2, 3} and all(map(_NUMBER.fullmatch, numbers)):
            pairs.append((numbers[0], numbers[1]))  # a third number is a height
        else:
            bad += 1
    if pairs and bad <= _TOLERATED * len(groups):
        return pairs
    numbers = [each for each in _FREE.split(text) if each]
    if len(numbers) % 2 or not all(map(_NUMBER.fullmatch, numbers)):
        return None
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _numbers(ring: list[Pair]) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in ring]


def _in_range(ring: list[Pair], said: list[tuple[str, str]]) -> list[Pair] | None:
    """The ring on the earth: longitudes of other turns brought back, latitude and longitude swapped where that helps."""
    values = _numbers(ring)
    if any(abs(a) > 90 for a, _ in values):
        if any(abs(b) > 90 or abs(a) > 360 for a, b in values):
            return None
        said.append(("T-05", "the polygon gives longitude before latitude: they were swapped"))
        ring = [(b, a) for a, b in ring]
        values = _numbers(ring)
    if all(abs(b) <= 180 for _, b in values):
        return ring
    if any(abs(b) > 540 for _, b in values):
        return None
    said.append(("T-12", "longitudes beyond 180 degrees were brought back into range"))
    return [
        (a, b if abs(x) <= 180 else _written((x + 180) % 360 - 180))
        for (a, b), (_, x) in zip(ring, values, strict=True)
    ]


def _pieces(rings: list[list[Pair]]) -> list[str] | None:
    """Hole-free polygons that enclose what the rings do; None where that cannot be written."""
    shapes: list[BaseGeometry] = []
    for ring in rings:
        try:
            shape = area.polygon(" ".join(f"{a},{b}" for a, b in ring))
        except area.BadShape:
            continue
        kept = area.enclosed(shape, crowded=True)
        if kept.is_empty and scribbled(shape):
            return []
        shapes.append(kept)
    if not shapes:
        return None
    whole = shapes[0]
    for inner in shapes[1:]:
        # A ring inside the first is a hole of it, any other one more polygon.
        whole = whole.difference(inner) if whole.contains(inner) else whole.union(inner)
    west, _, east, _ = whole.bounds if not whole.is_empty else (0.0, 0.0, 0.0, 0.0)
    if west < -180 or east > 180:
        return None
    simple = _without_holes(whole)
    if simple is None:
        return None
    return [text for part in simple if (text := _text(part)) is not None]


def _without_holes(whole: BaseGeometry) -> list[Polygon] | None:
    """The polygons cut through their holes: CAP has none (section 3.2.4)."""
    waiting = [part for part in shapely.get_parts(whole) if isinstance(part, Polygon)]
    done: list[Polygon] = []
    cuts = 0
    while waiting:
        part = waiting.pop()
        if not part.interiors:
            if part.area > 0:
                done.append(part)
            continue
        cuts += 1
        if cuts > _HOLES:
            return None
        at = part.interiors[0].centroid.x
        west, south, east, north = part.bounds
        for side in (shapely.box(west, south, at, north), shapely.box(at, south, east, north)):
            waiting += [
                each for each in shapely.get_parts(part.intersection(side)) if isinstance(each, Polygon)
            ]
    return done[::-1]


def _text(part: Polygon) -> str | None:
    """The polygon in as few digits as leave it valid; None for a sliver that no digits hold."""
    for decimals in _DECIMALS:
        pairs = [f"{_written(y, decimals)},{_written(x, decimals)}" for x, y in part.exterior.coords]
        text = " ".join(pair for n, pair in enumerate(pairs) if n == 0 or pair != pairs[n - 1])
        if _sound(text) is not None:
            return text
    return None


def _written(number: float, decimals: int = 7) -> str:
    return f"{number:.{decimals}f}".rstrip("0").rstrip(".")


def circle(text: str) -> Shape:
    """The circle mended; a radius of 0 stays, as the point that it is. Raises nothing."""
    if not text.strip():
        return Shape(said=(("T-12", "the circle is empty: it was left out"),))
    try:
        spot = area.circle(text)
    except area.BadShape:
        return _circle(text)
    return Shape(circles=(text,), said=(_POINT,) if spot.radius == 0 else ())


_POINT: Final = ("T-11", "the circle has radius 0: it was kept, as a point that covers no ground")


def _circle(text: str) -> Shape:
    parts = [each for each in re.split(r"[\s,;()\[\]]+", text.replace("−", "-")) if each]
    radius = _RADIUS.fullmatch("".join(parts[2:])) if len(parts) > 2 else None
    if len(parts) < 2 or not all(map(_NUMBER.fullmatch, parts[:2])) or (len(parts) > 2 and radius is None):
        return Shape(said=(("T-12", "the circle cannot be read: it was left out"),))
    latitude, longitude = parts[0], parts[1]
    said = [("T-12", "the circle's writing was mended")]
    if abs(float(latitude)) > 90 >= abs(float(longitude)):
        latitude, longitude = longitude, latitude
        said = [("T-05", "the circle gives longitude before latitude: they were swapped")]
    elif 180 < abs(float(longitude)) <= 360:
        longitude = _written((float(longitude) + 180) % 360 - 180)
    try:
        size = float(radius[1]) * _KILOMETRES.get((radius[2] or "").lower(), 1.0) if radius else 0.0
    except ValueError:
        return Shape(said=(("T-12", "the circle cannot be read: it was left out"),))
    if size < 0:
        size = 0.0
    made = f"{latitude},{longitude} {_written(size)}"
    try:
        area.circle(made)
    except area.BadShape:
        return Shape(said=(("T-12", "the circle leaves the earth: it was left out"),))
    return Shape(circles=(made,), said=(*said, _POINT) if size == 0 else tuple(said))


def position(polygons: tuple[str, ...], circles: tuple[str, ...]) -> str:
    """Where shapes lie, in figures that need no language: `18.31, -106.52`; the empty string for no shape."""
    ground = area.ground(Area("", polygon=polygons)) if polygons else None
    if ground is not None:
        spot = ground.representative_point()
        return f"{spot.y:.2f}, {spot.x:.2f}"
    return circles[0].partition(" ")[0].replace(",", ", ") if circles else ""
