"""`alerting subscribers`: lists in and out, one person's record, count, find and erase, on the machine of the service.

Works on the database itself: DATABASE_URL and the address keys of the environment, else the private servers that `alerting up`
has started. Imports the use cases when a command runs. Invariant: addresses leave by `export` and `export-list` alone, to the
file or pipe that was asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TextIO

import click

from alerting.cli.connection import database

if TYPE_CHECKING:
    from alerting.subscribing import Report

#: Who did it, in the audit.
ACTOR: Final = "command line"


@click.group()
def subscribers() -> None:
    """Import, export, count, find and erase subscribers."""


@subscribers.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--audience", type=click.Choice(["public", "exercise"]), default="public", show_default=True)
@click.option(
    "--consent-at",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the consent, for rows without one [default: today].",
)
@click.option(
    "--replace", is_flag=True, help="Rows with an external id replace what was known, own wishes by text too."
)
def import_(file: BinaryIO, audience: str, consent_at: datetime | None, *, replace: bool) -> None:
    """Import a CSV file ("-": standard input); good rows are stored, bad ones listed. Exit code 1 if there are any."""
    from alerting.subscribing import import_csv, lines_of

    with database() as settings:
        report = import_csv(
            lines_of(file),
            actor=ACTOR,
            settings=settings,
            now=datetime.now(UTC),
            audience=audience,
            consent_at=None if consent_at is None else consent_at.replace(tzinfo=UTC),
            replace=replace,
            progress=_progress if sys.stderr.isatty() else None,
        )
    _tell(report)
    if report.refused:
        raise SystemExit(1)


def _progress(rows: int) -> None:
    click.echo(f"\r{rows} rows", nl=False, err=True)


def _tell(report: Report) -> None:
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)
    for found in report.findings:
        column = f", {found.column}" if found.column else ""
        click.echo(f"line {found.line}{column}: {found.problem}: {found.mend}", err=True)
    if report.left_out:
        click.echo(f"and {report.left_out} more", err=True)
    click.echo(
        f"{report.rows} rows: {report.created} created, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.refused} refused; {report.silent} addresses stay stopped"
    )


_address = click.argument("address", default="-")
_out = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file, readable by its owner alone."
)


def _given(address: str) -> str:
    """The address as an argument, else ("-") from standard input: a command line is kept in histories."""
    if address != "-":
        return address
    written: str = click.prompt("Telephone number or mailbox", err=True, prompt_suffix=": ")
    return written


@contextmanager
def _written(out: Path | None) -> Iterator[TextIO]:
    """Standard output, or a new file that we alone can read; it is gone again if it cannot be written whole."""
    if out is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException as error:  # Ctrl-C too: a part of a list looks like the whole
        out.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
        raise


@subscribers.command("export-list")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@_out
def export_list(form: str, out: Path | None) -> None:
    """Write every subscriber, addresses in the clear, as one moment had them. It is recorded in the audit.

    What it writes can be imported: who, since when, how, in which language and where.
    """
    from alerting.subscribing import export

    with database() as settings, _written(out) as file:
        for piece in export(
            actor=ACTOR, settings=settings, now=datetime.now(UTC), form=form, one_moment=True
        ):
            file.write(piece)


@subscribers.command("export")
@_address
@_out
def export_(address: str, out: Path | None) -> None:
    """Write everything that is held on the person who has ADDRESS ("-", the default: asked for), as JSON."""
    from alerting.cli.person import as_json
    from alerting.subscribing import record

    written = _given(address)
    with database() as settings:
        found = record(written, actor=ACTOR, settings=settings, now=datetime.now(UTC))
    if found.subscriber is None and not found.addresses and not found.silent:
        raise click.ClickException("nothing is held on this address")
    with _written(out) as file:
        file.write(as_json(found) + "\n")


@subscribers.command("count")
def count_() -> None:
    """How many addresses subscribers have, by channel and state."""
    from alerting.subscribing import count

    with database():
        for (channel, state), n in sorted(count().items()):
            click.echo(f"{channel}\t{state.value}\t{n}")


@subscribers.command("find")
def find_() -> None:
    """Look for the subscriber of an address, read from standard input: a command line is kept in histories."""
    from alerting.subscribing import find

    written = _given("-")
    with database() as settings:
        found = find("email" if "@" in written else "sms", written, settings=settings)
    if found is None:
        raise click.ClickException("nobody has this address")
    known = ", ".join(f"{address.shown} ({address.state.value})" for address in found.addresses)
    places = ", ".join(follow.region or "a point at sea" for follow in found.follows)
    click.echo(f"{found.id}\t{found.language}\t{known}\t{places}")


@subscribers.command("erase")
@click.argument("address", required=False)
@click.option("--id", "number", type=int, help="A subscriber by number instead, to set something right.")
@click.confirmation_option(prompt="The person, every address and every follow will be gone. Erase?")
def erase_(address: str | None, number: int | None) -> None:
    """Forget the person who has ADDRESS ("-", the default: asked for), at their request.

    Nothing is left but counts, and no list brings them back.
    """
    from alerting.subscribing import erase, forget

    if number is not None and address is not None:
        raise click.UsageError("name the person by ADDRESS or by --id, not by both")
    written = "" if number is not None else _given(address or "-")
    with database() as settings:
        if number is not None:
            if not erase(number, actor=ACTOR, now=datetime.now(UTC)):
                raise click.ClickException(f"there is no subscriber {number}")
            click.echo(f"subscriber {number} is erased")
            return
        done = forget(written, actor=ACTOR, settings=settings, now=datetime.now(UTC))
    click.echo(
        f"erased: {done.addresses} addresses, taken out of {done.deliveries} deliveries, {done.receipts} receipts and"
        f" {done.notices} answers; {done.silent} stay silent"
    )


@subscribers.command("readmit")
@_address
def readmit_(address: str) -> None:
    """Let the owner of ADDRESS ("-", the default: asked for), who was forgotten, be subscribed again."""
    from alerting.subscribing import readmit

    written = _given(address)
    with database() as settings:
        if not readmit(written, actor=ACTOR, settings=settings, now=datetime.now(UTC)):
            raise click.ClickException("this address is not kept silent")
    click.echo("it may be subscribed again")
