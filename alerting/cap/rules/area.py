"""The rules of area, section 3.2.4: its words, shapes, codes and heights.

Owns G-01 to G-04 and G-06 to G-11. Shapes are read by `alerting.cap.area`; each text is read once per document, since
the languages of one warning repeat it. Points are counted before any shape is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from shapely.geometry.base import BaseGeometry

from alerting.cap.area import circle
from alerting.cap.crossing import overlapping, tangled
from alerting.cap.findings import ERROR, WARNING, Place
from alerting.cap.model import Alert, MsgType
from alerting.cap.rules.registry import Case, Fault, rule

_OVERLAP = 1_000.0  # square metres; neighbours that share a border overlap by less
_WARNING_SOMEBODY = frozenset({MsgType.ALERT, MsgType.UPDATE})


@rule("G-01", clause="3.2.4", severity=ERROR, about="areas")
def area_is_described(_: Alert, case: Case) -> Iterator[Fault]:
    """areaDesc is not blank."""
    for place, area in case.areas:
        if not area.area_desc.strip():
            yield Fault((*place, "areaDesc"), "areaDesc is empty: describe the area in words")


def _flaws(case: Case, rule_id: str) -> Iterator[Fault]:
    for place, flaw in case.flaws:
        if flaw.rule == rule_id:
            yield Fault(place, str(flaw))


@rule("G-02", clause="3.2.4", severity=ERROR, about="flaws")
def polygon_is_a_closed_ring(_: Alert, case: Case) -> Iterator[Fault]:
    """A polygon is at least four latitude,longitude pairs, the last equal to the first."""
    return _flaws(case, "G-02")


@rule("G-03", clause="3.3.1", severity=ERROR, about="flaws")
def coordinates_are_on_earth(_: Alert, case: Case) -> Iterator[Fault]:
    """Latitudes lie in -90..90 and longitudes in -180..180, latitude first."""
    return _flaws(case, "G-03")


@rule("G-04", clause="3.2.4", severity=ERROR, about="circles")
def circle_has_centre_and_radius(_: Alert, case: Case) -> Iterator[Fault]:
    """A circle is latitude,longitude and a radius in kilometres; a radius of 0 is a warning."""
    yield from _flaws(case, "G-04")
    unread = {place for place, _ in case.flaws}
    for place, text in case.circles:
        if place not in unread and circle(text).radius == 0:
            yield Fault(place, "a radius of 0 is a point without ground: give one above 0", WARNING)


@rule("G-06", clause="3.2.4", severity=WARNING, about="bare")
def codes_go_with_shapes(_: Alert, case: Case) -> Iterator[Fault]:
    """Geocodes stand beside a polygon or circle of the same area."""
    for place, area in case.areas:
        if area.geocode and not area.polygon and not area.circle:
            yield Fault(place, "only who knows the list can place these geocodes: add a polygon or circle")


@rule("G-07", clause="3.2.4", severity=ERROR, needs=("altitude", "ceiling"), about="heights")
def ceiling_is_above_altitude(_: Alert, case: Case) -> Iterator[Fault]:
    """ceiling has an altitude below it."""
    for place, area in case.areas:
        if area.ceiling is None:
            continue
        if area.altitude is None:
            yield Fault((*place, "ceiling"), "ceiling needs an altitude as the lower limit: give it")
        elif Decimal(area.ceiling) < Decimal(area.altitude):
            yield Fault((*place, "ceiling"), "ceiling lies below altitude: swap or correct them")


@rule("G-08", clause="3.2.4", severity=WARNING, publish=ERROR, about="bare")
def area_can_be_found(_: Alert, case: Case) -> Iterator[Fault]:
    """An area has a polygon, circle or geocode."""
    for place, area in case.areas:
        if not area.polygon and not area.circle and not area.geocode:
            yield Fault(place, "the area has words alone: add a polygon, circle or geocode")


@rule("G-11", clause="3.2.4", severity=WARNING, publish=ERROR, needs=("msgType",))
def info_has_an_area(alert: Alert, _: Case) -> Iterator[Fault]:
    """An info of an Alert or Update has an area."""
    for i, info in enumerate(alert.info):
        if not info.area and alert.msg_type in _WARNING_SOMEBODY:
            yield Fault(("info", i, "area"), "the info has no area: say whom it is for")


@rule("G-09", clause="3.2.4", severity=WARNING, publish=ERROR, about="shapes")
def polygons_are_simple(_: Alert, case: Case) -> Iterator[Fault]:
    """A polygon does not cross or touch itself, and those of one info do not overlap by more than 1 000 square metres."""
    sound: dict[Place, list[tuple[Place, BaseGeometry]]] = {}
    for place, shape, valid in case.shapes:
        if valid:
            sound.setdefault(place[:2], []).append((place, shape))
        else:
            yield Fault(place, "the polygon crosses or touches itself: redraw it as one simple ring")
    for polygons in sound.values():  # of one info: its other languages repeat them
        shapes = [shape for _, shape in polygons]
        if len(shapes) < 2:
            continue
        if case.crowded and tangled(shapes):
            yield Fault(
                polygons[0][0][:2], "the polygons cross each other too often to be compared: redraw them"
            )
            continue
        for n in overlapping(shapes, _OVERLAP):
            yield Fault(
                polygons[n][0], "the polygon overlaps an earlier one of this info: let each place lie in one"
            )


@rule("G-10", clause="3.2.4", severity=ERROR, about="flaws")
def polygons_are_not_too_large(_: Alert, case: Case) -> Iterator[Fault]:
    """The polygons have no more points, and the document no more circles, than the limits allow."""
    return _flaws(case, "G-10")
