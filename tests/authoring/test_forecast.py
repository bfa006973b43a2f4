"""What a slow sender needs is said before anybody approves, and while it runs; and whom it will not reach in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.authoring import reading
from alerting.cap.model import Severity
from alerting.store import senders
from alerting.store.engine import transaction
from alerting.store.forecast import lasting
from alerting.store.states import AlertState
from alerting.tracking import reports

from .conftest import NOW, Desk, Follow, info, warning


@pytest.fixture
def forty(follow: Follow) -> None:
    """Forty telephones in AA-1."""
    for _ in range(40):
        follow("AA-1")


def paced(rate: float) -> None:
    with transaction() as session:
        senders.ensure(session, channel="sms", provider="sms", name="default", rate=rate)


def texts_of(segments: int) -> None:
    """Let every text have so many segments: what the words need is the wording's own business."""
    with transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE rendering DISABLE TRIGGER rendering_never_updated")
        session.connection().exec_driver_sql(
            f"UPDATE rendering SET segments = {segments} WHERE channel = 'sms'"
        )
        session.connection().exec_driver_sql("ALTER TABLE rendering ENABLE TRIGGER rendering_never_updated")


def test_an_approver_is_told_how_long_it_takes_for_how_many(careful_desk: Desk, forty: None) -> None:
    paced(0.1)
    made = careful_desk.submit(warning())
    assert made.state is AlertState.SUBMITTED
    (sms,) = made.forecasts
    needed = 40 * sms.segments / 0.1
    assert (sms.channel, sms.people, sms.rate, sms.ahead, sms.seconds) == ("sms", 40, 0.1, 0, needed)
    assert sms.words == f"{lasting(needed)} for 40 people"
    assert reading.forecasts(made.id, now=NOW) == made.forecasts
    assert [each for each in made.warnings if each.rule == "PACE"] == []
    issued = careful_desk.approve(made.id)
    assert issued.forecasts == made.forecasts
    assert reading.forecasts(made.id, now=NOW) == ()


def test_less_time_than_messages_is_a_warning_that_says_for_how_many_it_suffices(
    desk: Desk, forty: None
) -> None:
    paced(0.01)
    made = desk.submit(warning("w-1", info(expires=NOW + timedelta(minutes=30))))
    (sms,) = made.forecasts
    assert sms.reachable == 18 // sms.segments
    (said,) = [each for each in made.warnings if each.rule == "PACE"]
    assert said.pointer == "/info/0/expires"
    assert f"only about {sms.reachable} of 40 people can be reached by sms before 12:30 UTC" in said.message
    assert "the most severe are sent first" in said.message


def test_what_is_queued_before_it_counts_and_what_is_less_urgent_does_not(desk: Desk, forty: None) -> None:
    paced(10)
    first = desk.submit(warning("w-1"))
    dispatch = desk.dispatches(first.id)["sms"]["id"]
    with transaction() as session:
        session.connection().exec_driver_sql(f"INSERT INTO tally VALUES ({dispatch}, 0, 'planned', 1000)")
        session.connection().exec_driver_sql("UPDATE dispatch SET expires = now() + interval '1 hour'")
    longest = first.forecasts[0].segments
    behind = desk.submit(warning("w-2")).forecasts[0]
    assert behind.ahead == 1000 * longest
    assert behind.seconds == (1000 + 40) * longest / 10
    extreme = info(severity=Severity.EXTREME)
    assert desk.submit(warning("w-3", extreme)).forecasts[0].ahead == 0


def test_a_channel_without_a_rate_has_no_forecast_and_counts_nobody_in_vain(desk: Desk, forty: None) -> None:
    made = desk.submit(warning())
    assert (made.forecasts, made.people) == ((), ())


def test_a_report_says_what_is_left_and_how_long_that_takes(desk: Desk, forty: None) -> None:
    made = desk.submit(warning())
    dispatch = desk.dispatches(made.id)["sms"]["id"]
    with transaction() as session:
        session.connection().exec_driver_sql(
            f"INSERT INTO tally VALUES ({dispatch}, 0, 'planned', 300), ({dispatch}, 0, 'expired', 7)"
        )
    (sms,) = [row for row in reports.report(made.id, language="en").dispatches if row.channel == "sms"]
    assert (sms.left, sms.planned, sms.seconds_left) == (300, 307, None)
    paced(2.0)
    texts_of(3)
    (sms,) = [row for row in reports.report(made.id, language="en").dispatches if row.channel == "sms"]
    assert sms.seconds_left == 450


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 1 second"),
        (40.2, "about 41 seconds"),
        (90, "about 2 minutes"),
        (1_200, "about 20 minutes"),
        (7_200, "about 2 hours"),
        (4e6, "about 1 112 hours"),
    ],
)
def test_a_duration_is_told_in_words_and_rounded_up(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
