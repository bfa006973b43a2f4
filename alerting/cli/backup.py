"""`alerting backup`, `restore` and `resume`: the database in one file, and a service from it.

Works on the database itself: that of the environment, else the private one, which is started where `alerting up` does not
run. Imports the parts when a command runs. Invariant: no password or key is printed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from alerting.cli.connection import database

if TYPE_CHECKING:
    from alerting.backup import Restored

#: Who did it, in the audit.
ACTOR: Final = "command line"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def backup(file: Path) -> None:
    """Write the database to a new FILE ("-": standard output), while the service runs.

    Addresses stay sealed in it. It never holds ADDRESS_KEYS, ADDRESS_MAC_KEY or SECRET_KEY: keep those elsewhere, or what
    is restored cannot be sent.
    """
    from alerting.backup import back_up

    to_pipe = str(file) == "-"
    if to_pipe and sys.stdout.isatty():
        raise click.ClickException(
            "a backup is not written to a terminal: name a file, or pipe it to a program"
        )
    with database(start=True) as settings:
        made = back_up(
            settings.database_direct_url or settings.database_url,
            sys.stdout.buffer if to_pipe else file,
            actor=ACTOR,
            now=datetime.now(UTC),
        )
    size = "" if to_pipe else f", {made.size} bytes"
    click.echo(
        f"version {made.revision}, {made.audit_rows} rows of audit{size}; the keys are not in it", err=to_pipe
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--force-empty", metavar="DATABASE", help="Drop everything in the database of this name first.")
@click.option("--resume", "go_on", is_flag=True, help="Send on at once what the backup had begun to send.")
def restore(file: Path, force_empty: str | None, *, go_on: bool) -> None:
    """Restore a backup from FILE ("-": standard input) into an empty database, while no part of the service runs.

    What was unfinished in it stays on hold until `alerting resume`, and whoever was not known to be reached is marked:
    the original may have gone on after the backup was taken. Exit status: 0 whole, 1 not.
    """
    from alerting.backup import restore as bring_back

    with database(start=True) as settings, _as_file(file) as readable:
        done = bring_back(
            readable, settings=settings, actor=ACTOR, now=datetime.now(UTC), empty=force_empty, go_on=go_on
        )
    _tell(done)
    if done.broken is not None or done.strange:
        raise SystemExit(1)


@contextmanager
def _as_file(file: Path) -> Iterator[Path]:
    """A backup that comes through a pipe as a file that we alone can read, as long as it is needed."""
    if str(file) != "-":
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="alerting-restore-") as kept:  # made 0600
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield Path(kept.name)


def _tell(done: Restored) -> None:
    click.echo(f"restored from version {done.revision}, and migrated")
    if done.broken is None:
        click.echo(f"audit: {done.audit_rows} rows, whole; the last hash is {done.head or bytes(32).hex()}")
    else:
        click.echo(f"audit: row {done.broken} is missing or not as it was written", err=True)
    if done.strange:
        click.echo(
            f"keys: {done.strange} of {done.sampled} addresses do not fit ADDRESS_KEYS and ADDRESS_MAC_KEY: set those of the"
            " original service, or nobody can be reached",
            err=True,
        )
    if not done.held:
        click.echo("nothing was being sent when the backup was taken")
        return
    click.echo(
        f"{len(done.held)} dispatches were being sent; {done.in_doubt} deliveries may have left since, and are marked"
    )
    click.echo(
        "they go on" if done.resumed else "they are on hold: `alerting resume` sends them, a cancel ends them"
    )


@click.command()
def resume() -> None:
    """Send on what a restore has left on hold; a restore that was broken off is ended first."""
    from alerting.backup import finish
    from alerting.backup import resume as send_on

    with database(start=True) as settings:
        ended = finish(settings=settings, actor=ACTOR, now=datetime.now(UTC))
        found = send_on(actor=ACTOR, now=datetime.now(UTC)) if ended is None else ()
    if ended is not None:
        _tell(ended)
        raise SystemExit(1 if ended.broken is not None or ended.strange else 0)
    click.echo(f"{len(found)} dispatches go on" if found else "nothing was left on hold by a restore")
