"""The rule about the offset of times, section 3.3.2: people read a warning by the clock on their wall.

Owns I-18, which needs both the times and the ground. Must not read more than one shape of an info: that says where on
earth it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerting.cap.area import BadShape, circle
from alerting.cap.findings import WARNING, Place
from alerting.cap.model import Alert
from alerting.cap.rules.registry import Case, Fault, rule

# Clocks of the zone UTC are kept from about 30 degrees west (Greenland) to 15 east; beyond 30 none is.
_FAR: Final = 30.0


@rule("I-18", clause="3.3.2", severity=WARNING, needs=("sent",))
def times_are_local(alert: Alert, case: Case) -> Iterator[Fault]:
    """Times carry the offset of the place that is warned, not UTC, where the ground tells."""
    found: list[Place] = [] if alert.sent.utcoffset() else [("sent",)]
    for i, info in enumerate(alert.info):
        effective, onset, expires = info.effective, info.onset, info.expires
        if effective is not None and not effective.utcoffset():
            found.append(("info", i, "effective"))
        if onset is not None and not onset.utcoffset():
            found.append(("info", i, "onset"))
        if expires is not None and not expires.utcoffset():
            found.append(("info", i, "expires"))
    if found and _is_far(case):
        for place in found:
            yield Fault(place, "this is UTC and the area lies far from it: write the local time and offset")


def _is_far(case: Case) -> bool:
    for _, shape, _ in case.shapes:
        west, _, east, _ = shape.bounds
        return bool(west > _FAR or east < -_FAR)
    for _, text in case.circles:
        try:
            return abs(circle(text).longitude) > _FAR
        except BadShape:
            continue
    return False
