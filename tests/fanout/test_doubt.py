"""Messages in doubt when their warning ends: they may have been read, so they are told of a cancel and never denied."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerting.config import Settings
from alerting.fanout import expand
from alerting.fanout.sweep import Sweep
from alerting.store import outbox
from alerting.store.engine import transaction
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country
from tests.fanout.test_drain import drained, expand_all


@pytest.fixture
def in_doubt(country: Country, wired: Settings, sandbox: Sandbox) -> Country:
    """A warning that half of the country has, five in doubt, the rest waits."""
    country.warn()
    expand_all(size=20)
    sandbox.misbehave(Rule("sms", http=504, times=5))
    country.run("UPDATE batch SET not_before = now() + interval '1 h' WHERE n_from > 40")
    drained(wired)
    assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'planned'") == 5
    return country


def statuses(country: Country, *, doubt: bool) -> set[str]:
    return {
        row[0]
        for row in country.rows(
            """SELECT CAST(v.status AS text) FROM delivery v JOIN dispatch d ON d.id = v.dispatch
               WHERE d.channel = 'sms' AND v.maybe_repeated = :doubt""",
            doubt=doubt,
        )
    }


def test_a_withdrawn_message_that_may_have_left_is_unconfirmed(in_doubt: Country, wired: Settings) -> None:
    in_doubt.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    Sweep(wired).close_unsent()
    assert statuses(in_doubt, doubt=True) == {"unconfirmed"}
    assert statuses(in_doubt, doubt=False) == {"accepted", "withdrawn"}
    assert in_doubt.tally_differs() == []


def test_an_expired_message_that_may_have_left_is_unconfirmed(in_doubt: Country, wired: Settings) -> None:
    in_doubt.run("UPDATE dispatch SET expires = now() - interval '1 s'")
    Sweep(wired).close_unsent()
    assert statuses(in_doubt, doubt=True) == {"unconfirmed"}
    assert statuses(in_doubt, doubt=False) == {"accepted", "expired"}
    assert in_doubt.tally_differs() == []


def test_a_cancel_is_told_to_those_in_doubt_before_and_after_the_sweep_has_closed_them(
    in_doubt: Country, wired: Settings
) -> None:
    alert = in_doubt.one("SELECT alert FROM dispatch LIMIT 1")
    old = in_doubt.one("SELECT id FROM dispatch WHERE channel = 'sms'")
    for closed in (False, True):
        with transaction() as session:
            outbox.withdraw(session, [alert], now=datetime.now(UTC))
            if closed:
                Sweep(wired).close_unsent()
        cancel = in_doubt.warn()
        in_doubt.run(
            "UPDATE dispatch SET recipients_of = ARRAY[CAST(:d AS bigint)], cursor_segment = 32767 WHERE alert = :a",
            d=old,
            a=cancel,
        )
        while expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10):
            pass
        told = in_doubt.one(
            """SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch
               WHERE d.alert = :a AND d.channel = 'sms'""",
            a=cancel,
        )
        had = in_doubt.one(
            "SELECT count(*) FROM delivery WHERE dispatch = :d AND (status = 'accepted' OR maybe_repeated)",
            d=old,
        )
        assert told == had > 5


def test_rows_that_a_database_lost_the_batch_of_are_in_doubt_and_get_another(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    drained(wired)
    country.run(
        """UPDATE delivery SET status = 'planned' WHERE n <= 5 AND dispatch = (SELECT id FROM dispatch WHERE channel = 'sms')"""
    )
    country.run("DELETE FROM tally")
    country.run(
        "INSERT INTO tally (dispatch, region, status, n) SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3"
    )
    Sweep(wired).close_finished()
    drained(wired)
    assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'accepted'") == 5
    assert set(sandbox.counts("sms").values()) == {1}  # the provider had them
