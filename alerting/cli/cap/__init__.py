"""`alerting cap`: CAP documents on the command line, as they are, without the service.

A group whose commands are imported only when they are called, one module each; a command whose module is not there is
not offered. Must not import flask, sqlalchemy or the store. Invariant: no input makes a traceback, and the exit status
is the verdict: 0 nothing wrong, 1 something is, 2 a file could not be read.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Final

import click

# command -> (module, one line for the list); the command is the module's attribute of its name
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "check": ("alerting.cli.cap.check", "Check documents against CAP 1.2 and its profiles."),
    "convert": ("alerting.cli.cap.convert", "Write a document as CAP 1.2, JSON or GeoJSON."),
    "diff": ("alerting.cli.cap.diff", "Tell what changed between a warning and its update."),
    "sign": ("alerting.cli.cap.sign", "Sign a document with a private key."),
    "verify": ("alerting.cli.cap.verify", "Verify signatures against trusted certificates."),
    "events": ("alerting.cli.cap_events", "Look up event terms and codes."),
}


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: object = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{COMMANDS[cmd_name][0]}.{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyCommands)
def cap() -> None:
    """Check, convert, sign and compare CAP documents."""


group = cap
