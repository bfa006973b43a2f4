"""Which messages are looked up before they are sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerting.fanout.loads import Columns
from alerting.fanout.lookup import MOST, doubt_since
from alerting.store.deliveries import Planned

BEGUN = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("doubt", "tries", "asked"),
    [
        (True, 0, True),  # a lost lease before the first result
        (True, MOST - 1, True),
        (True, MOST, False),  # twice is better than never
        (False, 0, False),
    ],
)
def test_a_row_in_doubt_is_looked_up_as_long_as_it_was_not_tried_too_often(
    doubt: bool, tries: int, asked: bool
) -> None:
    assert (doubt_since(BEGUN, tries, in_doubt=doubt) == BEGUN) is asked


def test_columns_are_the_fields_of_a_row() -> None:
    assert Columns._fields == Planned._fields
