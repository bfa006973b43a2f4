"""The failure matrix, Redis emptied or down: it only wakes, so nobody is lost and nobody gets anything twice."""

from __future__ import annotations

import threading
import time

import pytest
from redis import Redis

from bench.servers import OwnServers
from tests.chaos.conftest import Cluster

#: Seconds for which a warning may stand still because Redis is gone.
STALL = 5.0


@pytest.mark.slow
def test_an_emptied_redis_in_mid_run_loses_and_repeats_nobody(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms", "email")
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
def test_while_redis_is_up_every_lease_belongs_to_an_rq_job(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
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


@pytest.mark.slow
def test_redis_down_in_mid_run_stalls_nothing_for_more_than_five_seconds_and_repeats_nobody(
    lonely: Cluster, own_servers: OwnServers
) -> None:
    lonely.country.warn(squares=100)
    lonely.paced("sms", "email")
    lonely.until(lambda: lonely.received() > 100 and lonely.received("email") > 100, 20)
    stop = threading.Event()

    def restart_what_ends() -> None:  # as `up` and systemd do
        while not stop.wait(0.5):
            lonely.parts.mend()

    own_servers.kill_valkey()
    mending = threading.Thread(target=restart_what_ends)
    mending.start()
    try:
        assert lonely.stall() <= STALL
        lonely.until(lambda: lonely.finished("email"), 30)
        lonely.country.warn(squares=50)  # another one, all of it without Redis
        before = lonely.received()
        assert lonely.until(lambda: lonely.received() > before, 20) <= STALL
        own_servers.start_valkey()
        assert lonely.stall() <= STALL
        lonely.until(lambda: lonely.finished("email"), 30)
    finally:
        stop.set()
        mending.join()
    assert not lonely.marked()
    assert not lonely.marked("email")
    for channel in ("sms", "email"):
        twice = {to for to, times in lonely.counts(channel).items() if times == 2}
        assert set(lonely.counts(channel)) == lonely.everybody(channel)
        assert len(twice) == lonely.country.one(
            """SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch
               WHERE d.channel = :c AND d.id > (SELECT min(id) FROM dispatch WHERE channel = :c)""",
            c=channel,
        )
