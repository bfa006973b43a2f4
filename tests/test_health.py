"""What the service says of its own state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from alerting import health
from alerting.config import Settings
from alerting.store import beats, engine
from alerting.store.engine import transaction

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_all_is_well_when_everything_answers_and_the_sweep_was_just_here(settings: Settings) -> None:
    with transaction() as session:
        beats.tell(session, health.SWEEP, now=NOW - timedelta(seconds=90))
        beats.tell(session, health.SWEEP, now=NOW - timedelta(seconds=2))
    found = health.examine(settings.redis_url, now=NOW)
    assert found.well, found
    assert found.sweep_age == 2.0


def test_a_sweep_that_never_ran_or_is_late_is_said_but_does_not_stop_requests(settings: Settings) -> None:
    never = health.examine(settings.redis_url, now=NOW)
    assert (never.ready, never.sweep.ok, never.sweep_age) == (True, False, None)
    with transaction() as session:
        beats.tell(session, health.SWEEP, now=NOW - timedelta(minutes=5))
    late = health.examine(settings.redis_url, now=NOW)
    assert (late.ready, late.well, late.sweep_age) == (True, False, 300.0)
    assert "300 s ago" in late.sweep.detail


def test_redis_away_leaves_the_service_ready(database: str) -> None:
    found = health.examine("redis://:hidden@127.0.0.1:9/0", now=NOW)
    assert (found.ready, found.redis.ok) == (True, False)
    assert "hidden" not in found.redis.detail


def test_a_database_at_another_migration_is_not_ready(settings: Settings) -> None:
    with psycopg.connect(settings.database_url) as connection:
        before = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        found = health.examine(settings.redis_url, now=NOW)
    finally:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", before)
    assert not found.ready
    assert "alerting db upgrade" in found.migration.detail


def test_a_database_that_is_away_is_said_without_its_password() -> None:
    engine.configure("postgresql://somebody:hidden@127.0.0.1:9/x")
    try:
        found = health.examine("redis://127.0.0.1:9/0", now=NOW)
    finally:
        engine.dispose()
    assert not found.ready
    assert "hidden" not in repr(found)
