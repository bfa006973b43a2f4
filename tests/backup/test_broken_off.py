"""A restore or a backup that is broken off leaves what was there, and says why it was."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from alerting import backup
from alerting.backup import BackupError, Failed, Restored, programs
from alerting.config import Settings
from alerting.store import audit, engine
from alerting.store.engine import transaction
from bench.parts import ROOT, Parts
from tests.backup.conftest import NOW, Command, counts
from tests.fanout.country import Country


def test_a_restore_that_is_killed_in_the_middle_of_a_table_leaves_what_was_there(
    settings: Settings, file: Path, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    """Its psql sees the script end after a whole row, as if there were no more of it."""
    bring_back(file)
    Country(elsewhere).run("UPDATE subscriber SET language = 'eo'")
    before = counts(elsewhere)
    engine.dispose()
    real = programs.find("pg_restore", 1, os.environ)
    plain = [str(real), "--no-owner", "--no-privileges", "--file=-", str(file)]
    script = subprocess.run(plain, capture_output=True, check=True).stdout
    rows = script.index(b"COPY public.subscriber ")
    cut = rows + len(b"".join(script[rows:].splitlines(keepends=True)[:31]))
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "psql").symlink_to(programs.find("psql", 1, os.environ))
    (folder / "pg_restore").write_text(
        f"""#!/bin/sh
        case "$*" in *--version*|*alembic_version*) exec {real} "$@";; esac
        {real} "$@" | head -c {cut}
        exec sleep 60
        """,
        encoding="utf-8",
    )
    (folder / "pg_restore").chmod(0o755)
    name = elsewhere.rpartition("/")[2]
    environ = Parts(settings, settings.twilio_api_base_url, settings.smtp_url).environ()
    command = subprocess.Popen(
        [sys.executable, "-m", "alerting.cli", "restore", str(file), "--force-empty", name],
        env={**environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": elsewhere, "ALERTING_PG_BIN": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'psql'"
            copying = f"{others} AND query LIKE '%%COPY public.subscriber %%'"
            _wait(lambda: connection.execute(copying, [name]).fetchone() == (1,))
            command.kill()
            command.wait()
            _wait(lambda: connection.execute(others, [name]).fetchone() == (0,))
    finally:
        os.killpg(command.pid, signal.SIGKILL)
        command.wait()
    assert counts(elsewhere) == before
    assert Country(elsewhere).one("SELECT count(*) FROM subscriber WHERE language = 'eo'") == 60


def _wait(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("fails", ["pg_restore", "psql"])
def test_a_program_that_fails_with_many_words_is_heard(
    fails: str, file: Path, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    """More than a pipe holds before it says why; and its end is not hidden by that of the pipe to it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    other = {"psql": "pg_restore", "pg_restore": "psql"}[fails]
    (folder / other).symlink_to(programs.find(other, 1, os.environ))
    real = programs.find(fails, 1, os.environ)
    (folder / fails).write_text(
        f"""#!/bin/sh
        case "$*" in *--version*|*alembic_version*) exec {real} "$@";; esac
        head -c 300000 /dev/zero | tr '\\0' x >&2
        printf '\\nthe reason\\n' >&2
        exit 3
        """,
        encoding="utf-8",
    )
    (folder / fails).chmod(0o755)
    told = {"psql": "took nothing of it", "pg_restore": "pg_restore failed"}[fails]
    with pytest.raises(Failed, match=f"(?s){told}.*the reason$"):
        bring_back(file, environ={**os.environ, "ALERTING_PG_BIN": str(folder)})


def test_a_restore_that_dies_before_its_last_step_is_ended_by_resume(
    file: Path,
    settings: Settings,
    elsewhere: str,
    alerting: Command,
    bring_back: Callable[..., Restored],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("alerting.store.migrations.upgrade", _refuse)
    with pytest.raises(PermissionError):
        bring_back(file)
    engine.dispose()
    ended = alerting(elsewhere, "resume")
    assert ended.returncode == 0, ended.stderr
    assert b"they go on" in ended.stdout
    engine.configure(elsewhere)
    assert Country(elsewhere).rows("SELECT DISTINCT state, restored_from FROM dispatch") == [("open", "open")]
    assert b"nothing was left on hold" in alerting(elsewhere, "resume").stdout


@pytest.mark.parametrize("links", [True, False])
def test_a_backup_that_fails_is_audited_and_a_file_made_meanwhile_is_kept(
    links: bool, country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links as well, where one can also be made."""
    if not links:
        monkeypatch.setattr(os, "link", _refuse)
        backup.back_up(country.url, tmp_path / "first", actor="tests", now=NOW)
        assert (tmp_path / "first").read_bytes()[:5] == b"PGDMP"
    folder = tmp_path / "bin"
    folder.mkdir()
    target = tmp_path / "backup"
    real = programs.find("pg_dump", 1, os.environ)
    (folder / "pg_dump").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || echo mine > {target}\nexec {real} "$@"\n', encoding="utf-8"
    )
    (folder / "pg_dump").chmod(0o755)
    with pytest.raises(BackupError, match="File exists"):
        backup.back_up(
            country.url,
            target,
            actor="tests",
            now=NOW,
            environ={**os.environ, "ALERTING_PG_BIN": str(folder)},
        )
    assert target.read_text(encoding="utf-8") == "mine\n"
    assert not target.with_name("backup.part").exists()
    with transaction() as session:
        assert [entry.act for entry in audit.entries(session)][-2:] == ["backup.taken", "backup.failed"]


def _refuse(*_: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
