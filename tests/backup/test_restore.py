"""What comes back is whole, held and marked; what cannot come back changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from alerting import backup
from alerting.backup import BackupError, Failed, NotABackup, NotEmpty, NoTools, Restored, programs
from alerting.config import Settings
from alerting.store import audit, engine, migrations, outbox
from alerting.store.engine import transaction
from alerting.store.states import DispatchState
from bench import population
from tests.backup.conftest import NOW, Command, counts
from tests.fanout.country import Country
from tests.fanout.test_drain import expand_all


def test_a_backup_comes_back_whole_held_and_marked(
    country: Country, file: Path, elsewhere: str, bring_back: Callable[..., Restored]
) -> None:
    before = counts(country.url)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.with_name("backup.part").exists()
    done = bring_back(file)
    assert (done.held, done.resumed, done.broken) == ((1, 2), False, None)
    assert (done.sampled, done.strange) == (60, 0)
    assert counts(elsewhere) == before
    there = Country(elsewhere)
    assert there.tally_differs() == []
    assert there.rows("SELECT DISTINCT state, restored_from FROM dispatch") == [("held", "open")]
    assert there.rows("SELECT DISTINCT state FROM batch") == [("ready",)]
    planned = there.statuses()["planned"]
    assert there.one("SELECT count(*) FROM delivery WHERE maybe_repeated") == planned == done.in_doubt
    assert there.one("SELECT maybe_repeated FROM delivery WHERE status = 'delivered'") is False
    with transaction() as session:
        assert audit.verify(session) is None
        acts = [entry.act for entry in audit.entries(session)]
    assert acts[-3:] == ["alert.issued", "backup.taken", "backup.restored"]
    assert done.audit_rows == len(acts) - 1
    assert backup.resume(actor="tests", now=NOW) == (1, 2)
    assert there.rows("SELECT DISTINCT state FROM dispatch") == [("open",)]
    assert backup.resume(actor="tests", now=NOW) == ()


def test_dispatches_made_after_a_restore_have_numbers_that_the_original_never_gave(
    file: Path, elsewhere: str, bring_back: Callable[..., Restored]
) -> None:
    """A late receipt for what the original sent after the backup must not be taken for one of ours."""
    bring_back(file)
    there = Country(elsewhere)
    there.warn(squares=1)
    assert there.one("SELECT max(id) FROM dispatch") > 1_000_000


def test_what_is_planned_after_a_restore_is_marked_as_well(
    settings: Settings, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    population.settle(settings.database_url, settings, 60)
    Country(settings.database_url).warn(squares=100)
    backup.back_up(settings.database_url, tmp_path / "b", actor="tests", now=NOW)
    assert bring_back(tmp_path / "b", go_on=True).resumed
    there = Country(elsewhere)
    assert there.rows("SELECT DISTINCT state FROM dispatch") == [("planning",)]
    expand_all()
    assert there.one("SELECT count(*) FROM delivery WHERE NOT maybe_repeated") == 0
    assert there.one("SELECT count(*) FROM delivery") == 60
    there.warn(squares=100)
    expand_all()
    assert there.one("SELECT count(*) FROM delivery WHERE NOT maybe_repeated") == 60


def test_what_was_held_for_another_reason_is_not_resumed(
    country: Country, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    country.run("UPDATE dispatch SET state = 'held' WHERE id = 2")
    backup.back_up(country.url, tmp_path / "b", actor="tests", now=NOW)
    bring_back(tmp_path / "b", go_on=True)
    assert Country(elsewhere).rows("SELECT id, state FROM dispatch ORDER BY id") == [(1, "open"), (2, "held")]


def test_what_is_held_after_a_restore_for_another_reason_is_not_resumed(
    settings: Settings, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    """More people than were approved, once it went on: a second `resume` is no approval of them."""
    population.settle(settings.database_url, settings, 60)
    country = Country(settings.database_url)
    country.warn(squares=100)
    country.run("UPDATE dispatch SET approved = 5")
    backup.back_up(settings.database_url, tmp_path / "b", actor="tests", now=NOW)
    bring_back(tmp_path / "b")
    assert backup.resume(actor="tests", now=NOW) == (1, 2)
    expand_all()
    there = Country(elsewhere)
    assert there.rows("SELECT DISTINCT state, restored_from FROM dispatch") == [("held", "planning")]
    assert backup.resume(actor="tests", now=NOW) == ()
    assert there.rows("SELECT DISTINCT state FROM dispatch") == [("held",)]


def test_a_dispatch_that_is_held_anew_while_a_restore_holds_it_is_not_resumed(
    file: Path, elsewhere: str, bring_back: Callable[..., Restored]
) -> None:
    bring_back(file)
    with transaction() as session:
        outbox.set_state(session, 1, DispatchState.HELD, now=NOW)
    assert backup.resume(actor="tests", now=NOW) == (2,)


def test_a_target_that_is_in_use_or_not_empty_is_left_alone(
    country: Country, file: Path, elsewhere: str, bring_back: Callable[..., Restored]
) -> None:
    name = elsewhere.rpartition("/")[2]
    with (
        psycopg.connect(elsewhere, application_name="alerting"),
        pytest.raises(NotEmpty, match="stop every part"),
    ):
        bring_back(file)
    bring_back(file)
    with pytest.raises(NotEmpty, match=f"--force-empty {name}"):
        bring_back(file)
    with pytest.raises(NotEmpty, match="not another"):
        bring_back(file, empty="another")
    Country(elsewhere).run("UPDATE subscriber SET language = 'eo'")
    bring_back(file, empty=name)
    assert Country(elsewhere).one("SELECT count(*) FROM subscriber WHERE language = 'eo'") == 0


def test_a_file_that_cannot_be_restored_changes_nothing(
    country: Country, file: Path, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    name = elsewhere.rpartition("/")[2]
    bring_back(file)
    Country(elsewhere).run("UPDATE subscriber SET language = 'eo'")
    other = tmp_path / "other"
    other.write_bytes(b"no archive")
    with pytest.raises(NotABackup, match="cannot be read"):
        bring_back(other, empty=name)
    other.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    with pytest.raises(BackupError):
        bring_back(other, empty=name)
    engine.configure(country.url)
    country.run("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(NotABackup, match="newer one"):
            newer = tmp_path / "newer"
            backup.back_up(country.url, newer, actor="tests", now=NOW)
            bring_back(newer, empty=name)
    finally:
        engine.configure(country.url)
        country.run("UPDATE alembic_version SET version_num = :head", head=migrations.head())
    engine.configure(elsewhere)
    assert Country(elsewhere).one("SELECT count(*) FROM subscriber WHERE language = 'eo'") == 60


def test_a_script_that_fails_in_the_database_leaves_what_was_there(
    country: Country,
    file: Path,
    elsewhere: str,
    bring_back: Callable[..., Restored],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bring_back(file)
    monkeypatch.setattr("alerting.store.restoring.HOLD", "SELECT 1 / 0;")
    with pytest.raises(Failed, match="division by zero"):
        bring_back(file, empty=elsewhere.rpartition("/")[2])
    assert counts(elsewhere)["subscriber"] == 60


def test_a_backup_of_an_earlier_release_is_migrated(
    settings: Settings, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    migrations.upgrade(elsewhere, "0002")
    population.settle(elsewhere, settings, 60)
    population.issue(elsewhere, squares=100, rows=1, columns=1)
    engine.configure(elsewhere)
    assert backup.back_up(elsewhere, tmp_path / "b", actor="tests", now=NOW).revision == "0002"
    done = bring_back(tmp_path / "b", empty=elsewhere.rpartition("/")[2])
    assert (done.revision, done.held, done.broken) == ("0002", (1, 2), None)
    assert Country(elsewhere).rows("SELECT DISTINCT state, restored_from FROM dispatch") == [
        ("held", "planning")
    ]
    assert Country(elsewhere).rows("SELECT version_num FROM alembic_version") == [(migrations.head(),)]


def test_a_broken_audit_is_told_and_nothing_is_resumed(
    country: Country, elsewhere: str, bring_back: Callable[..., Restored], tmp_path: Path
) -> None:
    with psycopg.connect(country.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit SET actor = 'eve' WHERE seq = 1")
    backup.back_up(country.url, tmp_path / "b", actor="tests", now=NOW)
    done = bring_back(tmp_path / "b", go_on=True)
    assert (done.broken, done.resumed) == (1, False)
    assert Country(elsewhere).rows("SELECT DISTINCT state FROM dispatch") == [("held",)]


def test_keys_that_are_not_the_originals_are_noticed(
    file: Path, settings: Settings, elsewhere: str, alerting: Command
) -> None:
    wrong = {"ADDRESS_MAC_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    done = alerting(elsewhere, "restore", str(file), **wrong)
    assert done.returncode == 1
    assert b"60 of 60 addresses do not fit" in done.stderr


def test_a_backup_goes_through_a_pipe(country: Country, elsewhere: str, alerting: Command) -> None:
    made = alerting(country.url, "backup", "-")
    assert (made.returncode, made.stdout[:5]) == (0, b"PGDMP"), made.stderr
    assert b"the keys are not in it" in made.stderr
    back = alerting(elsewhere, "restore", "-", given=made.stdout)
    assert back.returncode == 0, back.stderr
    assert b"2 dispatches were being sent" in back.stdout


def test_a_backup_is_never_written_over_another(country: Country, file: Path) -> None:
    with pytest.raises(BackupError, match="exists"):
        backup.back_up(country.url, file, actor="tests", now=NOW)


def test_an_empty_database_has_nothing_to_back_up(settings: Settings, elsewhere: str, tmp_path: Path) -> None:
    engine.configure(elsewhere)
    with pytest.raises(BackupError, match="never migrated"):
        backup.back_up(elsewhere, tmp_path / "b", actor="tests", now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_machine_without_a_server_restores_into_its_own(
    file: Path, settings: Settings, server_folder: Path, alerting: Command
) -> None:
    """`alerting up` is not running: the embedded server is started for the length of the command."""
    environ = {"ALERTING_DATA": str(server_folder), "REDIS_URL": ""}
    back = alerting("", "restore", str(file), **environ)
    assert back.returncode == 0, back.stderr
    assert b"2 dispatches were being sent" in back.stdout
    again = alerting("", "restore", str(file), **environ)
    assert (again.returncode, b"--force-empty alerting" in again.stderr) == (1, True)
    made = alerting("", "backup", str(file.with_name("second")), **environ)
    assert made.returncode == 0, made.stderr


def test_missing_programs_are_told_with_the_package_that_has_them() -> None:
    with pytest.raises(NoTools, match=r"PostgreSQL 99.*postgresql-client-99"):
        programs.find("pg_dump", 99, os.environ)


def test_programs_are_looked_for_where_the_setting_says_first(tmp_path: Path) -> None:
    mine = tmp_path / "pg_dump"
    mine.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 77.1'\n", encoding="ascii")
    mine.chmod(0o755)
    assert programs.find("pg_dump", 70, {"ALERTING_PG_BIN": str(tmp_path)}) == mine


def test_no_password_stands_among_the_arguments_of_a_process() -> None:
    connection, environ = programs.target(
        "postgresql+psycopg://me:s3cr%40t@127.0.0.1:5/db?sslmode=require", {"PGHOST": "x"}
    )
    assert "s3cr" not in connection
    assert "sslmode=require" in connection
    assert environ == {"PGPASSWORD": "s3cr@t", "LC_ALL": "C"}
    with pytest.raises(BackupError, match="sslpassword") as refused:
        programs.target("postgresql://me@127.0.0.1/db?sslpassword=s3cret", {})
    assert "s3cret" not in str(refused.value)
    with pytest.raises(BackupError) as caught:
        programs.target("postgresql://me:s3cret@[::1", {})
    assert "s3cret" not in str(caught.value)


def test_a_program_is_as_strict_about_the_server_as_the_service() -> None:
    """And finds its password where the service does; but nothing of the shell leads it to another database."""
    kept = {
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/etc/ca.pem",
        "PGPASSWORD": "s3cret",
        "PGPASSFILE": "/etc/pass",
    }
    dropped = ("OPTIONS", "HOST", "PORT", "USER", "DATABASE", "SERVICE", "CLIENTENCODING")
    given = kept | {f"PG{name}": "x" for name in dropped} | {"LC_MESSAGES": "eo_EO"}
    assert programs.target("postgresql://me@127.0.0.1/db", given)[1] == kept | {"LC_ALL": "C"}
