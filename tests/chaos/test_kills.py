"""The failure matrix, those who die: whoever is killed or stopped, nobody is lost and the repeats are bounded and marked."""

from __future__ import annotations

import http.client
import signal
import time

import pytest

from alerting import pidfiles
from alerting.fanout.sweep import SILENT
from alerting.store.batches import LEASE
from tests.chaos.conftest import BOUND, IN_FLIGHT, Cluster

#: The web process with a bell that kills it: dead after the commit, before any worker hears of it.
DEADLY_BELL = """
import os, signal
from alerting.fanout import bell
bell.ring = lambda lane: os.kill(os.getpid(), signal.SIGKILL)
from werkzeug.serving import run_simple
from wsgi import app
run_simple("127.0.0.1", int(os.environ["PORT"]), app)
"""


@pytest.mark.slow
def test_the_web_process_killed_after_the_commit_and_before_the_bell_delays_the_first_message_by_three_seconds(
    cluster: Cluster,
) -> None:
    cluster.paced("sms")
    web = cluster.web("-c", DEADLY_BELL)
    time.sleep(1.5)  # the workers' first jobs, which found nothing, end
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        web.post("/alerts", cluster.document())
    assert cluster.parts.running["http"].wait(5) == -signal.SIGKILL
    assert cluster.until(cluster.received, 10) <= 3.0
    cluster.until(cluster.finished, 30)
    assert set(cluster.counts()) == cluster.everybody()
    assert set(cluster.counts().values()) == {1}


@pytest.mark.slow
def test_a_worker_killed_in_mid_batch_loses_nobody_and_its_repeats_are_marked(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
    cluster.until(lambda: cluster.received() > 250, 20)
    cluster.parts.signal("sms", signal.SIGKILL)
    leased = cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
    cluster.parts.again("sms")
    cluster.until(cluster.finished, 40)
    assert leased, "the worker was killed between two batches: nothing was proven"
    counts, marked = cluster.counts(), cluster.marked()
    assert set(counts) == cluster.planned()
    assert set(counts.values()) == {1}  # what had left was found at the provider
    assert cluster.provider.lookups()["found"] > 0
    assert 0 < len(marked) <= BOUND
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_a_worker_killed_in_mid_batch_repeats_and_marks_no_more_than_its_window_where_nothing_can_be_looked_up(
    cluster: Cluster,
) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("email", SMTP_CONNECTIONS="16")
    cluster.until(lambda: cluster.received("email") > 250, 20)
    cluster.parts.signal("email", signal.SIGKILL)
    leased = cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
    cluster.parts.again("email")
    cluster.until(lambda: cluster.finished("email"), 40)
    assert leased, "the worker was killed between two batches: nothing was proven"
    counts, marked = cluster.counts("email"), cluster.marked("email")
    repeated = {to for to, times in counts.items() if times > 1}
    assert set(counts) == cluster.planned("email")
    assert max(counts.values()) <= 2
    assert repeated <= marked
    assert 0 < len(marked) <= BOUND
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_a_work_horse_killed_in_mid_batch_loses_nobody_and_its_worker_goes_on(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
    cluster.until(lambda: cluster.received() > 250, 20)
    (horse,) = cluster.parts.horses("sms")
    assert pidfiles.send(horse, signal.SIGKILL)
    cluster.until(cluster.finished, 40)
    assert cluster.parts.running["sms"].poll() is None
    counts, marked = cluster.counts(), cluster.marked()
    assert set(counts) == cluster.planned()
    assert {to for to, times in counts.items() if times > 1} <= marked
    assert max(counts.values()) <= 2
    assert 0 < len(marked) <= BOUND
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
    cluster.paced("sms")
    cluster.until(cluster.finished, 30)
    counts = cluster.counts()
    assert set(counts) == cluster.everybody()  # the first segment covers the whole country
    assert set(counts.values()) == {1}
    assert not cluster.marked()


@pytest.mark.slow
def test_a_worker_stopped_past_its_lease_writes_nothing_more(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
    cluster.until(lambda: cluster.received() > 250, 20)
    cluster.parts.signal("sms", signal.SIGSTOP)
    cluster.parts.running["stopped"] = cluster.parts.running.pop("sms")
    assert cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'"), "nothing was leased"
    cluster.parts.again("sms")
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
def test_a_job_that_hangs_does_not_silence_its_lane(cluster: Cluster) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
    cluster.until(lambda: cluster.received() > 250, 20)
    hanging = cluster.parts.horses("sms")
    for horse in hanging:
        pidfiles.send(horse, signal.SIGSTOP)
    assert hanging, "the worker was between two jobs: nothing was proven"
    try:
        # The lease runs out, nobody starts, the sweep's child takes over; a slow machine may take twice as long.
        cluster.until(cluster.finished, 2 * (LEASE + SILENT) + 20)
    finally:
        for horse in hanging:
            pidfiles.send(horse, signal.SIGKILL)
    counts = cluster.counts()
    assert set(counts) == cluster.planned()
    assert {to for to, times in counts.items() if times > 1} <= cluster.marked()
