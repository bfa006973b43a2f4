"""A backup: one snapshot of the database in PostgreSQL's custom format, taken while the service runs.

Owns the file. Invariant: a file under the name that was asked for is whole, readable by its owner alone, and says in its
own audit when and by whom it was taken. A failure is in the audit after the attempt.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from alerting.backup import programs
from alerting.backup.errors import BackupError, Failed
from alerting.store import audit, restoring
from alerting.store.engine import transaction


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written: the migration at which it stands, its place in the audit, and its size in bytes (0: a pipe)."""

    revision: str
    audit_rows: int
    size: int


def back_up(
    url: str, target: Path | BinaryIO, *, actor: str, now: datetime, environ: Mapping[str, str] | None = None
) -> Backup:
    """Write the database at `url` to a new file, or into an open pipe. Raises BackupError; a part of a file is removed.

    `transaction()` must lead to the same database: the backup notes itself in the audit before it is taken.
    """
    environ = os.environ if environ is None else environ
    with transaction() as session:
        found = restoring.look(session)
        revision = restoring.revision(session)
    if revision is None:
        raise BackupError(f"database {found.name} was never migrated: there is nothing in it to back up")
    program = programs.find("pg_dump", found.major, environ)
    if isinstance(target, Path) and target.exists():
        raise BackupError(f"{target} exists: a backup is never written over another, name a new file")
    with transaction() as session:
        detail: dict[str, object] = {"revision": revision}
        rows = audit.append(
            session, actor=actor, act="backup.taken", subject="database", detail=detail, now=now
        )
    try:
        size = _write(program, url, target, environ)
    except BackupError:
        with transaction() as session:
            detail = {"revision": revision, "taken": rows}
            audit.append(
                session, actor=actor, act="backup.failed", subject="database", detail=detail, now=now
            )
        raise
    return Backup(revision, rows, size)


def _write(program: Path, url: str, target: Path | BinaryIO, environ: Mapping[str, str]) -> int:
    """The backup under its name, whole or not at all; its size (0: a pipe)."""
    if not isinstance(target, Path):
        _run(program, url, target, environ)
        return 0
    part = target.with_name(target.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(f"{part} cannot be written: {error.strerror}") from error
    try:
        # By name: to its standard output pg_dump appends the table of contents a second time, and nobody misses it there.
        _run(program, url, part, environ)
        os.fsync(descriptor)
        _name(part, target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _name(part: Path, target: Path) -> None:
    """Not by a renaming alone: that would take the place of a file that was made meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links (FAT, some shares): the name is taken first, and then filled.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        part.rename(target)


def _run(program: Path, url: str, out: Path | BinaryIO, environ: Mapping[str, str]) -> None:
    connection, environment = programs.target(url, environ)
    options = ["--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--dbname={connection}"]
    done = subprocess.run(
        [program, *options, *([f"--file={out}"] if isinstance(out, Path) else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if isinstance(out, Path) else out,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"pg_dump failed: {programs.last_words(done.stderr)}")
