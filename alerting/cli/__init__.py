"""The command line: a click group whose commands are imported only when they are called.

One module per group of commands; a command whose module is not there is not offered. Nothing here may be imported by the
service itself. Invariant: `alerting --help` loads neither flask nor sqlalchemy, and a user never sees a traceback for
what a user can mend.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from typing import ClassVar, Final

import click

# command -> (module, one line for the list); the command is the module's attribute of its name
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("alerting.cli.run", "Start everything on this machine and keep the data."),
    "demo": ("alerting.cli.demo", "One warning all the way through, on real parts."),
    "worker": ("alerting.cli.run", "Work one lane: plan, sms, email or web."),
    "sweep": ("alerting.cli.run", "Run the sweep: leases, receipts, closing."),
    "publish": ("alerting.cli.publish", "Send a CAP document to the running service."),
    "show": ("alerting.cli.show", "Show who was reached by a warning."),
    "regions": ("alerting.cli.regions", "Import and list regions."),
    "subscribers": ("alerting.cli.subscribers", "Import and export subscribers."),
    "addresses": ("alerting.cli.privacy", "Seal addresses under a new key."),
    "retention": ("alerting.cli.privacy", "Forget now what is old enough."),
    "keys": ("alerting.cli.keys", "Make and revoke API keys."),
    "policy": ("alerting.cli.keys", "Show and set how many approvers a warning needs."),
    "audit": ("alerting.cli.audit", "Read and prove the audit."),
    "backup": ("alerting.cli.backup", "Write the database to a file while the service runs."),
    "restore": ("alerting.cli.backup", "Restore a backup; what it had begun to send stays on hold."),
    "resume": ("alerting.cli.backup", "Send on what a restore has left on hold."),
    "db": ("alerting.cli.run", "Migrate the database."),
    "cap": ("alerting.cli.cap", "Check, convert, sign and compare CAP documents."),
    "selftest": ("alerting.cli.selftest", "Pass a message through every channel."),
}

# These start servers of their own or need none.
_WITHOUT_SERVERS: Final = {"up", "demo", "cap"}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    offered: ClassVar[Mapping[str, tuple[str, str]]] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, (module, _) in self.offered.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: object = getattr(importlib.import_module(self.offered[cmd_name][0]), cmd_name)
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{self.offered[cmd_name][0]}.{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.offered[name][1]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        from alerting.config import ConfigurationError

        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise click.ClickException(
                f"{error}\n(`alerting up` needs none of this: it starts servers of its own and makes the secrets)"
            ) from error


def _join_running_servers() -> None:
    """Complete the environment from the servers that `alerting up` or `demo` runs on this machine now."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    from alerting import embedded

    data = embedded.default_data(os.environ)
    for folder in (data, data / "demo"):
        found = embedded.attach(folder)
        if found is not None:
            os.environ.update(found.environment(os.environ))
            return


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="alerting", message="%(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Public warnings: one CAP document to phones, mailboxes and feeds."""
    if ctx.invoked_subcommand not in _WITHOUT_SERVERS:
        _join_running_servers()
