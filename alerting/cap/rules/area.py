"""The rules of area, section 3.2.4: its words, shapes, codes and heights.

Owns G-01 to G-04 and G-06 to G-10. Shapes are read by `alerting.cap.area`; each text is read once per document, since
the languages of one warning repeat it. Points are counted before any shape is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import shapely
from shapely.geometry.base import BaseGeometry

from alerting.cap.area import BadShape, circle, points
from alerting.cap.findings import ERROR, WARNING, Place
from alerting.cap.model import Alert, Area, Info
from alerting.cap.rules.registry import Case, Fault, rule

_OVERLAP = 1_000.0  # square metres; neighbours that share a border overlap by less
_DEGREE = 111_200.0  # metres of latitude


def _areas(alert: Alert) -> Iterator[tuple[Place, Area]]:
    for i, info in enumerate(alert.info):
        for a, area in enumerate(info.area):
            yield ("info", i, "area", a), area


def _too_many(alert: Alert, case: Case) -> bool:
    if case.too_many_points is None:
        total = sum(points(area) for info in alert.info for area in info.area)
        case.too_many_points = total > case.context.limits.points
    return case.too_many_points


@rule("G-01", clause="3.2.4", severity=ERROR)
def area_is_described(alert: Alert, _: Case) -> Iterator[Fault]:
    for place, area in _areas(alert):
        if not area.area_desc.strip():
            yield Fault((*place, "areaDesc"), "areaDesc is empty: describe the area in words")


def _bad_polygons(alert: Alert, case: Case, rule_id: str) -> Iterator[Fault]:
    if _too_many(alert, case):
        return
    for place, area in _areas(alert):
        for n, text in enumerate(area.polygon):
            shape = case.shape(text)
            if isinstance(shape, BadShape) and shape.rule == rule_id:
                yield Fault((*place, "polygon", n), str(shape))


@rule("G-02", clause="3.2.4", severity=ERROR)
def polygon_is_a_closed_ring(alert: Alert, case: Case) -> Iterator[Fault]:
    yield from _bad_polygons(alert, case, "G-02")


@rule("G-03", clause="3.3.1", severity=ERROR)
def coordinates_are_on_earth(alert: Alert, case: Case) -> Iterator[Fault]:
    yield from _bad_polygons(alert, case, "G-03")
    yield from _bad_circles(alert, "G-03")


def _bad_circles(alert: Alert, rule_id: str) -> Iterator[Fault]:
    for place, area in _areas(alert):
        for n, text in enumerate(area.circle):
            try:
                spot = circle(text)
            except BadShape as bad:
                if bad.rule == rule_id:
                    yield Fault((*place, "circle", n), str(bad))
            else:
                if spot.radius == 0 and rule_id == "G-04":
                    yield Fault(
                        (*place, "circle", n), "a radius of 0 is a point without ground: give one", WARNING
                    )


@rule("G-04", clause="3.2.4", severity=ERROR)
def circle_has_centre_and_radius(alert: Alert, _: Case) -> Iterator[Fault]:
    yield from _bad_circles(alert, "G-04")


@rule("G-06", clause="3.2.4", severity=WARNING)
def codes_go_with_shapes(alert: Alert, _: Case) -> Iterator[Fault]:
    for place, area in _areas(alert):
        if area.geocode and not area.polygon and not area.circle:
            yield Fault(place, "only who knows the list can place these geocodes: add a polygon or circle")


@rule("G-07", clause="3.2.4", severity=ERROR, needs=("altitude", "ceiling"))
def ceiling_is_above_altitude(alert: Alert, _: Case) -> Iterator[Fault]:
    for place, area in _areas(alert):
        if area.ceiling is None:
            continue
        if area.altitude is None:
            yield Fault((*place, "ceiling"), "ceiling needs an altitude as the lower limit: give it")
        elif Decimal(area.ceiling) < Decimal(area.altitude):
            yield Fault((*place, "ceiling"), "ceiling lies below altitude: swap or correct them")


@rule("G-08", clause="3.2.4", severity=WARNING, publish=ERROR)
def area_can_be_found(alert: Alert, _: Case) -> Iterator[Fault]:
    for place, area in _areas(alert):
        if not area.polygon and not area.circle and not area.geocode:
            yield Fault(place, "the area has words alone: add a polygon, circle or geocode")


@rule("G-09", clause="3.2.4", severity=WARNING, publish=ERROR)
def polygons_are_simple(alert: Alert, case: Case) -> Iterator[Fault]:
    if _too_many(alert, case):
        return
    for i, info in enumerate(alert.info):
        sound: list[tuple[Place, BaseGeometry]] = []
        for place, shape in _shapes(i, info, case):
            if not case.sound(shape):
                yield Fault(place, "the polygon crosses or touches itself: redraw it as one simple ring")
            else:
                sound.append((place, shape))
        if len(sound) > 1:
            for place in _overlapping(sound):
                yield Fault(
                    place, "the polygon overlaps an earlier one of this info: let each place lie in one"
                )


def _shapes(i: int, info: Info, case: Case) -> Iterator[tuple[Place, BaseGeometry]]:
    for a, area in enumerate(info.area):
        for n, text in enumerate(area.polygon):
            shape = case.shape(text)
            if not isinstance(shape, BadShape):
                yield ("info", i, "area", a, "polygon", n), shape


def _overlapping(sound: list[tuple[Place, BaseGeometry]]) -> Iterator[Place]:
    shapes = [shape for _, shape in sound]
    tree = shapely.STRtree(shapes)
    for later, (place, shape) in enumerate(sound):
        for earlier in sorted(tree.query(shape, predicate="intersects").tolist()):
            if earlier < later and _square_metres(shape.intersection(shapes[earlier])) > _OVERLAP:
                yield place
                break


def _square_metres(shape: BaseGeometry) -> float:
    if shape.is_empty:
        return 0.0
    _, south, _, north = shape.bounds
    area: float = shape.area * _DEGREE * _DEGREE * math.cos(math.radians((south + north) / 2))
    return area


@rule("G-10", clause="3.2.4", severity=ERROR)
def polygons_are_not_too_large(alert: Alert, case: Case) -> Iterator[Fault]:
    if _too_many(alert, case):
        limit = case.context.limits.points
        yield Fault(("info",), f"the polygons have more than {limit} points: simplify them")
    else:
        yield from _bad_polygons(alert, case, "G-10")
