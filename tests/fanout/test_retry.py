"""The retry policy, result by result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.fanout.retry import BACKOFF, FINAL, NO_TIME, decide, rest
from alerting.store.states import FOLLOWS, DeliveryStatus
from channels.base import SendResult, Status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def test_every_result_has_a_rule() -> None:
    assert set(FINAL) | set(BACKOFF) == set(Status)
    assert not set(FINAL) & set(BACKOFF)


@pytest.mark.parametrize("status", list(FINAL))
def test_a_final_result_is_final_and_an_arrow_of_the_state_machine(status: Status) -> None:
    decision = decide(SendResult(1, status), attempts=0, repeated=False, now=NOW, expires=LATER)
    assert decision.again_at is None
    assert decision.status in FOLLOWS[DeliveryStatus.PLANNED]


def test_the_provider_says_how_long_to_wait() -> None:
    decision = decide(
        SendResult(1, Status.THROTTLED, retry_after=17.0), attempts=3, repeated=False, now=NOW, expires=LATER
    )
    assert decision.again_at == NOW + timedelta(seconds=17)


def test_the_pause_doubles_up_to_its_longest() -> None:
    pauses = [
        (
            decide(
                SendResult(1, Status.THROTTLED), attempts=n, repeated=False, now=NOW, expires=LATER
            ).again_at
            or NOW
        )
        - NOW
        for n in range(10)
    ]
    assert [pause.total_seconds() for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_lost_reply_repeats_once_and_then_stays_in_doubt() -> None:
    lost = SendResult(1, Status.AMBIGUOUS)
    assert decide(lost, attempts=0, repeated=False, now=NOW, expires=LATER).again_at is not None
    second = decide(lost, attempts=1, repeated=True, now=NOW, expires=LATER)
    assert (second.status, second.again_at) == (DeliveryStatus.UNCONFIRMED, None)


def test_a_reply_lost_after_the_provider_said_that_it_had_nothing_is_a_first_one() -> None:
    lost = SendResult(1, Status.AMBIGUOUS)
    decision = decide(lost, attempts=3, repeated=True, asked=True, now=NOW, expires=LATER)
    assert (decision.status, decision.again_at) == (DeliveryStatus.PLANNED, NOW + timedelta(seconds=5))


def test_a_lost_reply_waits_until_the_provider_can_know_of_it_whatever_it_says() -> None:
    lost = SendResult(1, Status.AMBIGUOUS, retry_after=0.0)
    decision = decide(lost, attempts=0, repeated=False, now=NOW, expires=LATER)
    assert decision.again_at == NOW + timedelta(seconds=BACKOFF[Status.AMBIGUOUS][0])


def test_what_may_have_been_sent_is_never_called_expired() -> None:
    late = SendResult(1, Status.THROTTLED, retry_after=7200.0)
    decision = decide(late, attempts=1, repeated=True, asked=True, now=NOW, expires=LATER)
    assert (decision.status, decision.again_at) == (DeliveryStatus.UNCONFIRMED, None)


@given(
    st.sampled_from(list(BACKOFF)),
    st.integers(0, 100),
    st.one_of(st.none(), st.floats(0, 1e5)),
    st.floats(0, 7200),
)
def test_nothing_is_tried_again_at_or_after_expiry(
    status: Status, attempts: int, retry_after: float | None, left: float
) -> None:
    expires = NOW + timedelta(seconds=left)
    decision = decide(
        SendResult(1, status, retry_after=retry_after),
        attempts=attempts,
        repeated=False,
        now=NOW,
        expires=expires,
    )
    if decision.again_at is None:
        assert decision.status in (DeliveryStatus.EXPIRED, DeliveryStatus.UNCONFIRMED)
    else:
        assert decision.again_at < expires


def test_a_provider_that_is_down_rests_longer_each_time_unless_it_says_for_how_long() -> None:
    assert [rest(n, None) for n in (1, 2, 3, 9)] == [2, 4, 8, 60]
    assert rest(9, 5.0) == 5.0
    assert rest(1, 86_399.0) == 60.0  # a warning is worth a try


@pytest.mark.parametrize("asked_for", [3600.0, 86_400.0, 1e15, float("inf")])
def test_a_provider_that_asks_for_more_time_than_there_is_ends_it_at_once_and_that_is_said(
    asked_for: float,
) -> None:
    throttled = SendResult(1, Status.THROTTLED, retry_after=asked_for)
    decision = decide(throttled, attempts=0, repeated=False, now=NOW, expires=LATER)
    assert (decision.status, decision.again_at, decision.reason) == (DeliveryStatus.EXPIRED, None, NO_TIME)
    lost = SendResult(1, Status.AMBIGUOUS, retry_after=asked_for)
    assert (
        decide(lost, attempts=0, repeated=False, now=NOW, expires=LATER).status is DeliveryStatus.UNCONFIRMED
    )
