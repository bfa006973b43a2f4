"""The failure matrix's first lines: whoever is killed or stopped, nobody is lost and the repeats are bounded."""

from __future__ import annotations

import signal
import time

import pytest
from redis import Redis

from alerting.fanout import bell
from alerting.store.batches import LEASE
from tests.chaos.conftest import Cluster

RATE = 400.0
IN_FLIGHT = 64

#: What may be repeated of one killed worker: what was in flight, and what its allowance let go unwritten.
BOUND = 264


def start_all(cluster: Cluster, **environ: str) -> None:
    for lane in ("plan", "sms"):
        cluster.parts.start(lane, "worker", lane, **environ)
    cluster.parts.start("sweep", "sweep", **environ)


@pytest.mark.slow
def test_a_worker_killed_in_mid_batch_loses_nobody_and_its_repeats_are_marked(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    start_all(cluster, SMS_RATE=str(RATE), SMS_IN_FLIGHT=str(IN_FLIGHT))
    cluster.until(lambda: cluster.received() > 250, 20)
    cluster.parts.signal("sms", signal.SIGKILL)
    leased = cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
    cluster.parts.start("sms", "worker", "sms", SMS_RATE=str(RATE), SMS_IN_FLIGHT=str(IN_FLIGHT))
    cluster.until(cluster.finished, 40)
    counts, marked = cluster.counts(), cluster.marked()
    repeated = {to for to, times in counts.items() if times > 1}
    assert leased, "the worker was killed between two batches: nothing was proven"
    assert set(counts) == cluster.planned()
    assert max(counts.values()) <= 2
    assert repeated <= marked
    assert len(repeated) <= BOUND
    assert 0 < len(marked) <= 2 * BOUND
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_a_planner_killed_in_mid_expansion_loses_and_repeats_nobody(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.parts.python(
        "plan",
        "-c",
        "from alerting.config import Settings; from alerting.fanout import expand, worker;"
        "from alerting.store import expansion; from alerting.store.states import Lane;"
        "expand.RANGES = (10,); expand.MOST_RANGES = 1; expansion.FEW = 1; s = Settings.from_env(); worker.prepare(s);"
        "worker.turn(Lane.PLAN, s, limit=60)",
    )
    cluster.until(lambda: cluster.country.one("SELECT max(ranges) FROM dispatch") > 20, 20)  # type: ignore[operator]
    cluster.parts.signal("plan", signal.SIGKILL)
    assert cluster.country.rows("SELECT 1 FROM dispatch WHERE state = 'planning'"), "it had already ended"
    start_all(cluster)
    cluster.until(cluster.finished, 30)
    counts = cluster.counts()
    assert set(counts) == cluster.everybody()  # the first segment covers the whole country
    assert set(counts.values()) == {1}
    assert not cluster.marked()


@pytest.mark.slow
def test_a_worker_stopped_past_its_lease_writes_nothing_more(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    start_all(cluster, SMS_RATE=str(RATE), SMS_IN_FLIGHT=str(IN_FLIGHT))
    cluster.until(lambda: cluster.received() > 250, 20)
    cluster.parts.signal("sms", signal.SIGSTOP)
    cluster.parts.running["stopped"] = cluster.parts.running.pop("sms")
    assert cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'"), "nothing was leased"
    cluster.parts.start("sms", "worker", "sms", SMS_RATE=str(RATE), SMS_IN_FLIGHT=str(IN_FLIGHT))
    cluster.until(cluster.finished, 2 * LEASE + 20)
    before = cluster.country.rows("SELECT n, attempts, status, at FROM delivery ORDER BY dispatch, n")
    received = cluster.received()
    cluster.parts.signal("stopped", signal.SIGCONT)
    time.sleep(2)
    assert cluster.country.rows("SELECT n, attempts, status, at FROM delivery ORDER BY dispatch, n") == before
    assert cluster.received() - received <= IN_FLIGHT
    counts = cluster.counts()
    assert set(counts) == cluster.planned()
    assert {to for to, times in counts.items() if times > 1} <= cluster.marked()
    assert sum(times - 1 for times in counts.values()) <= BOUND


@pytest.mark.slow
def test_an_emptied_redis_in_mid_run_loses_and_repeats_nobody(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    start_all(cluster, SMS_RATE=str(RATE))
    cluster.parts.start("email", "worker", "email", EMAIL_RATE=str(RATE))
    with Redis.from_url(cluster.parts.settings.redis_url) as redis:
        cluster.until(lambda: cluster.received() > 50, 20)
        for _ in range(20):
            redis.flushdb()
            time.sleep(0.1)
    cluster.until(lambda: cluster.finished("sms") and cluster.finished("email"), 30)
    for channel in ("sms", "email"):
        assert set(cluster.counts(channel)) == cluster.everybody(channel)
        assert set(cluster.counts(channel).values()) == {1}
    assert not cluster.marked()


@pytest.mark.slow
def test_without_redis_the_sweeps_children_do_the_work(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.parts.start("sweep", "sweep", REDIS_URL="redis://127.0.0.1:1/0")
    assert cluster.until(lambda: cluster.received() > 0, 15) <= 8
    cluster.until(cluster.finished, 30)
    assert set(cluster.counts()) == cluster.everybody()
    assert set(cluster.counts().values()) == {1}


@pytest.mark.slow
def test_a_bell_that_was_never_rung_delays_the_first_message_by_three_seconds_at_most(
    cluster: Cluster,
) -> None:
    start_all(cluster)
    bell.configure(cluster.parts.settings.redis_url)
    with Redis.from_url(cluster.parts.settings.redis_url) as redis:
        cluster.until(lambda: redis.scard("rq:workers:sms") and redis.scard("rq:workers:plan"), 20)
    time.sleep(1.5)
    cluster.country.warn(squares=100)  # as if the web process had died between commit and bell
    assert cluster.until(lambda: cluster.received() > 0, 10) <= 3.0


@pytest.mark.slow
def test_while_redis_is_up_every_lease_belongs_to_an_rq_job(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    start_all(cluster, SMS_RATE=str(RATE))
    with Redis.from_url(cluster.parts.settings.redis_url) as redis:
        seen = 0
        deadline = time.monotonic() + 20
        while not cluster.finished() and time.monotonic() < deadline:
            if cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'"):
                # A job that has just ended may still hold nothing: both must be looked at in one moment.
                if redis.zcard("rq:wip:sms") == 0:
                    assert not cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
                else:
                    seen += 1
            time.sleep(0.01)
    assert seen > 20
