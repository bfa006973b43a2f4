"""Receipts land while workers write the same rows, in any number, on tables of which nobody keeps statistics."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from alerting import outlets
from alerting.config import Settings
from alerting.fanout import expand
from alerting.fanout.drain import Drain
from alerting.store import deliveries, engine, landing
from alerting.store.deliveries import Outcome
from alerting.store.engine import transaction
from alerting.store.states import DeliveryStatus
from alerting.tracking import receipts
from bench import population
from channels.base import ReceiptEvent, Status
from channels.sandbox.server import Sandbox, SandboxConfig
from tests.fanout.country import PEOPLE, Country

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def country(settings: Settings) -> Country:
    population.settle(settings.database_url, settings, PEOPLE)
    return Country(settings.database_url)


@pytest.fixture
def wired(settings: Settings) -> Iterator[Settings]:
    with Sandbox(SandboxConfig(settings.twilio_account_sid, settings.twilio_auth_token)) as running:
        yield replace(settings, twilio_api_base_url=running.http_url, smtp_url=running.smtp_url)


@pytest.fixture
def texts(country: Country) -> list[tuple[int, int]]:
    """(dispatch, n) of every text that is planned."""
    country.warn()
    while expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10):
        pass
    found = country.rows(
        "SELECT v.dispatch, v.n FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms' ORDER BY 1, 2"
    )
    return [(dispatch, n) for dispatch, n in found]


def event(key: tuple[int, int], status: Status, *, sid: str = "") -> ReceiptEvent:
    sid = sid or f"SM{key[0]}x{key[1]}"
    return ReceiptEvent("twilio", f"{sid}:{status}", f"{key[0]}.{key[1]}", status, None, sid, {})


def apply_all() -> None:
    while receipts.apply_next(now=NOW):
        pass


def test_a_receipt_waits_for_a_flush_under_way_and_goes_on_from_there(
    country: Country, texts: list[tuple[int, int]]
) -> None:
    dispatch, n = texts[0]
    receipts.record([event((dispatch, n), Status.DELIVERED)], now=NOW)
    with ThreadPoolExecutor(1) as sweep:
        with transaction() as session:
            sent = Outcome(n, DeliveryStatus.ACCEPTED, None, "SM-sent", ambiguous=False)
            deliveries.settle(session, dispatch, [sent], now=NOW)
            applied = sweep.submit(receipts.apply_next, now=NOW)
            blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not country.one(blocked):
                assert not applied.done()
        assert applied.result(10) == 1
    row = country.rows(
        "SELECT status, reference, attempts FROM delivery WHERE dispatch = :d AND n = :n", d=dispatch, n=n
    )
    assert row == [("delivered", "SM-sent", 1)]
    assert country.tally_differs() == []


def test_receipts_before_during_and_after_a_drain_all_land(
    country: Country, wired: Settings, texts: list[tuple[int, int]]
) -> None:
    """Two callers post shuffled, doubled words while a worker sends and a sweep applies; each ends where its words lead."""
    chance = random.Random(4)
    final = {key: chance.choice([Status.DELIVERED, Status.UNDELIVERED]) for key in texts}
    words = [(key, status) for key in texts for status in (Status.ACCEPTED, Status.UNKNOWN, final[key])]
    words += chance.sample(words, len(words) // 3)
    words += [((10**9, n), Status.DELIVERED) for n in range(20)]
    chance.shuffle(words)
    done = threading.Event()

    def post(mine: list[tuple[tuple[int, int], Status]]) -> None:
        for at in range(0, len(mine), 7):
            receipts.record([event(key, status) for key, status in mine[at : at + 7]], now=NOW)

    def sweep() -> None:
        while not done.is_set():
            receipts.apply_waiting(now=lambda: NOW, seconds=0.05)

    with ThreadPoolExecutor(3) as pool:
        sweeping = pool.submit(sweep)
        posting = [pool.submit(post, half) for half in (words[::2], words[1::2])]
        Drain("sms", outlets.channels_from(wired)["sms"], wired).run()
        for each in posting:
            each.result(30)
        done.set()
        sweeping.result(30)
    apply_all()
    statuses = country.rows(
        "SELECT v.dispatch, v.n, CAST(v.status AS text) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms'"
    )
    assert {(dispatch, n): status for dispatch, n, status in statuses} == {
        k: s.value for k, s in final.items()
    }
    assert country.tally_differs() == []
    assert country.one("SELECT count(*) FROM receipt") == len(set(words))


def test_a_flood_is_applied_for_the_time_given_and_no_longer(texts: list[tuple[int, int]]) -> None:
    receipts.record([event(key, Status.DELIVERED) for key in texts], now=NOW)
    ticks = iter([0.0, 0.5, 2.0, 2.0])
    whole, receipts.CHUNK = receipts.CHUNK, 10
    try:
        assert receipts.apply_waiting(now=lambda: NOW, seconds=1, clock=lambda: next(ticks)) == 20
        assert receipts.apply_waiting(now=lambda: NOW, seconds=60) == len(texts) - 20
    finally:
        receipts.CHUNK = whole


def test_rows_are_found_by_their_keys_on_a_table_that_was_never_analysed(
    country: Country, texts: list[tuple[int, int]]
) -> None:
    moves = {
        key: landing.Move(DeliveryStatus.PLANNED, DeliveryStatus.DELIVERED, None, "SM1", "twilio")
        for key in texts
    }
    plans: list[str] = []
    country.run("DELETE FROM pg_statistic WHERE starelid = 'delivery'::regclass")
    with transaction() as session:
        session.execute(text("LOAD 'auto_explain'"))
        for name, value in (("log_min_duration", "0"), ("log_level", "notice"), ("log_format", "json")):
            session.execute(text(f"SET LOCAL auto_explain.{name} = '{value}'"))
        raw = session.connection().connection.driver_connection
        raw.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))  # type: ignore[union-attr]
        landing.standing(session, texts)
        landing.move(session, moves, now=NOW)
    told = [plan for plan in plans if '"delivery"' in plan]
    assert len(told) == 2
    for plan in told:
        assert '"Index Name": "delivery_pkey"' in plan
        assert "Hash Join" not in plan
        assert "Merge Join" not in plan
        assert "Seq Scan" not in plan


def test_many_words_for_one_delivery_move_it_once_in_the_tally(
    country: Country, texts: list[tuple[int, int]]
) -> None:
    statuses = [Status.ACCEPTED, Status.DELIVERED, Status.ACCEPTED, Status.BOUNCED, Status.DELIVERED]
    receipts.record([event(texts[0], s, sid=f"SM{i}") for i, s in enumerate(statuses)], now=NOW)
    apply_all()
    assert Counter(country.statuses())["bounced"] == 1
    assert country.tally_differs() == []


def test_the_writer_goes_on_when_its_connection_was_lost(
    country: Country, texts: list[tuple[int, int]]
) -> None:
    receipts.record([event(texts[0], Status.DELIVERED)], now=NOW)
    country.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO receipt%' AND pid <> pg_backend_pid()"
    )
    assert (
        receipts.record([event(texts[1], Status.DELIVERED), event(texts[0], Status.DELIVERED)], now=NOW) == 1
    )
    with pytest.raises(engine.UNAVAILABLE):
        engine.configure("postgresql://127.0.0.1:9/nowhere")
        receipts.record([event(texts[2], Status.DELIVERED)], now=NOW)
    engine.configure(country.url)
    assert receipts.record([event(texts[2], Status.DELIVERED)], now=NOW) == 1
