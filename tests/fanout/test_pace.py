"""Pace: grants lie on one grid, the urgent has the next, and what was missed is lost."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.fanout.pace import ANSWERS, GRANT, LATE, PATIENCE, USED, Answer, Ask, Grant, Pace, decide
from alerting.store.senders import Standing

FREE = Standing(sender=1, rate=10.0, next_free=0.0, turn=None, turn_until=0.0, now=1000.0)


def ask(priority: int, *, more: bool) -> Ask:
    """Five tokens at once, as for one long message."""
    return Ask(5, priority, more=more, least=5)


def after(standing: Standing, answer: Answer, seconds: float) -> Standing:
    """The row some seconds after an answer."""
    return replace(
        standing, next_free=answer.next_free, turn=answer.turn, turn_until=answer.turn_until, now=standing.now + seconds
    )  # fmt: skip


def test_a_free_sender_gives_slots_at_once_on_its_own_grid() -> None:
    answer = decide(FREE, Ask(3, 50, more=False, least=3))
    assert answer.grant == Grant(1, 1000.0 + LATE, 3, pytest.approx(1 / (10 * USED)), 1000.0)  # type: ignore[arg-type]
    assert answer.next_free == pytest.approx(1000 + LATE + 3 / (10 * USED))
    assert answer.turn is None


def test_the_next_grant_begins_where_the_last_one_ends_and_not_before_it_is_needed() -> None:
    first = decide(FREE, ask(50, more=True))
    assert first.again_in == pytest.approx(LATE + 5 / (10 * USED) - GRANT)
    early = decide(after(FREE, first, 0.1), ask(50, more=True))
    assert early.grant is None
    assert early.again_in == pytest.approx(first.again_in - 0.1)
    due = after(FREE, first, first.again_in)
    second = decide(due, ask(50, more=True))
    assert second.grant is not None
    assert second.grant.at == pytest.approx(first.next_free)


def test_whoever_is_more_urgent_has_the_next_grant() -> None:
    minor = decide(FREE, ask(90, more=True))
    row = after(FREE, minor, 0.05)
    extreme = decide(row, ask(1, more=True))
    assert extreme.grant is None
    assert extreme.turn == 1
    row = after(row, extreme, extreme.again_in)
    assert decide(row, ask(90, more=True)).grant is None  # it was here first, and waits
    got = decide(row, ask(1, more=True))
    assert got.grant is not None
    row = after(row, got, got.again_in)
    assert decide(row, ask(90, more=True)).grant is None  # and the one after that as well
    last = decide(row, ask(1, more=False))
    assert decide(after(row, last, last.again_in), ask(90, more=True)).grant is not None


def test_a_turn_that_nobody_takes_ends() -> None:
    first = decide(FREE, ask(1, more=True))
    dead = after(FREE, first, first.again_in + PATIENCE + 0.001)
    assert decide(dead, ask(90, more=True)).grant is not None


def test_somebody_less_urgent_does_not_take_the_turn_away() -> None:
    first = decide(FREE, ask(1, more=True))
    refused = decide(after(FREE, first, 0.01), ask(90, more=True))
    assert (refused.grant, refused.turn, refused.turn_until) == (None, 1, first.turn_until)


@given(
    st.floats(0.01, 5000),
    st.lists(st.tuples(st.integers(0, 124), st.floats(0, 0.6), st.integers(1, 5)), min_size=5, max_size=60),
)
def test_no_second_holds_more_slots_than_the_rate_and_one_message(
    rate: float, asks: list[tuple[int, float, int]]
) -> None:
    """Whatever many drains ask, at whatever times: all slots that are given lie apart, and none far ahead."""
    row, slots = replace(FREE, rate=rate), []
    for priority, seconds, least in asks:
        row = replace(row, now=row.now + seconds)
        tokens = max(least, int(rate * GRANT))
        answer = decide(row, Ask(tokens, priority, more=priority % 2 == 0, least=least))
        if answer.grant is not None:
            assert answer.grant.at <= row.now + GRANT + 1e-6
            assert answer.grant.tokens >= least
            slots += [answer.grant.at + i * answer.grant.spacing for i in range(answer.grant.tokens)]
        row = after(row, answer, 0.0)
    gaps = [b - a for a, b in pairwise(slots)]
    assert all(gap >= 1 / rate - 1e-4 for gap in gaps)


def held(tokens: int, rate: float = 100.0, *, at: float = 0.0) -> Pace:
    pace = Pace()
    pace.add(Grant(1, 1000 + at, tokens, 1 / rate, 1000.0), heard=0.0)
    return pace


def test_a_message_takes_a_slot_for_each_of_its_segments() -> None:
    pace = held(7)
    assert pace.wait(0.0, 3) == 0
    pace.take(3)
    assert pace.wait(0.0, 3) == pytest.approx(0.03)
    pace.take(3)
    assert pace.wait(0.06, 3) == math.inf
    assert pace.tokens(0.06) == 1


def test_a_slot_may_be_a_little_late_and_is_lost_when_it_is_later() -> None:
    assert held(10).tokens(0.014) == 10  # a slot each 10 ms
    assert held(10).tokens(0.049) == 6
    assert held(100, rate=1000.0).tokens(LATE) == 100
    assert held(100, rate=1000.0).tokens(0.0495) == 60
    assert held(10, rate=0.2).tokens(4.9) == 10


def test_tokens_too_few_for_a_long_message_go_to_the_next_grant_of_the_sender() -> None:
    pace = held(2)
    assert pace.wait(0.0, 3) == math.inf
    pace.add(Grant(2, 1000.01, 2, 0.01, 1000.0), heard=0.0)
    assert pace.wait(0.0, 3) == math.inf  # of another sender: a message leaves by one of them
    pace.add(Grant(1, 1000.05, 4, 0.01, 1000.0), heard=0.0)
    assert pace.wait(0.0, 3) == pytest.approx(0.03)
    pace.take(3)
    assert pace.tokens(0.0) == 5


def test_a_slow_answer_does_not_move_slots_into_those_of_a_neighbour() -> None:
    pace = held(1)
    pace.take(1)
    pace.add(Grant(1, 1001.0, 1, 0.01, 1000.5), heard=0.9)  # it took 0.4 s to come
    assert pace.wait(0.9, 1) == pytest.approx(0.1)


def test_what_is_left_is_told_by_the_databases_clock() -> None:
    pace = held(10)
    pace.take(4)
    ((sender, start, until),) = pace.unspent()
    assert (sender, start, until) == pytest.approx((1, 1000.04, 1000.1))
    assert pace.tokens(0.0) == 0


def test_a_database_whose_clock_is_set_back_is_believed_again_after_some_answers() -> None:
    pace = held(1)
    pace.take(1)
    for i in range(ANSWERS):
        pace.add(Grant(1, 900.0 + i, 1, 0.01, 900.0 + i), heard=1.0 + i)
        pace.unspent()
    pace.add(Grant(1, 950.1, 1, 0.01, 950.0), heard=51.0)
    assert pace.wait(51.0, 1) == pytest.approx(0.1)


def test_a_slow_sender_beside_a_quick_one_is_not_asked_for_the_tokens_of_both() -> None:
    slow = replace(FREE, rate=4.0)
    answer = decide(slow, Ask(25, 50, more=True))
    assert answer.grant is not None
    assert answer.grant.tokens == 1  # GRANT seconds of it
    long = decide(slow, Ask(25, 50, more=True, least=3))
    assert long.grant is not None
    assert long.grant.tokens == 3
    text = decide(replace(FREE, rate=30.0), Ask(9, 50, more=True, least=3))
    assert text.grant is not None
    assert text.grant.tokens == 9  # whole texts, though 8 would be GRANT seconds
