"""A look costs the same after years of warnings, in the middle of one of a million."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from alerting.config import Settings
from alerting.metrics import Exposition, Traffic
from alerting.store import counters, gauges
from alerting.store.counters import Counted
from alerting.store.engine import transaction
from tests.metrics.conftest import Look

#: Seconds that a look may take on a machine that does other things too, where Prometheus gives up after ten.
BOUND = 3.0

YEARS = """
INSERT INTO notice (kind, language, text, segments, sha256, created_at) VALUES ('reply', 'en', 'text', 1, '', now());
INSERT INTO dispatch (notice, audience, channel, state, priority, created_at, expires, closed_at)
SELECT 1, 'person', 'sms', 'done', 1000, now() - interval '1 d', now(), now() FROM generate_series(1, 60000);
INSERT INTO tally SELECT id, 0, 'accepted', 1 FROM dispatch;
INSERT INTO batch (dispatch, n_from, n_to, state, counted, results, done_at)
SELECT id, 1, 1, 'done', true, '{"sends": {"twilio:accepted:": 1}, "latency": {"0.5": 1}, "ms": 300}',
       now() - make_interval(secs => id) FROM dispatch;
INSERT INTO receipt (provider, event_id, status, raw, received_at)
SELECT 'twilio', i::text, 'delivered', '{}', now() FROM generate_series(1, 100000) AS i;
INSERT INTO progress SELECT 'receipts', max(id) - 7 FROM receipt;
INSERT INTO audit SELECT i, now(), 'a', 'b', 'c', '{}', '', int8send(i) FROM generate_series(1, 20000) AS i;
"""

# Addressed by nobody's rows: a look must not count deliveries, so that there need be none.
MILLION = """
INSERT INTO dispatch (notice, audience, channel, state, priority, planned, created_at, expires)
SELECT 1, 'person', channel, 'open', 7, 1000000, now(), now() + interval '6 h' FROM (VALUES ('sms'), ('email')) AS c(channel);
INSERT INTO tally SELECT d.id, r, s.status::delivery_status, 100 FROM dispatch d, generate_series(1, 3000) AS r,
       (VALUES ('planned'), ('accepted'), ('delivered')) AS s(status) WHERE d.state = 'open';
INSERT INTO batch (dispatch, n_from, n_to, state, token, lease_until)
SELECT d.id, i, i + 99, CASE WHEN i < 500 THEN 'leased' ELSE 'ready' END, CASE WHEN i < 500 THEN gen_random_uuid() END,
       CASE WHEN i < 500 THEN now() + interval '9 s' END
FROM dispatch d, generate_series(1, 1000000, 100) AS i WHERE d.state = 'open';
"""


@pytest.fixture(params=["never analysed", "analysed"])
def crowded(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(YEARS)
        connection.execute("ANALYZE")  # autovacuum has been here in all those years
        connection.execute(MILLION)
        if request.param == "analysed":
            connection.execute("ANALYZE")
    return settings


@pytest.mark.slow
def test_a_look_walks_over_no_history_and_no_delivery_and_keeps_its_bound(crowded: Settings) -> None:
    with transaction() as session:
        gauges.bound(session, 1.0)
        assert sum(queue.waiting for queue in gauges.queues(session)) == 600_000
        assert sum(each.leased for each in gauges.batches(session)) == 10
        assert sum(each.n for each in gauges.dispatches(session)) == 2
        assert gauges.receipts_waiting(session).n == 7
        assert gauges.audit_head(session) == 20_000
        assert (
            sum(gauges.recent_latency(session)["sms", "person"].values()) < 3_700
        )  # an hour of answers, one a second
        gauges.senders(session)
        counters.read(session)
        read = session.execute(
            text(
                "SELECT relname, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables WHERE schemaname = 'public'"
            )
        ).all()
    whole = {name for name, seq, _ in read if seq}
    assert not whole & {"batch", "tally", "receipt", "dispatch", "audit"}
    assert ("delivery", 0, 0) in {tuple(row) for row in read}

    took = []
    for _ in range(5):
        began = time.perf_counter()
        found = Look(Exposition(crowded.redis_url, Traffic()).text(now=datetime.now(UTC)).decode())
        took.append(time.perf_counter() - began)
        assert found("alerting_scrape_complete") == 1
    print(f"scrapes: {[round(each * 1000) for each in took]} ms")
    assert min(took) < BOUND, took


@pytest.mark.slow
def test_a_long_queue_of_one_channel_hides_neither_another_nor_the_age_of_its_oldest(
    settings: Settings,
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(YEARS.splitlines()[1])
        connection.execute(
            """INSERT INTO dispatch (notice, audience, channel, state, priority, created_at, expires)
               SELECT 1, 'person', c, 'open', p, now(), now() + interval '6 h'
               FROM (VALUES ('sms', 0), ('sms', 7), ('email', 7)) AS d(c, p)"""
        )
        connection.execute(
            """INSERT INTO batch (dispatch, n_from, n_to, state, ready_at)
               SELECT d.id, i, i, 'ready', now() - CASE WHEN d.priority = 0 THEN interval '1 s' WHEN i < 9 THEN interval '2 s'
                      ELSE interval '90 s' END
               FROM dispatch d, generate_series(1, CASE WHEN d.priority = 0 THEN %s ELSE 20 END) AS i""",
            (gauges.MOST + 5,),
        )
    with transaction() as session:
        gauges.bound(session, 1.0)
        found = {each.channel: each for each in gauges.batches(session)}
    assert {name: each.ready for name, each in found.items()} == {"sms": gauges.MOST, "email": 20}
    for each in found.values():
        assert 90 <= each.oldest < 120  # also where a few that were taken back stand before it


@pytest.mark.slow
def test_the_sweeps_count_each_second_walks_over_no_history(crowded: Settings) -> None:
    moved = 0
    for ended in (0, 1, 300):
        with transaction() as session:
            session.execute(
                text(
                    """UPDATE batch SET counted = false
                       WHERE id IN (SELECT id FROM batch WHERE state = 'done' ORDER BY id LIMIT :n)"""
                ),
                {"n": ended},
            )
        with transaction() as session:
            assert counters.move_ended(session) == ended
            whole = session.execute(
                text(
                    "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND schemaname = 'public'"
                )
            ).scalars()
            assert not set(whole) & {"batch", "dispatch", "delivery"}
            moved += ended
            accepted = Counted.SENDS, ("sms", "person", "twilio", "accepted", "")
            assert counters.read(session).get(accepted, 0) == moved
