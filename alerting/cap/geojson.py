"""A warning as GeoJSON (RFC 7946): a feature for each area of each info, in the order of the document.

Imports the JSON form and the geometry. Invariant: the same alert gives the same value, nothing of the warning is lost
but the polygons' own wording. `area.ground` has wound the rings anticlockwise (3.1.6) and cut them at the antimeridian.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from alerting.cap.area import BadShape, circle, ground
from alerting.cap.jsonform import to_json
from alerting.cap.limits import LIMITS
from alerting.cap.model import Alert, Area
from alerting.cap.simplify import simplify

Span = tuple[float, float]
"""Longitudes from west to east, in degrees."""

_ROUND: Final = 360.0


def to_geojson(alert: Alert, *, points: int | None = None) -> dict[str, Any]:
    """A FeatureCollection, plain values that `json.dumps` takes.

    Properties are CAP's elements under CAP's names: those of the alert, of the info and of the area (areaDesc, geocode,
    circle, altitude, ceiling). The geometry is the union of the area's polygons and circles in longitude, latitude, outer
    rings anticlockwise; a circle of radius 0 is a point where there is no ground (T-11); null where there is neither. An
    info without areas, and an alert without infos, is one feature without geometry. `id` is "sender,identifier,sent" and
    the JSON pointer of the area. `bbox` is [west, south, east, north], west greater than east over the antimeridian (5.2).
    With `points` each geometry is drawn with so many where that is possible, and covers at least what the area covers.
    """
    return collection([alert], points=points)


def collection(alerts: Iterable[Alert], *, points: int | None = None) -> dict[str, Any]:
    """The features of several alerts in one FeatureCollection, otherwise as `to_geojson`."""
    features: list[dict[str, Any]] = []
    shapes: list[BaseGeometry] = []
    for alert in alerts:
        for feature, shape in _features(alert, points):
            features.append(feature)
            if shape is not None:
                shapes.append(shape)
    made: dict[str, Any] = {"type": "FeatureCollection"}
    if shapes:
        made["bbox"] = _box(shapes)
    made["features"] = features
    return made


def _features(alert: Alert, points: int | None) -> Iterator[tuple[dict[str, Any], BaseGeometry | None]]:
    plain = to_json(alert)
    infos = plain.pop("info")
    drawn = {text for info in alert.info for area in info.area for text in area.circle}
    name = f"{alert.sender},{alert.identifier},{plain['sent']}"
    if not infos:
        yield _feature(name, plain, None), None
    for i, info in enumerate(infos):
        areas = info.pop("area")
        if not areas:
            yield _feature(f"{name}/info/{i}", plain | info, None), None
        for a, written in enumerate(areas):
            del written["polygon"]
            shape = _shape(alert.info[i].area[a], points, crowded=len(drawn) > LIMITS.circles)
            yield _feature(f"{name}/info/{i}/area/{a}", plain | info | written, shape), shape


def _shape(area: Area, points: int | None, *, crowded: bool) -> BaseGeometry | None:
    """Its ground, else the centres of its circles; the centres alone where the document has too many circles (G-10)."""
    shape = None if crowded and area.circle else ground(area)
    if shape is not None:
        return shape if points is None else simplify(shape, points=points)
    spots: list[tuple[float, float]] = []
    for text in area.circle:
        try:
            spot = circle(text)
        except BadShape:
            continue
        spots.append((spot.longitude, spot.latitude))
    if len(spots) == 1:
        return shapely.Point(spots[0])
    return shapely.MultiPoint(spots) if spots else None


def _feature(name: str, properties: dict[str, Any], shape: BaseGeometry | None) -> dict[str, Any]:
    feature: dict[str, Any] = {"type": "Feature", "id": name}
    if shape is not None:
        feature["bbox"] = _box([shape])
    feature["geometry"] = None if shape is None else _plain(mapping(shape))
    feature["properties"] = properties
    return feature


def _plain(value: Any) -> Any:
    """Arrays for tuples, so that what is made equals what is read back."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _box(shapes: list[BaseGeometry]) -> list[float]:
    """The smallest box of all of them: its longitudes are what the widest gap between them leaves."""
    parts = [part.bounds for shape in shapes for part in shapely.get_parts(shape)]
    west, east = _span((west, east) for west, _, east, _ in parts)
    return [west, min(south for _, south, _, _ in parts), east, max(north for *_, north in parts)]


def _span(spans: Iterable[Span]) -> Span:
    joined: list[Span] = []
    for west, east in sorted(spans):
        if joined and west <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(east, joined[-1][1]))
        else:
            joined.append((west, east))
    gaps = [(joined[n + 1][0] - joined[n][1], n) for n in range(len(joined) - 1)]
    over_180 = joined[0][0] + _ROUND - joined[-1][1]
    widest, n = max(gaps, default=(0.0, 0))
    if widest <= over_180:
        return joined[0][0], joined[-1][1]
    return joined[n + 1][0], joined[n][1]
