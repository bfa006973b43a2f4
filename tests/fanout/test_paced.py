"""A sender's rate, kept by several workers together: never exceeded, nearly all used, and the urgent goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from alerting import outlets
from alerting.config import Settings
from alerting.fanout import worker
from alerting.fanout.drain import Drain
from alerting.fanout.pace import USED, Grant, Pace
from alerting.store import senders
from alerting.store.engine import transaction
from alerting.store.states import Lane
from bench import pace as bench
from bench import population
from bench.parts import Parts
from channels.sandbox.process import CountingProcess
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country


def paced(rate: float | None, channel: str = "sms") -> None:
    with transaction() as session:
        senders.ensure(session, channel=channel, provider=channel, name="default", rate=rate)


def plan(settings: Settings) -> None:
    while worker.turn(Lane.PLAN, settings, limit=10):
        pass


@contextmanager
def drains(settings: Settings, count: int = 2) -> Iterator[list[Drain]]:
    """Drains of the SMS lane in threads of their own, until the block ends."""
    ours = [Drain("sms", outlets.channels_from(settings)["sms"], settings) for _ in range(count)]
    threads = [threading.Thread(target=drain.run) for drain in ours]
    for thread in threads:
        thread.start()
    try:
        yield ours
    finally:
        deadline = time.monotonic() + 20
        while any(thread.is_alive() for thread in threads):
            assert time.monotonic() < deadline, "a drain did not end"
            for drain in ours:
                drain.limit = 0.0
                for load in list(drain.active):
                    drain.stream.stop(load)
            time.sleep(0.05)


def arrivals(sandbox: Sandbox) -> list[float]:
    return [message.at for message in sandbox.received("sms")]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Grant]:
    """What the drains of this process are given: when a message arrives is up to the machine, when it may leave is not."""
    found: list[Grant] = []
    add = Pace.add

    def noted(pace: Pace, grant: Grant, heard: float) -> None:
        found.append(grant)
        add(pace, grant, heard)

    monkeypatch.setattr(Pace, "add", noted)
    return found


def slots(given: list[Grant]) -> list[float]:
    return sorted(grant.at + n * grant.spacing for grant in given for n in range(grant.tokens))


def until(count: int, sandbox: Sandbox, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while len(sandbox.received("sms")) < count:
        assert time.monotonic() < deadline, "too few arrived"
        time.sleep(0.02)


@pytest.mark.slow
def test_two_worker_processes_keep_a_rate_together_and_use_it(settings: Settings) -> None:
    population.settle(settings.database_url, settings, 2_000)
    population.issue(settings.database_url, squares=100, rows=1, columns=1)
    with CountingProcess() as provider, Parts(settings, provider.http_url, provider.smtp_url) as parts:
        times = bench.arrivals(parts, provider, 20.0, 6.0)
        counts = provider.counts()["sms"]
        leases = Country(settings.database_url).one(
            "SELECT count(DISTINCT token) FROM batch WHERE state = 'leased'"
        )
    # Two that did not know of each other would send twice as many; `make bench` holds the rate to a message.
    assert bench.fullest(times) < 35
    assert 0.3 <= bench.used(times, 20.0) <= 1.25
    assert counts["repeated"] == 0
    assert leases >= 2


def test_a_minor_batch_that_is_under_way_does_not_delay_an_extreme_warning(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    """What the Minor warning holds ahead is a few messages, half a second of four a second, not its batch."""
    paced(4.0)
    country.warn(squares=60, priority=124)
    plan(wired)
    with drains(wired):
        until(4, sandbox)
        extreme = country.warn(squares=60, priority=0)
        plan(wired)
        had = len(arrivals(sandbox))
        until(had + 10, sandbox)
        order = [extreme.hex[:10] in m.text for m in sandbox.received("sms")]
    assert order.index(True) - had <= 6
    after = order[order.index(True) :]
    assert after.count(False) <= 1  # what the other worker held already


def test_no_grant_is_taken_while_something_more_urgent_waits(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    paced(4.0)
    country.warn(priority=124)
    plan(wired)
    drain = Drain("sms", outlets.channels_from(wired)["sms"], wired)
    assert drain._claim()
    assert not drain.grants.ask()
    assert drain.stream.unspent()
    country.warn(priority=0)
    plan(wired)
    drain.grants.ask_at = 0.0
    assert drain.grants.ask()
    assert not drain.stream.unspent()


def test_equally_urgent_authorities_share_a_sender(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    """What the drain has in its hands goes out, a batch and a half; then the other authority catches up."""
    paced(20.0)
    country.warn(squares=60, priority=30)
    country.run("UPDATE dispatch SET authority = 'large'")
    plan(wired)
    with drains(wired, 1):
        until(20, sandbox)
        small = country.warn(squares=2, priority=30)
        country.run("UPDATE dispatch SET authority = 'small' WHERE alert = :a", a=small)
        plan(wired)
        had = len(arrivals(sandbox))
        until(had + 50, sandbox)
        ours = [small.hex[:10] in m.text for m in sandbox.received("sms")][had : had + 50]
    assert sum(ours) >= 15


def test_a_sender_of_less_than_one_a_second_is_kept_too(
    country: Country, wired: Settings, sandbox: Sandbox, given: list[Grant]
) -> None:
    paced(0.8)
    country.warn()
    plan(wired)
    with drains(wired):
        until(3, sandbox)
        times = slots(given)
    assert min(b - a for a, b in pairwise(times)) > 1.262


def test_a_text_of_three_segments_takes_the_time_of_three(
    country: Country, wired: Settings, sandbox: Sandbox, given: list[Grant]
) -> None:
    paced(30.0)
    alert = country.warn()
    country.run("ALTER TABLE rendering DISABLE TRIGGER rendering_never_updated")
    country.run("UPDATE rendering SET segments = 3 WHERE alert = :a", a=alert)
    country.run("ALTER TABLE rendering ENABLE TRIGGER rendering_never_updated")
    plan(wired)
    assert country.one("SELECT max(n_to - n_from + 1) FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE channel = 'sms'") == 10  # fmt: skip
    with drains(wired):
        until(25, sandbox)
        sent = len(arrivals(sandbox))
        times = slots(given)
    assert 3 * sent <= len(times)
    assert bench.fullest(times) <= 31


def test_two_senders_of_a_channel_are_used_together(
    country: Country, wired: Settings, sandbox: Sandbox, given: list[Grant]
) -> None:
    for name, rate in (("short", 15.0), ("long", 5.0)):
        with transaction() as session:
            senders.ensure(session, channel="sms", provider="sms", name=name, rate=rate)
    country.warn(squares=60)
    plan(wired)
    with drains(wired):
        until(50, sandbox)
        senders_of = {grant.sender: grant.spacing for grant in given}
        fullest = {each: bench.fullest(slots([g for g in given if g.sender == each])) for each in senders_of}
    assert sorted(senders_of.values()) == pytest.approx([1 / (15 * USED), 1 / (5 * USED)])
    assert sum(fullest.values()) <= 22


def test_what_a_drain_does_not_use_it_gives_back(country: Country, wired: Settings, sandbox: Sandbox) -> None:
    paced(4.0)
    country.warn()
    plan(wired)
    country.run("UPDATE dispatch SET expires = now() + interval '1 h'")
    with drains(wired, 1) as (drain,):
        until(2, sandbox)
        drain.stream.grant(_far(drain), drain.clock())
    ahead = country.one("SELECT extract(epoch FROM next_free - clock_timestamp()) FROM sender")
    assert ahead < 0.5


def _far(drain: Drain) -> Grant:
    """A grant of a hundred seconds, as the row would give it, taken and not used."""
    with transaction() as session:
        row = senders.lock(session, drain.channel)
        assert row is not None
        grant = Grant(row.sender, row.next_free, 400, 0.25, row.now)
        senders.give(session, row.sender, next_free=row.next_free + 100, turn=None, turn_until=0)
    return grant


def test_without_a_rate_the_senders_row_is_left_alone(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced(None)
    country.warn()
    plan(wired)
    asked = []
    monkeypatch.setattr(senders, "lock", lambda *_: asked.append(1))
    Drain("sms", outlets.channels_from(wired)["sms"], wired).run()
    assert not asked
    assert len(sandbox.counts("sms")) > 50


def test_a_database_that_is_away_while_a_grant_is_asked_for_loses_time_and_nobody(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced(200.0)
    country.warn()
    plan(wired)
    failing = iter([True] * 5)
    lock = senders.lock

    def away(session: Session, channel: str) -> senders.Standing | None:
        if next(failing, False):
            raise OperationalError("", None, Exception("server closed the connection"))
        return lock(session, channel)

    monkeypatch.setattr(senders, "lock", away)
    Drain("sms", outlets.channels_from(wired)["sms"], wired).run()
    assert set(sandbox.counts("sms").values()) == {1}
    assert country.one("SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status <> 'accepted'") == 0  # fmt: skip


def test_the_rate_of_a_sender_that_loses_its_limit_no_longer_holds(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    paced(2.0)
    country.warn()
    plan(wired)
    with drains(wired, 1):
        until(2, sandbox)
        paced(None)
        until(60, sandbox, 10)


def test_a_rate_that_is_raised_does_not_wait_for_what_the_slow_one_gave_away(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    paced(0.01)
    country.warn()
    plan(wired)
    with drains(wired, 1):
        until(1, sandbox)
    paced(50.0)
    assert country.one("SELECT next_free < now() + interval '0.1 s' FROM sender")
