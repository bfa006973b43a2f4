"""A service from a backup, on hold: restored, migrated, its audit proven, its unfinished warnings marked.

Owns the order of these steps. The backup's script, what empties the target before it and what holds its warnings after it
run in one transaction, so that neither a failure nor a worker that is still connected ever sees a part of it.
Invariant: what may have been sent since the backup was taken is marked before anybody could send it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from alerting.backup import programs
from alerting.backup.errors import Failed, NotABackup, NotEmpty
from alerting.config import Settings
from alerting.store import audit, migrations, restoring, rotation
from alerting.store.addresses import Vault
from alerting.store.engine import transaction

#: Addresses that are opened to see whether the keys are those of the backup.
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Restored:
    """What came out. `held` are the dispatches that were unfinished, `in_doubt` their rows that may have been sent.

    `broken` is the first row of the audit that is not as it was written (None: the chain is whole), `head` its last hash.
    `strange` is how many of `sampled` addresses do not open under our keys, or are not recognised by ADDRESS_MAC_KEY.
    """

    revision: str
    held: tuple[int, ...]
    in_doubt: int
    resumed: bool
    broken: int | None
    audit_rows: int
    head: str
    sampled: int
    strange: int


def restore(
    file: Path,
    *,
    settings: Settings,
    actor: str,
    now: datetime,
    empty: str | None = None,
    go_on: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Restored:
    """Bring the backup in `file` into the database of the settings and migrate it; raises BackupError.

    The target must hold no table, unless `empty` is its own name: then everything in it is dropped first. Unfinished
    dispatches are held; with `go_on` and a whole audit they go on at once. `transaction()` must lead to the same database.
    """
    environ = os.environ if environ is None else environ
    url = settings.database_direct_url or settings.database_url
    with transaction() as session:
        found = restoring.look(session)
    reader = programs.find("pg_restore", found.major, environ)
    writer = programs.find("psql", found.major, environ)
    _require_backup(reader, file, environ)
    _require_room(found, empty)
    _bring_in(reader, writer, file, url, environ, before=restoring.EMPTY if empty else "")
    with transaction() as session:
        revision = restoring.revision(session)
    migrations.upgrade(url)
    return _settle(revision or "", settings, actor=actor, now=now, go_on=go_on)


def _require_backup(reader: Path, file: Path, environ: Mapping[str, str]) -> None:
    """The file is a backup of this service, of this release or an earlier one."""
    done = subprocess.run(
        [reader, "--data-only", "--table=alembic_version", "--file=-", file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**environ, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        raise NotABackup(f"{file} cannot be read: {programs.last_words(done.stderr)}")
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("COPY ")), None)
    if start is None or "alembic_version" not in lines[start]:
        raise NotABackup(f"{file} is no backup of this service: it has no version in it")
    revision = lines[start + 1].strip()
    if revision not in migrations.revisions():
        raise NotABackup(
            f"{file} stands at version {revision} and this release knows {migrations.head()} at most: restore it with the"
            " release that made it, or a newer one"
        )


def _require_nobody(found: restoring.Target) -> None:
    if found.connected:
        raise NotEmpty(
            f"{found.connected} connections of the service are open in database {found.name}: stop every part of it first"
        )


def _require_room(found: restoring.Target, empty: str | None) -> None:
    _require_nobody(found)
    if empty is not None and empty != found.name:
        raise NotEmpty(
            f"this is database {found.name}, not {empty}: to empty it name it, as --force-empty {found.name}"
        )
    if found.tables and empty is None:
        raise NotEmpty(
            f"database {found.name} holds {found.tables} tables: restore into an empty one, or drop all that is in it with"
            f" --force-empty {found.name}"
        )


def _bring_in(
    reader: Path, writer: Path, file: Path, url: str, environ: Mapping[str, str], *, before: str
) -> None:
    """The backup's script between ours, in one transaction; raises Failed, and then nothing has changed.

    Its end is asked for in so many words: a script that only ends, because whoever wrote it has died, is rolled back.
    """
    connection, environment = programs.target(url, environ)
    quiet = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    broken = False
    with (
        # Not pipes: nobody reads them while the script runs, and a full one would stop the program.
        tempfile.TemporaryFile() as reader_told,
        tempfile.TemporaryFile() as writer_told,
        subprocess.Popen(
            [reader, "--no-owner", "--no-privileges", "--file=-", file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=reader_told,
            env=environment,
        ) as script,
        subprocess.Popen(
            [writer, *quiet, "--file=-", f"--dbname={connection}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=writer_told,
            env=environment,
        ) as database,
    ):
        if not isinstance(script.stdout, BufferedReader) or database.stdin is None:
            raise RuntimeError("a pipe that was asked for is missing")
        try:
            database.stdin.write(f"BEGIN;\n{before}".encode())
            while piece := script.stdout.read1(1 << 20):
                database.stdin.write(piece)
                database.stdin.flush()
            if script.wait() == 0:
                database.stdin.write(f"{restoring.HOLD}\nCOMMIT;\n".encode())
                database.stdin.flush()
        except BrokenPipeError:
            broken = True
            script.kill()
        finally:
            # What it could not take is still in the buffer, and would hide the reason.
            with suppress(BrokenPipeError):
                database.stdin.close()
        if not broken and script.wait() != 0:
            raise Failed(f"pg_restore failed: {programs.last_words(_all(reader_told))}")
        if database.wait() != 0 or broken:
            raise Failed(f"the database took nothing of it: {programs.last_words(_all(writer_told))}")


def _all(told: BinaryIO) -> bytes:
    told.seek(0)
    return told.read()


def _settle(revision: str, settings: Settings, *, actor: str, now: datetime, go_on: bool) -> Restored:
    """Prove the audit, note what is held, see whether the keys fit, and write it all down."""
    vault = Vault(settings)
    with transaction() as session:
        broken = audit.verify(session)
        last = audit.last(session)
        sampled, strange = rotation.try_keys(session, vault, SAMPLE)
        held = restoring.note(session)
        in_doubt = restoring.in_doubt(session, held)
        resumed = go_on and broken is None
        if resumed:
            restoring.resume(session)
        detail: dict[str, object] = {
            "revision": revision,
            "held": held,
            "in_doubt": in_doubt,
            "resumed": resumed,
            "broken": broken,
        }
        audit.append(session, actor=actor, act="backup.restored", subject="database", detail=detail, now=now)
    return Restored(
        revision,
        tuple(held),
        in_doubt,
        resumed,
        broken,
        last.seq if last else 0,
        last.hash.hex() if last else "",
        sampled,
        strange,
    )


def finish(*, settings: Settings, actor: str, now: datetime) -> Restored | None:
    """End a restore that died after its script was committed, and let it go on if its audit is whole; None: there is none.

    Raises NotEmpty while a part of the service is connected.
    """
    with transaction() as session:
        if not restoring.unfinished(session):
            return None
        _require_nobody(restoring.look(session))
        revision = restoring.revision(session)
    migrations.upgrade(settings.database_direct_url or settings.database_url)
    return _settle(revision or "", settings, actor=actor, now=now, go_on=True)


def resume(*, actor: str, now: datetime) -> tuple[int, ...]:
    """Let what a restore has left on hold be sent; the ids of those dispatches."""
    with transaction() as session:
        found = restoring.resume(session)
        if found:
            audit.append(
                session,
                actor=actor,
                act="backup.resumed",
                subject="database",
                detail={"dispatches": found},
                now=now,
            )
    return tuple(found)
