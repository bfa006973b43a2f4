"""Priority, colour and floor."""

from __future__ import annotations

from itertools import product

import pytest

from alerting.cap.model import Certainty, Severity, Urgency
from alerting.cap.rank import Colour, colour, floor_of, passes, priority

ALL = list(product(Urgency, Severity, Certainty))


def test_the_order_is_total_from_0() -> None:
    assert sorted(priority(*rank) for rank in ALL) == list(range(125))
    assert priority(Urgency.IMMEDIATE, Severity.EXTREME, Certainty.OBSERVED) == 0
    assert priority(Urgency.PAST, Severity.MINOR, Certainty.UNLIKELY) == 124


def test_severity_decides_first_then_urgency_then_certainty() -> None:
    assert priority(Urgency.PAST, Severity.EXTREME, Certainty.UNLIKELY) < priority(
        Urgency.IMMEDIATE, Severity.SEVERE, Certainty.OBSERVED
    )
    assert priority(Urgency.IMMEDIATE, Severity.MINOR, Certainty.UNLIKELY) < priority(
        Urgency.EXPECTED, Severity.MINOR, Certainty.OBSERVED
    )
    assert priority(Urgency.FUTURE, Severity.MINOR, Certainty.OBSERVED) < priority(
        Urgency.FUTURE, Severity.MINOR, Certainty.LIKELY
    )


def test_unknown_is_never_the_mildest() -> None:
    assert priority(Urgency.UNKNOWN, Severity.UNKNOWN, Certainty.UNKNOWN) < priority(
        Urgency.PAST, Severity.MINOR, Certainty.UNLIKELY
    )


@pytest.mark.parametrize(
    ("severity", "shade", "floor"),
    [
        (Severity.EXTREME, Colour.RED, 4),
        (Severity.SEVERE, Colour.ORANGE, 3),
        (Severity.MODERATE, Colour.YELLOW, 2),
        (Severity.MINOR, Colour.BLUE, 1),
        (Severity.UNKNOWN, Colour.YELLOW, 0),
    ],
)
def test_each_severity_has_its_colour_and_floor(severity: Severity, shade: Colour, floor: int) -> None:
    assert (colour(severity), floor_of(severity)) == (shade, floor)


def test_unknown_passes_every_floor() -> None:
    assert all(passes(Severity.UNKNOWN, floor) for floor in range(5))
    assert [floor for floor in range(5) if passes(Severity.MODERATE, floor)] == [0, 1, 2]
