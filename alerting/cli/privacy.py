"""`alerting addresses` and `alerting retention`: keys changed, and what is old forgotten, while the service runs.

Works on the database itself, with the keys of the environment. Imports the use cases when a command runs. Invariant: rows are
named by internal ids; no address is printed.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from alerting.cli.connection import database

if TYPE_CHECKING:
    from alerting.subscribing import Rotated

#: Who did it, in the audit.
ACTOR: Final = "command line"

#: Ids of rows that no key opens, of which there may be as many as there are rows.
MOST_TOLD: Final = 1_000


@click.group()
def addresses() -> None:
    """Seal addresses under a new key."""


@addresses.command()
def rotate() -> None:
    """Seal every address under the first key of ADDRESS_KEYS, and say which of the others may be removed.

    Give every part of the service the new key first, and restart it. Exit status: 0 done, 1 something is left.
    """
    from alerting.subscribing import rotate as seal_anew

    with database() as settings:
        done = seal_anew(
            settings,
            actor=ACTOR,
            now=datetime.now(UTC),
            progress=_progress if sys.stderr.isatty() else None,
        )
    _tell(done)
    if done.kept:
        raise SystemExit(1)


def _progress(rows: int) -> None:
    click.echo(f"\r{rows} sealed", nl=False, err=True)


def _tell(done: Rotated) -> None:
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)
    click.echo(f"{done.sealed} addresses sealed under {done.current!r}")
    for number in done.unopened[:MOST_TOLD]:
        click.echo(f"address {number} does not open and is left as it is", err=True)
    if len(done.unopened) > MOST_TOLD:
        click.echo(f"and {len(done.unopened) - MOST_TOLD} more", err=True)
    for name, n in done.kept:
        click.echo(f"{n} addresses are still under {name!r}: keep that key, and run this again", err=True)
    for name in done.removable:
        click.echo(f"nothing is sealed under {name!r} any more: it may be removed from ADDRESS_KEYS")
    if done.removable:
        click.echo("backups from before still need it: keep it where they are kept")


@click.command()
def retention() -> None:
    """Forget now what RETENTION_DELIVERIES and RETENTION_ADDRESSES say; the sweep does the same, little by little."""
    from alerting.tracking.retention import forget

    with database() as settings:
        done = forget(settings, actor=ACTOR, now=datetime.now(UTC))
    click.echo(
        f"forgotten: the recipients of {done.deliveries} deliveries, {done.receipts} receipts, {done.notices} answers,"
        f" {done.addresses} addresses"
    )
