"""Commands that run the service: everything on one machine (`up`) or one part of a real deployment.

Imports the parts when they are called. Invariant: a command that starts processes ends them.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import click

from alerting.config import Settings
from alerting.store.states import Lane


@click.command()
@click.option("--port", default=8000, envvar="PORT", show_default=True, help="Web server.")
@click.option(
    "--sandbox-port", default=8025, envvar="ALERTING_SANDBOX_PORT", show_default=True, help="Its pages."
)
@click.option(
    "--smtp-port", default=1025, envvar="ALERTING_SMTP_PORT", show_default=True, help="The sandbox's mail."
)
@click.option(
    "--pg-port", type=int, envvar="ALERTING_PG_PORT", help="Embedded PostgreSQL [default: a free one]."
)
@click.option(
    "--valkey-port", type=int, envvar="ALERTING_VALKEY_PORT", help="Embedded Valkey [default: a free one]."
)
def up(port: int, sandbox_port: int, smtp_port: int, pg_port: int | None, valkey_port: int | None) -> None:
    """Start everything on this machine and keep the data.

    Without DATABASE_URL and REDIS_URL a private PostgreSQL and Valkey are started; without TWILIO_ACCOUNT_SID and
    SMTP_URL texts and mails go to the sandbox. Ctrl-C stops it all.
    """
    from alerting import embedded
    from alerting.cli.furnish import announced, furnish
    from alerting.cli.stack import Ports, Stopped, server_ports, stack

    environ = {**os.environ, **server_ports(pg_port, valkey_port)}
    sandboxed = not (environ.get("TWILIO_ACCOUNT_SID") or environ.get("SMTP_URL"))
    ports = Ports(port, sandbox_port, smtp_port)
    try:
        with stack(
            embedded.default_data(environ), ports, environ, sandboxed=sandboxed, say=click.echo
        ) as running:
            key = furnish(running, now=datetime.now(UTC))
            running.wait_ready()
            with announced(running, key):
                click.echo(f"service   {running.web_url}/docs")
                if key:
                    click.echo(f"key       in {running.servers.data / 'key'}, an administrator's")
                if sandboxed:
                    click.echo(
                        f"sandbox   {running.sandbox_url}/  (no provider is configured: nothing leaves this machine)"
                    )
                click.echo("Ctrl-C stops everything.")
                while True:
                    for name in running.supervisor.tend():
                        click.echo(f"{name} ended and is started again", err=True)
                    time.sleep(0.25)
    except Stopped:
        click.echo("stopped")


@click.command()
@click.argument("lane", type=click.Choice([lane.value for lane in Lane]))
def worker(lane: str) -> None:
    """Work one lane until told to stop."""
    from alerting.fanout import worker as work

    work.main(Lane(lane), Settings.from_env())


@click.command()
def sweep() -> None:
    """Run the sweep until told to stop; one of several works, the others wait."""
    from alerting.fanout import sweep as sweeping

    sweeping.main(Settings.from_env())


@click.group()
def db() -> None:
    """Migrate the database."""


@db.command()
def upgrade() -> None:
    """Bring the database to the newest version; two at once wait for each other."""
    from alerting.store import migrations

    settings = Settings.from_env()
    migrations.upgrade(settings.database_direct_url or settings.database_url)
    click.echo(f"the database is at {migrations.head()}")
