"""`alerting audit`: the chain of who did what, read and proven on the machine of the service.

Works on the database itself, so that the chain can be proven without the service that writes it. Writes nothing. Invariant:
exit status 0 of `verify` says that every row is as it was written, and that the chain ends where --head says.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from alerting.cli.connection import database

if TYPE_CHECKING:
    from alerting.store.audit import Entry


@click.group()
def audit() -> None:
    """Read and prove the audit."""


@audit.command()
@click.option("--head", metavar="HASH", help="The last hash as it was kept elsewhere: rows cut off are seen.")
@database()
def verify(head: str | None) -> None:
    """Prove that no row was changed, left out or put in later.

    Prints the number of rows and the last hash, to be kept elsewhere. Exit status: 0 whole, 1 not.
    """
    from alerting.store import audit as chain
    from alerting.store.engine import transaction

    with transaction() as session:
        broken = chain.verify(session)
        hashes = [entry.hash.hex() for entry in chain.entries(session)] if broken is None else []
    if broken is not None:
        click.echo(
            f"row {broken} is missing or not as it was written; the rows before it are whole", err=True
        )
        sys.exit(1)
    if head is not None and head.strip().lower() not in hashes:
        click.echo(
            f"no row has the hash {head}: rows were cut off at the end, or it is of another chain", err=True
        )
        sys.exit(1)
    click.echo(f"{len(hashes)} rows, whole; the last hash is {hashes[-1] if hashes else bytes(32).hex()}")


@audit.command("list")
@click.option("--alert", metavar="ID", help="Only what concerns this warning.")
@click.option("--after", type=int, default=0, show_default=True, help="Only rows beyond this number.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write rows."
)
@database()
def list_rows(alert: str | None, after: int, form: str) -> None:
    """Write the rows in order; json gives one object a line."""
    from alerting.store import audit as chain
    from alerting.store.engine import transaction

    with transaction() as session:
        rows = chain.entries(session, after=after) if alert is None else iter(chain.of(session, alert))
        for entry in rows:
            if entry.seq > after:
                click.echo(_text(entry) if form == "text" else json.dumps(_plain(entry), ensure_ascii=False))


def _text(entry: Entry) -> str:
    detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
    return f"{entry.seq} {entry.at.isoformat(timespec='seconds')} {entry.actor} {entry.act} {entry.subject} {detail}"


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "act": entry.act,
        "subject": entry.subject,
        "detail": dict(entry.detail),
        "hash": entry.hash.hex(),
    }
