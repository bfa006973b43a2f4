"""`alerting demo`: the whole way of one warning on this machine, with invented people and a sandbox of providers.

Everything it starts is private to it: servers, database, ports, providers; DATABASE_URL and its like are not looked at, so
that no demo ever meets a real list of subscribers. Invariant: it ends every process that it started, and what it writes to
build/demo.json is what it shows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from alerting.cli.stack import Ports, Say, Stack, Stopped, server_ports, stack

PEOPLE = 2000

# Names that lead to real servers, providers or keys.
_FOREIGN = (
    "DATABASE_",
    "REDIS_",
    "TWILIO_",
    "SMTP_URL",
    "SECRET_KEY",
    "ADDRESS_",
    "PGBOUNCER",
    "PUBLIC_BASE_URL",
    "ALERTING_API_KEY",
)


@click.command()
@click.option("--once", is_flag=True, help="End after the table.")
@click.option("--port", default=8000, envvar="PORT", show_default=True, help="Web server.")
@click.option(
    "--sandbox-port", default=8025, envvar="ALERTING_SANDBOX_PORT", show_default=True, help="Its pages."
)
@click.option(
    "--smtp-port", default=1025, envvar="ALERTING_SMTP_PORT", show_default=True, help="The sandbox's mail."
)
@click.option("--pg-port", type=int, envvar="ALERTING_PG_PORT", help="PostgreSQL [default: a free one].")
@click.option("--valkey-port", type=int, envvar="ALERTING_VALKEY_PORT", help="Valkey [default: a free one].")
@click.option(
    "--result",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/demo.json"),
    show_default=True,
    help="Where the figures go.",
)
def demo(
    once: bool,
    port: int,
    sandbox_port: int,
    smtp_port: int,
    pg_port: int | None,
    valkey_port: int | None,
    result: Path,
) -> None:
    """Start everything, warn 2 000 invented people of a flood, and show who was reached.

    Texts and mails go to a sandbox on this machine, never to anybody. Serves until Ctrl-C, which stops every process.
    """
    from alerting import embedded

    started = time.monotonic()
    environ = {**_private(os.environ), **server_ports(pg_port, valkey_port)}
    try:
        data = embedded.subfolder(embedded.default_data(environ), "demo")
    except embedded.EmbeddedError as error:
        raise click.ClickException(str(error)) from error
    ports = Ports(port, sandbox_port, smtp_port)

    def say(line: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {line}")

    say("starting PostgreSQL, Valkey, web server, workers, sweep and sandbox")
    try:
        with stack(data, ports, environ, sandboxed=True, say=say, fresh=True) as running:
            _play(running, result, say, serve=not once)
    except Stopped:
        click.echo("stopped")


def _play(running: Stack, result: Path, say: Say, *, serve: bool) -> None:
    from alerting.cli import demo_warning as warning
    from alerting.cli.furnish import announced, furnish, service_of

    key = furnish(running, now=datetime.now(UTC))
    if key is None:
        raise click.ClickException("the demo's database is not empty: stop whatever uses its data folder")
    say("imported the regions of the world")
    report = warning.enlist(PEOPLE, settings=running.settings, now=datetime.now(UTC))
    say(f"imported {report.created} invented subscribers in 6 languages")
    warning.allow_at_once(now=datetime.now(UTC))
    with announced(running, key):
        running.wait_ready()
        service = service_of(running, key)
        issued = warning.publish(service, now=datetime.now(UTC))
        say("issued examples/flood.cap.xml; sending")
        outcome = warning.follow(service, issued, running)
        warning.show_result(running, outcome)
        warning.write_result(result, running, outcome)
        if not serve:
            return
        click.echo("\nServing until Ctrl-C, which stops everything.")
        while True:
            running.tend()
            time.sleep(0.25)


def _private(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
