"""The command line says how long a slow sender needs, what is left, and whom it did not reach in time."""

from __future__ import annotations

from typing import Any

import pytest

from alerting.cli.connection import Answer
from alerting.cli.publish import _say
from alerting.cli.show import heading


def detail(**dispatch: Any) -> dict[str, Any]:
    one = {
        "channel": "sms",
        "state": "open",
        "planned": 12_000,
        "left": 0,
        "seconds_left": None,
        "tallies": {},
    }
    return {
        "event": "Flood",
        "state": "issued",
        "colour": "red",
        "identifier": "w-1",
        "sender": "river.example",
        "sent": "2026-03-14T12:00:00+00:00",
        "dispatches": [{**one, **dispatch}],
        "forecasts": [],
    }


@pytest.mark.parametrize(
    ("dispatch", "line"),
    [
        ({}, "sms: open, 12000 planned\n"),
        ({"left": 600, "seconds_left": 61.0}, "sms: open, 12000 planned, 600 left: about 2 minutes\n"),
        ({"left": 6, "seconds_left": 0.6}, "sms: open, 12000 planned, 6 left: about 1 minute\n"),
        (
            {"state": "done", "tallies": {"accepted": 3_600, "expired": 8_400}},
            "sms: done, 12000 planned, 8400 not sent before it expired\n",
        ),
    ],
)
def test_a_channel_is_shown_with_what_is_left_and_what_came_too_late(
    dispatch: dict[str, Any], line: str
) -> None:
    assert heading(detail(**dispatch)).plain.endswith(line)


def test_a_warning_that_waits_is_shown_with_how_long_it_will_take() -> None:
    waiting = {
        **detail(),
        "dispatches": [],
        "forecasts": [{"channel": "sms", "words": "about 20 minutes for 1 200 people"}],
    }
    assert heading(waiting).plain.endswith("about 20 minutes for 1 200 people by sms\n")


def test_publishing_says_how_long_it_will_take(capsys: pytest.CaptureFixture[str]) -> None:
    body = {
        "id": "1",
        "state": "issued",
        "page": "http://127.0.0.1/w/x",
        "warnings": [],
        "forecasts": [{"channel": "sms", "words": "about 20 minutes for 1 200 people"}],
    }
    _say(Answer(201, body))
    assert "pace   about 20 minutes for 1 200 people by sms\n" in capsys.readouterr().out
