"""What a flush lets go, and what it never forgets."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy.exc import DataError

from alerting.config import Settings
from alerting.fanout import expand, flush
from alerting.fanout.drain import Drain
from alerting.fanout.flush import allowances
from alerting.fanout.stream import Load
from bench.drain import Instant
from tests.fanout.country import Country


def load(
    *, messages: int = 100, taken: int = 0, allowed: int = 0, priority: int = 0, spent: bool = False
) -> Load:
    """As much of a load as an allowance looks at."""
    made = SimpleNamespace(
        messages=[None] * messages,
        taken=taken,
        allowed=allowed,
        spent=spent,
        lease=SimpleNamespace(priority=priority),
    )
    return cast("Load", made)


@pytest.mark.parametrize(
    ("active", "window", "upto"),
    [
        ([load()], 30, [30]),
        ([load(taken=20, allowed=30)], 30, [50]),
        ([load(), load()], 130, [100, 30]),
        ([load(), load(priority=0), load(priority=9)], 150, [100, 50, 0]),
        ([load(priority=9), load(priority=0)], 30, [0, 30]),  # the most urgent first
        ([load(priority=9, taken=10, allowed=30), load(priority=0)], 30, [30, 30]),  # what was allowed stands
        ([load(taken=40, allowed=40, spent=True), load()], 30, [40, 30]),
        # A window that became smaller: the first gets on, however much those behind it were allowed.
        ([load(taken=50, allowed=50), load(allowed=100), load(allowed=80)], 20, [70, 100, 80]),
        ([load(taken=10, allowed=90)], 30, [90]),  # never taken back
    ],
)
def test_one_window_is_shared_by_all_loads(active: list[Load], window: int, upto: list[int]) -> None:
    assert allowances(active, window) == upto


def test_whatever_a_flush_meets_the_results_are_written_by_the_next(
    country: Country, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    country.warn(squares=3)
    while expand.expand_next(lambda _: 1_000, now=datetime.now(UTC), percent=10):
        pass
    real = flush.write
    failed: list[bool] = []

    def once(*arguments: object, **more: object) -> flush.Written:
        if not failed and any(arguments[3].values()):  # type: ignore[attr-defined]  # the outcomes
            failed.append(True)
            raise DataError("a word that the database refuses", None, ValueError())
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(flush, "write", once)
    drain = Drain("sms", Instant(), settings)
    with pytest.raises(DataError):
        drain.run()
    assert failed
    assert (
        country.one(
            "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status = 'planned'"
        )
        == 0
    )
