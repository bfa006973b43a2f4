"""`alerting subscribers`: import, export, count, find and erase, on the machine of the service.

Works on the database itself: DATABASE_URL and the address keys of the environment, else the private servers that `alerting up`
has started. Imports the use cases when a command runs. Invariant: addresses leave by `export` alone, to the file or pipe
that was asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

if TYPE_CHECKING:
    from alerting.config import Settings
    from alerting.subscribing import Report

#: Who did it, in the audit.
ACTOR: Final = "command line"


@contextmanager
def connected() -> Iterator[Settings]:
    """The settings of the service, its database named; what goes wrong is told in a line."""
    from alerting import embedded
    from alerting.config import ConfigurationError, Settings
    from alerting.store import engine
    from alerting.subscribing import SubscribingError, UnknownKey

    environ = dict(os.environ)
    if not environ.get("DATABASE_URL"):
        servers = embedded.attach(None, environ)
        if servers is None:
            raise click.ClickException(
                "no database: set DATABASE_URL, or start the service with `alerting up`"
            )
        environ = servers.environment(environ)
    try:
        settings = Settings.from_env(environ)
        engine.configure(settings.database_url, pgbouncer=settings.pgbouncer)
        yield settings
    except (ConfigurationError, SubscribingError, UnknownKey) as error:
        raise click.ClickException(str(error)) from error
    finally:
        engine.dispose()


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

    with connected() as settings:
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


@subscribers.command("export")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file, readable by its owner alone."
)
def export_(out: Path | None) -> None:
    """Write every subscriber as CSV, addresses in the clear. It is recorded in the audit."""
    from alerting.subscribing import export

    with connected() as settings:
        if out is None:
            for piece in export(actor=ACTOR, settings=settings, now=datetime.now(UTC)):
                click.echo(piece, nl=False)
            return
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.writelines(export(actor=ACTOR, settings=settings, now=datetime.now(UTC)))


@subscribers.command("count")
def count_() -> None:
    """How many addresses subscribers have, by channel and state."""
    from alerting.subscribing import count

    with connected():
        for (channel, state), n in sorted(count().items()):
            click.echo(f"{channel}\t{state.value}\t{n}")


@subscribers.command("find")
def find_() -> None:
    """Look for the subscriber of an address, read from standard input: a command line is kept in histories."""
    from alerting.subscribing import AddressError, find

    written = click.prompt("Telephone number or mailbox", err=True, prompt_suffix=": ")
    with connected() as settings:
        try:
            found = find("email" if "@" in written else "sms", written, settings=settings)
        except AddressError as error:
            raise click.ClickException(str(error)) from None
    if found is None:
        raise click.ClickException("nobody has this address")
    known = ", ".join(f"{address.shown} ({address.state.value})" for address in found.addresses)
    places = ", ".join(follow.region or "a point at sea" for follow in found.follows)
    click.echo(f"{found.id}\t{found.language}\t{known}\t{places}")


@subscribers.command("erase")
@click.argument("subscriber", type=int)
@click.confirmation_option(prompt="The subscriber, every address and every follow will be gone. Erase?")
def erase_(subscriber: int) -> None:
    """Forget a subscriber by id."""
    from alerting.subscribing import erase

    with connected():
        if not erase(subscriber, actor=ACTOR, now=datetime.now(UTC)):
            raise click.ClickException(f"there is no subscriber {subscriber}")
    click.echo(f"subscriber {subscriber} is erased")
