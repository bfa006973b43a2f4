"""How urgent a warning is beside others: priority, colour and floor, from urgency, severity and certainty.

Imports the model alone. Invariant: the order is total and documented, Extreme before Severe and Immediate before
Expected, and what is Unknown is never taken for the mildest.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from alerting.cap.model import Certainty, Severity, Urgency

_SEVERITY: Final = (Severity.EXTREME, Severity.SEVERE, Severity.MODERATE, Severity.UNKNOWN, Severity.MINOR)
_URGENCY: Final = (Urgency.IMMEDIATE, Urgency.EXPECTED, Urgency.FUTURE, Urgency.UNKNOWN, Urgency.PAST)
_CERTAINTY: Final = (
    Certainty.OBSERVED,
    Certainty.LIKELY,
    Certainty.POSSIBLE,
    Certainty.UNKNOWN,
    Certainty.UNLIKELY,
)
_PRIORITY: Final = {
    (urgency, severity, certainty): 25 * s + 5 * u + c
    for s, severity in enumerate(_SEVERITY)
    for u, urgency in enumerate(_URGENCY)
    for c, certainty in enumerate(_CERTAINTY)
}
_FLOOR: Final = {
    Severity.UNKNOWN: 0,
    Severity.MINOR: 1,
    Severity.MODERATE: 2,
    Severity.SEVERE: 3,
    Severity.EXTREME: 4,
}
ANY_FLOOR: Final = 0
"""The floor that everything passes; Severity Unknown has it as its own number, and passes every floor."""


class Colour(StrEnum):
    """The four grades I to IV as people see them."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"


_COLOUR: Final = {
    Severity.EXTREME: Colour.RED,
    Severity.SEVERE: Colour.ORANGE,
    Severity.MODERATE: Colour.YELLOW,
    Severity.UNKNOWN: Colour.YELLOW,
    Severity.MINOR: Colour.BLUE,
}


def priority(urgency: Urgency, severity: Severity, certainty: Certainty) -> int:
    """0 (most urgent) to 124: by severity, then urgency, then certainty, each from its worst to its mildest.

    Unknown stands just before the mildest value of its scale (Minor, Past, Unlikely).
    """
    return _PRIORITY[urgency, severity, certainty]


def colour(severity: Severity) -> Colour:
    """Red, orange, yellow, blue for Extreme, Severe, Moderate, Minor (grades I to IV); Unknown is yellow."""
    return _COLOUR[severity]


def floor_of(severity: Severity) -> int:
    """0 for Unknown, then 1 Minor, 2 Moderate, 3 Severe, 4 Extreme: the scale of a subscriber's floor."""
    return _FLOOR[severity]


def passes(severity: Severity, floor: int) -> bool:
    """Whether a warning of this severity reaches a subscriber with this floor; Unknown passes every floor."""
    return severity is Severity.UNKNOWN or _FLOOR[severity] >= floor
