"""The figures after a kill: what died took no count with it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from alerting.config import Settings
from alerting.metrics import Exposition, Traffic
from tests.chaos.conftest import Cluster
from tests.metrics.conftest import Look


@pytest.mark.slow
def test_after_a_killed_worker_the_counters_equal_the_rows_and_tell_of_the_lost_lease(
    cluster: Cluster, settings: Settings
) -> None:
    cluster.country.warn(squares=100)
    cluster.paced("sms")
    cluster.until(lambda: cluster.received() > 250, 20)
    cluster.parts.signal("sms", signal.SIGKILL)
    leased = cluster.country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
    cluster.parts.again("sms")
    cluster.until(cluster.finished, 40)
    assert leased, "the worker was killed between two batches: nothing was proven"

    def look() -> Look:
        text = Exposition(settings.redis_url, Traffic()).text(now=datetime.now(UTC)).decode()
        return Look(text)

    planned = len(cluster.planned())
    cluster.until(lambda: look()("alerting_sends_total", channel="sms", outcome="accepted") >= planned, 5)
    found = look()
    assert found("alerting_sends_total", channel="sms", outcome="accepted") == planned
    assert found("alerting_issue_to_accepted_seconds_count", channel="sms") == planned
    assert found("alerting_leases_lost_total", channel="sms") == leased
    assert found("alerting_in_doubt_total", channel="sms") == len(cluster.marked())
