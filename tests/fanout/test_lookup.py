"""Which messages are looked up before they are sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerting.fanout.lookup import MOST, doubt_since
from alerting.store.deliveries import Planned

BEGUN = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(*, doubt: bool, attempts: int) -> Planned:
    empty = dict.fromkeys(Planned._fields)
    return Planned(**{**empty, "n": 1, "attempts": attempts, "maybe_repeated": doubt})  # type: ignore[arg-type]  # the rest is not looked at


@pytest.mark.parametrize(
    ("doubt", "attempts", "finds", "asked"),
    [
        (True, 0, True, True),  # a lost lease before the first result
        (True, MOST - 1, True, True),
        (True, MOST, True, False),  # twice is better than never
        (False, 0, True, False),
        (True, 0, False, False),  # the channel cannot
    ],
)
def test_a_row_in_doubt_is_looked_up_as_long_as_it_was_not_tried_too_often(
    doubt: bool, attempts: int, finds: bool, asked: bool
) -> None:
    assert (doubt_since(row(doubt=doubt, attempts=attempts), BEGUN, finds=finds) == BEGUN) is asked
