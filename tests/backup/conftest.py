"""A second database beside the one of the test, and the command line on either."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest

from alerting.config import Settings
from alerting.store import engine
from bench.parts import ROOT, Parts

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
