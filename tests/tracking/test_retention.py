"""What is old leads to nobody any more, and is counted as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alerting.config import Settings
from alerting.fanout.sweep import Sweep
from alerting.store import audit, notices, suppression
from alerting.store import retention as rows
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.tracking import receipts, retention
from alerting.tracking.retention import Forgotten
from bench import population
from channels.base import ReceiptEvent, Status
from tests.fanout.country import PEOPLE, Country
from tests.fanout.test_drain import drained, expand_all

LATER = datetime.now(UTC) + timedelta(days=100)


@pytest.fixture
def sent(settings: Settings) -> Country:
    """A country in which a warning has been planned and everybody has some status, with a receipt."""
    population.settle(settings.database_url, settings, PEOPLE)
    country = Country(settings.database_url)
    country.warn(hours=1)
    expand_all()
    country.run(
        """UPDATE delivery SET reference = 'SM' || n, reason = CASE WHEN n % 3 = 0 THEN 'unreachable' END,
                  status = CASE WHEN n % 3 = 0 THEN 'undelivered' ELSE 'delivered' END ::delivery_status
           WHERE address IS NOT NULL"""
    )
    country.run("DELETE FROM tally")
    country.run("INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3")
    country.run("UPDATE dispatch SET state = 'done', closed_at = now()")
    country.run("UPDATE batch SET state = 'done', picked = '{3,6}'")
    country.run(
        """INSERT INTO receipt (provider, event_id, dispatch, n, status, reference, raw, received_at)
           SELECT 'twilio', 'SM' || dispatch || '-' || n, dispatch, n, 'delivered', 'SM' || n, '{"MessageSid": "SM"}', now()
           FROM delivery WHERE address IS NOT NULL ORDER BY dispatch, n"""
    )
    country.run("INSERT INTO progress SELECT 'receipts', max(id) FROM receipt")
    return country


def forget(settings: Settings, now: datetime = LATER, chunks: int | None = None) -> Forgotten:
    return retention.forget(settings, actor="tests", now=now, chunks=chunks)


def addressed(country: Country) -> int:
    return int(country.one("SELECT count(*) FROM delivery WHERE address IS NOT NULL"))


def test_after_its_time_nothing_says_who_got_a_warning_and_the_counts_stand(
    sent: Country, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows.forget_recipients, "__kwdefaults__", {"limit": 50})
    n, before = addressed(sent), sent.statuses()
    kinds = "SELECT segment, region, language, status, reason, count(*) FROM delivery GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4"
    what = sent.rows(kinds)
    assert forget(settings) == Forgotten(deliveries=n, receipts=n)
    assert addressed(sent) == 0
    assert sent.one("SELECT count(*) FROM delivery WHERE reference IS NOT NULL") == 0
    assert (
        sent.one("SELECT count(*) FROM receipt WHERE reference IS NOT NULL OR n IS NOT NULL OR raw <> '{}'")
        == 0
    )
    assert sent.one("SELECT count(*) FROM receipt WHERE event_id LIKE 'SM%'") == 0
    assert sent.one("SELECT count(*) FROM batch WHERE picked IS NOT NULL") == 0
    assert (sent.statuses(), sent.rows(kinds), sent.tally_differs()) == (before, what, [])
    assert forget(settings) == Forgotten()


def test_rows_are_dealt_out_anew_so_that_their_order_says_nothing(sent: Country, settings: Settings) -> None:
    """Without it n, which follows the ids of subscribers, would lead from a person to a row."""
    query = (
        "SELECT n, status, language FROM delivery WHERE address IS NULL AND feed IS NULL ORDER BY dispatch, n"
    )
    before = sent.rows(query.replace("address IS NULL", "address IS NOT NULL"))
    forget(settings)
    assert sent.rows(query) != before


def test_a_run_is_in_the_audit_by_its_counts_alone(sent: Country, settings: Settings) -> None:
    n = addressed(sent)
    forget(settings)
    forget(settings)
    with transaction() as session:
        (entry,) = [entry for entry in audit.entries(session) if entry.act == "retention.run"]
    assert entry.detail == {"deliveries": n, "receipts": n, "notices": 0, "addresses": 0}


def test_nothing_is_forgotten_before_its_time_nor_while_it_is_switched_off(
    sent: Country, settings: Settings
) -> None:
    assert not forget(settings, now=datetime.now(UTC) + timedelta(days=89))
    assert not forget(replace(settings, retention_deliveries=0, retention_addresses=0))
    sent.run("UPDATE dispatch SET state = 'held'")
    assert forget(settings).deliveries == 0


def test_a_run_that_was_cut_short_goes_on_where_it_stood(
    sent: Country, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows.forget_recipients, "__kwdefaults__", {"limit": 40})
    n = addressed(sent)
    assert 0 < forget(settings, chunks=1).deliveries <= 40
    assert addressed(sent) < n
    forget(settings)
    assert addressed(sent) == 0


def test_the_sweep_forgets_while_nothing_is_being_sent(sent: Country, settings: Settings) -> None:
    n = addressed(sent)
    sent.warn(hours=200 * 24)
    sweep = Sweep(settings, now=lambda: LATER)
    sweep.forget()
    assert addressed(sent) == n
    sent.run("UPDATE dispatch SET state = 'done' WHERE state = 'planning'")
    sweep.forget()
    assert addressed(sent) == 0


def test_a_receipt_that_comes_later_moves_the_count_and_brings_nothing_back(
    sent: Country, settings: Settings
) -> None:
    sent.run("UPDATE delivery SET status = 'accepted' WHERE address IS NOT NULL")
    sent.run("DELETE FROM tally")
    sent.run("INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3")
    forget(settings)
    dispatch, n = sent.rows(
        "SELECT dispatch, n FROM delivery WHERE address IS NULL AND feed IS NULL LIMIT 1"
    )[0]
    receipts.record(
        [ReceiptEvent("twilio", "SM7:delivered", f"{dispatch}.{n}", Status.DELIVERED, None, "SM7", {})],
        now=LATER,
    )
    while receipts.apply_next(now=LATER):
        pass
    assert sent.rows(
        "SELECT status, reference FROM delivery WHERE dispatch = :d AND n = :n", d=dispatch, n=n
    ) == [("delivered", None)]
    assert sent.tally_differs() == []


def test_an_unapplied_receipt_is_left_alone(sent: Country, settings: Settings) -> None:
    sent.run("UPDATE progress SET id = 10 WHERE reader = 'receipts'")
    assert forget(settings).receipts == 10


def test_the_words_of_an_old_answer_go_and_a_replay_of_the_question_stays_known(settings: Settings) -> None:
    country = Country(settings.database_url)
    country.run(
        """INSERT INTO notice (kind, language, text, segments, sha256, created_at)
           VALUES ('reply', 'en', 'You wrote: my name', 1, '', now())"""
    )
    country.run(
        """INSERT INTO dispatch (notice, audience, channel, state, priority, planned, created_at, expires)
           VALUES (1, 'person', 'sms', 'done', 1000, 1, now(), now())"""
    )
    country.run("INSERT INTO delivery VALUES (1, 1, 77, NULL, -1, 0, 'en', 'delivered')")
    with transaction() as session:
        assert notices.hear(session, "twilio", "SM9", now=datetime.now(UTC))
        assert notices.may_answer(session, "twilio", 77, now=datetime.now(UTC))
    country.run("INSERT INTO progress SELECT 'receipts', max(id) FROM receipt")
    assert forget(settings) == Forgotten(deliveries=1, receipts=2, notices=1)
    assert country.rows("SELECT text FROM notice") == [("",)]
    assert country.one("SELECT count(*) FROM receipt WHERE event_id ~ 'SM9|77'") == 0
    with transaction() as session:
        assert not notices.hear(session, "twilio", "SM9", now=LATER)


def test_an_address_that_stopped_long_ago_goes_and_its_stop_stays(settings: Settings) -> None:
    population.settle(settings.database_url, settings, 24)
    country = Country(settings.database_url)
    country.run("UPDATE address SET state = 'stopped', stopped_at = now() WHERE id IN (1, 2)")
    country.run("UPDATE address SET state = 'dead', stopped_at = now() WHERE id = 3")
    assert not forget(settings, now=datetime.now(UTC) + timedelta(days=364))
    assert forget(settings, now=datetime.now(UTC) + timedelta(days=366)) == Forgotten(addresses=3)
    assert country.one("SELECT count(*) FROM address") == 21
    assert country.one("SELECT count(*) FROM subscriber") == 21
    vault = Vault(settings)
    stopped = ("sms", vault.mac("sms", "+4915000000001"))
    with transaction() as session:
        assert suppression.among(session, [stopped, ("sms", vault.mac("sms", "+4915000000003"))]) == {stopped}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipt SET status = 'delivered'",
        "UPDATE receipt SET reference = NULL, n = NULL, raw = '{}'",
        "UPDATE receipt SET reference = NULL, n = NULL, raw = '{}', event_id = 'x'",
        f"UPDATE receipt SET reference = NULL, n = NULL, raw = '{{}}', event_id = {rows.DIGEST}, status = 'delivered'",
        "UPDATE notice SET text = 'something else'",
        "UPDATE notice SET text = '', subject = NULL, html = NULL, kind = 'probe'",
    ],
)
def test_what_is_kept_can_be_emptied_and_never_changed(settings: Settings, statement: str) -> None:
    country = Country(settings.database_url)
    country.run(
        """INSERT INTO notice (kind, language, text, segments, sha256, created_at)
           VALUES ('reply', 'en', 'x', 1, '', now())"""
    )
    country.run(
        """INSERT INTO receipt (provider, event_id, n, status, reference, raw, received_at)
           VALUES ('p', 'e', 1, 'unknown', 'r', '{"a": "b"}', now())"""
    )
    with pytest.raises(DBAPIError, match="never changed"), transaction() as session:
        session.execute(text(statement))


def test_a_row_without_a_recipient_cannot_wait_to_be_sent(database: str) -> None:
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO delivery (dispatch, n, segment, region, language, status) VALUES (1, 1, 0, 0, 'en', 'planned')"
        )


def test_a_recipient_who_was_forgotten_in_the_middle_is_counted_as_opted_out(settings: Settings) -> None:
    """The address is gone: the row still waits, ends as opted_out when it is read, and nothing is sent."""
    population.settle(settings.database_url, settings, 60)
    country = Country(settings.database_url)
    country.warn()
    expand_all()
    country.run("DELETE FROM address WHERE channel = 'sms'")
    drained(settings)
    assert country.rows(
        "SELECT DISTINCT v.status, v.reason FROM delivery v JOIN dispatch ON id = dispatch WHERE channel = 'sms'"
    ) == [("opted_out", "erased")]
