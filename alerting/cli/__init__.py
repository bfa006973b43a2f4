"""The command line: a click group whose commands are imported only when they are called.

One module per group of commands; a command whose module is not there is not offered. Nothing here may be
imported by the service itself. `alerting --help` must stay light: it loads neither flask nor sqlalchemy.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Final

import click

# command -> (module, attribute, one line for the list)
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "up": ("alerting.cli.run", "up", "Start everything on this machine and keep the data."),
    "demo": ("alerting.cli.demo", "demo", "One warning all the way through, on real parts."),
    "worker": ("alerting.cli.run", "worker", "Work one lane: plan, sms, email or web."),
    "sweep": ("alerting.cli.run", "sweep", "Run the sweep: leases, receipts, closing."),
    "sandbox": ("alerting.cli.run", "sandbox", "Run the sandbox of telephones and mailboxes."),
    "publish": ("alerting.cli.publish", "publish", "Send a CAP document to the running service."),
    "show": ("alerting.cli.publish", "show", "Show who was reached by a warning."),
    "regions": ("alerting.cli.regions", "regions", "Import and list regions."),
    "subscribers": ("alerting.cli.subscribers", "subscribers", "Import and export subscribers."),
    "keys": ("alerting.cli.keys", "keys", "Make and revoke API keys."),
    "db": ("alerting.cli.run", "db", "Migrate the database."),
    "cap": ("alerting.cli.cap", "cap", "Check CAP documents."),
    "selftest": ("alerting.cli.selftest", "selftest", "Pass a message through every channel."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, (module, _, _) in COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: object = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):  # a command group of another name in that module
            raise click.ClickException(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][2]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="alerting", message="%(version)s")
def main() -> None:
    """Public warnings: one CAP document to phones, mailboxes and feeds."""
