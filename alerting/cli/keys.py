"""`alerting keys` and `alerting policy`: who may do what, set up on the machine of the service.

Works on the database itself, so that the first key can be made before anybody can call the API. Imports the use cases when a
command runs. Invariant: a key is printed once, alone on standard output; whoever runs these commands is checked like a caller
of the API, but for the first key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from alerting.cli.connection import database

if TYPE_CHECKING:
    from alerting.authoring.keys import Key

ROLES = ("preparer", "approver", "registrar", "auditor", "administrator")

_key = click.option(
    "--key", envvar="ALERTING_API_KEY", help="An administrator's key [default: ALERTING_API_KEY]."
)


def _administrator(key: str | None) -> Key:
    from alerting.authoring import keys

    if not key:
        raise click.ClickException("an administrator's key is needed: give --key or set ALERTING_API_KEY")
    found = keys.recognise(key)
    if found is None:
        raise click.ClickException("this key is unknown or revoked")
    return found


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.argument("name")
@_key
@database()
def create(role: str, name: str, key: str | None) -> None:
    """Make a key and print it: it cannot be had again.

    The first key of an installation is an administrator's and needs no other; each later one needs an administrator's.
    """
    from alerting.authoring import keys as officers

    secret = officers.new_secret()
    now = datetime.now(UTC)
    try:
        if key:
            officers.create(name, officers.Role(role), secret=secret, by=_administrator(key), now=now)
        elif role != officers.Role.ADMINISTRATOR:
            raise click.ClickException(
                "an administrator's key is needed: give --key or set ALERTING_API_KEY "
                "(the first key of all is made by --role administrator)"
            )
        else:
            officers.create_first(name, secret=secret, now=now)
    except officers.KeyRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name}, {role}: keep this key, it is shown once", err=True)
    click.echo(secret)


@keys.command("list")
@_key
@database()
def listing(key: str | None) -> None:
    """List every key ever made: name, role and times."""
    from alerting.authoring import keys as officers

    _administrator(key)
    for each in officers.listing():
        ended = f"revoked {each.revoked_at:%Y-%m-%d %H:%M}Z" if each.revoked_at else "in use"
        click.echo(f"{each.name}\t{each.role}\t{each.created_at:%Y-%m-%d %H:%M}Z\t{ended}")


@keys.command()
@click.argument("name")
@_key
@database()
def revoke(name: str, key: str | None) -> None:
    """End a key at once."""
    from alerting.authoring import keys as officers

    try:
        officers.revoke(name, by=_administrator(key), now=datetime.now(UTC))
    except officers.KeyRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is revoked")


@click.group()
def policy() -> None:
    """Show and set what a warning needs before it goes out."""


@policy.command("show")
@database()
def policy_show() -> None:
    """Show the policy."""
    from alerting.authoring import policy as rules

    click.echo(f"approvers {rules.approvers()}")


@policy.command("set")
@click.argument("name", type=click.Choice(["approvers"]))
@click.argument("value", type=click.IntRange(0, 1))
@_key
@database()
def policy_set(name: str, value: int, key: str | None) -> None:
    """Set how many approvers a warning needs: 0 issues at once, 1 waits for a second officer."""
    from alerting.authoring import policy as rules

    by = _administrator(key)
    if by.role != "administrator":
        raise click.ClickException("an administrator's key is needed")
    rules.set_approvers(value, actor=by.name, now=datetime.now(UTC))
    click.echo(f"{name} {value}")
