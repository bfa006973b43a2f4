"""The rule about the offset of times, section 3.3.2: people read a warning by the clock on their wall.

Owns I-18, which needs both the times and the ground. Must not read more than one shape of an info: that says where on
earth it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from alerting.cap.area import BadShape, circle
from alerting.cap.findings import WARNING
from alerting.cap.model import Alert
from alerting.cap.rules.registry import Case, Fault, rule

# Clocks of the zone UTC are kept from about 30 degrees west (Greenland) to 15 east; beyond 30 none is.
_FAR: Final = 30.0
_TIMES: Final = ("effective", "onset", "expires")


def _is_utc(moment: datetime | None) -> bool:
    return moment is not None and not moment.utcoffset()


@rule("I-18", clause="3.3.2", severity=WARNING, needs=("sent",))
def times_are_local(alert: Alert, case: Case) -> Iterator[Fault]:
    """Times carry the offset of the place that is warned, not UTC, where the ground tells."""
    written = [
        (("info", i, name), getattr(info, name)) for i, info in enumerate(alert.info) for name in _TIMES
    ]
    far = None
    for place, moment in [(("sent",), alert.sent), *written]:
        if _is_utc(moment):
            if far is None:
                far = _is_far(case)
            if far:
                yield Fault(
                    place, "this is UTC and the area lies far from it: write the local time and offset"
                )


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
