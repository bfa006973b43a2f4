"""What ends is closed in pieces: by the batches that hold it, range by range, and then met no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerting.config import Settings
from alerting.fanout import sweep
from alerting.fanout.sweep import Sweep
from alerting.store import batches
from alerting.store.engine import transaction
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country
from tests.fanout.test_drain import drained, expand_all


def later(settings: Settings) -> Sweep:
    """A sweep when nobody waits for receipts any more."""
    return Sweep(settings, now=lambda: datetime.now(UTC) + sweep.RECEIPT_PATIENCE + timedelta(minutes=1))


def test_unclaimed_batches_are_closed_about_so_many_rows_together_and_joined(country: Country):
    country.warn()
    expand_all(10)
    dispatch = country.one("SELECT id FROM dispatch WHERE channel = 'sms'")
    ready = country.one("SELECT count(*) FROM batch WHERE dispatch = :d AND state = 'ready'", d=dispatch)
    assert ready > 4
    with transaction() as session:
        batches.again(session, dispatch, [3, 7], not_before=None, attempts=1)
        some = batches.close_ready(session, dispatch, 25)
        assert sum(rows.n_to - rows.n_from + 1 for rows in some) in range(25, 36)
        assert len(some) == 1
        left = batches.close_ready(session, dispatch, 10_000)
        assert (3, 7) in [rows.picked for rows in left]
        assert batches.close_ready(session, dispatch, 10_000) == []


@pytest.mark.parametrize("chunk", [20, 20_000])
def test_a_withdrawn_warning_is_closed_to_its_last_row(
    country: Country, wired: Settings, chunk: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweep, "CHUNK", chunk)
    country.warn()
    expand_all(10)
    dispatch = country.one("SELECT id FROM dispatch WHERE channel = 'sms'")
    with transaction() as session:
        batches.again(session, dispatch, [2, 4], not_before=datetime.now(UTC), attempts=1)
    country.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    Sweep(wired).close_unsent()
    assert set(country.statuses()) == {"withdrawn"}
    assert country.one("SELECT count(*) FROM batch WHERE state <> 'done'") == 0
    assert country.tally_differs() == []


def test_rows_that_no_batch_holds_are_closed_all_the_same(country: Country, wired: Settings):
    country.warn()
    expand_all()
    country.run("UPDATE batch SET state = 'done'")
    country.run("UPDATE dispatch SET expires = now() - interval '1 s'")
    Sweep(wired).close_unsent()
    assert set(country.statuses()) == {"expired"}
    assert country.tally_differs() == []


def test_receipts_are_given_up_range_by_range_until_nothing_is_met_again(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    country.warn()
    expand_all()
    drained(wired)
    drained(wired, "email")
    one = later(wired)
    one.close_finished()
    country.run("UPDATE dispatch SET closed_at = now()")
    texts = len(sandbox.received("sms"))
    monkeypatch.setattr(sweep, "CHUNK", texts // 3 + 1)
    for done in (texts // 3 + 1, 2 * (texts // 3 + 1), texts):
        assert not country.one("SELECT settled FROM dispatch WHERE channel = 'sms'")
        one.give_up_receipts()
        assert country.statuses()["unconfirmed"] == done
    assert country.one("SELECT settled FROM dispatch WHERE channel = 'sms'")
    assert country.one("SELECT settled FROM dispatch WHERE channel = 'email'")
    assert one.given_up == {}
    assert country.tally_differs() == []
