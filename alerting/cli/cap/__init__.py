"""`alerting cap`: CAP documents on the command line, as they are, without the service.

A group whose commands are imported only when they are called, one module each; a command whose module is not there is
not offered. Must not import flask, sqlalchemy or the store. Invariant: no input makes a traceback, and the exit status
is the verdict: 0 nothing wrong, 1 something is, 2 a file could not be read.
"""

from __future__ import annotations

from typing import Final

import click

from alerting.cli import LazyGroup

# command -> (module, one line for the list); the command is the module's attribute of its name
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "check": ("alerting.cli.cap.check", "Check documents against CAP 1.2 and its profiles."),
    "convert": ("alerting.cli.cap.convert", "Write a document as CAP 1.2, JSON or GeoJSON."),
    "diff": ("alerting.cli.cap.diff", "Tell what changed between a warning and its update."),
    "sign": ("alerting.cli.cap.sign", "Sign a document with a private key."),
    "verify": ("alerting.cli.cap.verify", "Verify signatures against trusted certificates."),
    "events": ("alerting.cli.cap_events", "Look up event terms and codes."),
}


class CapCommands(LazyGroup):
    """The same for the commands of this group."""

    offered = COMMANDS


@click.group(cls=CapCommands)
def cap() -> None:
    """Check, convert, sign and compare CAP documents."""


group = cap
