"""A country with a backup of it, a second database beside it, and the command line on either."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from alerting import backup
from alerting.backup import Restored
from alerting.config import Settings
from alerting.store import audit, engine
from alerting.store.engine import transaction
from bench import population
from bench.parts import ROOT, Parts
from tests.fanout.country import Country
from tests.fanout.test_drain import expand_all

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
TABLES = (
    "subscriber",
    "address",
    "follow",
    "delivery",
    "batch",
    "tally",
    "alert",
    "segment",
    "rendering",
    "region",
)

Command = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def elsewhere(settings: Settings, worker_id: str) -> Iterator[str]:
    """The URL of an empty database on the same server."""
    name = f"elsewhere_{worker_id}"
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield settings.database_url.rpartition("/")[0] + "/" + name
    engine.dispose()
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def alerting(settings: Settings) -> Command:
    """`alerting COMMAND` as a process on a database; nothing is read from this shell but PATH and HOME."""

    def run(
        url: str, *arguments: str, given: bytes | None = None, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        ours = Parts(settings, settings.twilio_api_base_url, settings.smtp_url).environ()
        kept = {
            name: value for name, value in ours.items() if name not in os.environ or name in {"PATH", "HOME"}
        }
        return subprocess.run(
            [sys.executable, "-m", "alerting.cli", *arguments],
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "DATABASE_URL": url, **environ},
            input=given,
            capture_output=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def country(settings: Settings) -> Country:
    """Sixty people and a warning that is being sent: one batch leased, one row delivered."""
    population.settle(settings.database_url, settings, 60)
    country = Country(settings.database_url)
    country.warn(squares=100)
    expand_all()
    country.run(
        """UPDATE batch SET state = 'leased', token = gen_random_uuid(), lease_until = now() + interval '10 s', started_to = n_to
           WHERE id = 1"""
    )
    country.run("UPDATE delivery SET status = 'delivered' WHERE dispatch = 1 AND n = 1")
    country.run("DELETE FROM tally")
    country.run("INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3")
    with transaction() as session:
        audit.append(session, actor="ada", act="alert.issued", subject="w", detail={"n": 1}, now=NOW)
    return country


@pytest.fixture
def file(country: Country, tmp_path: Path) -> Path:
    found = tmp_path / "backup"
    backup.back_up(country.url, found, actor="tests", now=NOW)
    return found


@pytest.fixture
def bring_back(settings: Settings, elsewhere: str) -> Callable[..., Restored]:
    def restore(file: Path, **more: object) -> Restored:
        there = replace(settings, database_url=elsewhere)
        engine.configure(elsewhere)
        return backup.restore(file, settings=there, actor="tests", now=NOW, **more)  # type: ignore[arg-type]  # of the tests

    return restore


def counts(url: str) -> dict[str, int]:
    engine.configure(url)
    country = Country(url)
    return {table: int(country.one(f"SELECT count(*) FROM {table}")) for table in TABLES}
