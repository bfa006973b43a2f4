"""Time: nothing leaves after its text has expired or was withdrawn, and nobody is told a validity that outlives it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from alerting import outlets
from alerting.config import Settings
from alerting.fanout import expand
from alerting.fanout.drain import Drain
from alerting.store import senders
from alerting.store.engine import transaction
from channels.base import Message
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox
from channels.twilio_sms import TwilioSms
from tests.fanout.country import Country

SMS = "FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms'"


def planned(country: Country, *, size: int = 1_000, **warning: float) -> None:
    country.warn(**warning)  # type: ignore[arg-type]  # squares, priority, hours
    while expand.expand_next(lambda _: size, now=datetime.now(UTC), percent=10):
        pass


def drain(settings: Settings) -> Drain:
    adapter = outlets.channels_from(settings)["sms"]
    return Drain("sms", adapter, settings)


def paced(rate: float) -> None:
    with transaction() as session:
        senders.ensure(session, channel="sms", provider="sms", name="default", rate=rate)


def segment_ends(country: Country, n: int, seconds: float) -> None:
    country.run("ALTER TABLE segment DISABLE TRIGGER segment_never_updated")
    country.run("UPDATE segment SET expires = :at WHERE n = :n", n=n, at=datetime.now(UTC) + timedelta(seconds=seconds))  # fmt: skip
    country.run("ALTER TABLE segment ENABLE TRIGGER segment_never_updated")


def test_a_provider_that_asks_for_longer_than_is_left_ends_it_at_once_with_the_reason(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    planned(country)
    sandbox.misbehave(Rule("sms", http=429, code=20429, retry_after=7 * 3600.0, times=5))
    drain(wired).run()
    assert country.rows(
        f"SELECT CAST(v.status AS text), v.reason, count(*) {SMS} AND v.reason IS NOT NULL GROUP BY 1, 2"
    ) == [("expired", "no_time_to_retry", 5)]
    assert country.one("SELECT count(*) FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE d.channel = 'sms' AND b.state = 'ready'") == 0  # fmt: skip
    assert country.tally_differs() == []


def test_of_a_batch_with_two_texts_only_those_of_the_expired_one_are_left_out(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    planned(country)
    assert country.one("SELECT count(DISTINCT segment) FROM delivery") == 2
    segment_ends(country, 0, 2.5)
    paced(100.0)
    sandbox.misbehave(Rule("sms", latency=0.05))
    drain(wired).run()
    found = country.rows(f"SELECT v.segment, CAST(v.status AS text) {SMS} GROUP BY 1, 2 ORDER BY 1, 2")
    assert (0, "accepted") in found
    assert [row for row in found if row[0] == 1] == [(1, "accepted")]
    assert country.tally_differs() == []


def test_a_batch_that_is_claimed_in_the_last_second_of_its_text_is_not_sent(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    planned(country)
    for n in (0, 1):
        segment_ends(country, n, 0.9)
    drain(wired).run()
    assert sandbox.received("sms") == []
    assert country.rows(f"SELECT DISTINCT CAST(v.status AS text) {SMS}") == [("expired",)]


def test_no_validity_outlives_its_text_however_long_a_message_waited(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    country.run("DELETE FROM follow WHERE cell IS NOT NULL")
    country.run("DELETE FROM follow WHERE id % 4 <> 0")
    planned(country, hours=20 / 3600)
    ends = country.one("SELECT max(expires) FROM dispatch").timestamp()
    told: list[tuple[float, float]] = []
    body = TwilioSms._body

    def noted(self: TwilioSms, message: Message) -> bytes:
        made = body(self, message)
        valid = int(made.rpartition(b"ValidityPeriod=")[2])
        told.append((time.time() + valid, message.validity or 0.0))
        return made

    monkeypatch.setattr(TwilioSms, "_body", noted)
    paced(8.0)
    drain(wired).run()
    assert len(told) > 20
    assert max(until for until, _ in told) <= ends
    assert min(until for until, _ in told) > ends - 2.5
    assert told[0][1] - told[-1][1] > 1  # they did wait


def test_a_paced_batch_stops_within_a_flush_when_its_warning_is_withdrawn(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[tuple[float, float]] = []
    flush = Drain._flush

    def noted(self: Drain) -> None:
        began = time.time()
        flush(self)
        flushes.append((began, time.time()))

    monkeypatch.setattr(Drain, "_flush", noted)
    paced(20.0)
    planned(country, squares=60, size=20)
    ours = drain(wired)
    thread = threading.Thread(target=ours.run)
    thread.start()
    while len(sandbox.received("sms")) < 20:
        time.sleep(0.02)
    country.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    withdrawn = time.time()
    thread.join(20)
    assert not thread.is_alive()
    stopped = min(ended for began, ended in flushes if began > withdrawn)
    after = [message for message in sandbox.received("sms") if message.at > stopped]
    assert len(after) <= 2  # what was on its way
