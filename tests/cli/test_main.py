"""The command line as a whole: light, complete, and without a traceback for what a user can mend."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.cli.running import ROOT, environment


def alerting(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alerting.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**environ),
        cwd=ROOT,
    )


def test_help_names_every_command() -> None:
    from alerting.cli import COMMANDS, main

    shown = alerting("--help")
    assert shown.returncode == 0
    offered = main.list_commands(None)  # type: ignore[arg-type] # the list needs no context
    assert set(COMMANDS) - set(offered) <= {"selftest"}
    assert all(f"  {name} " in shown.stdout for name in offered)


def test_a_missing_setting_is_named_without_a_traceback(tmp_path: Path) -> None:
    refused = alerting("db", "upgrade", ALERTING_DATA=str(tmp_path))
    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_taken_port_is_named_with_the_option_that_moves_it(server_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = alerting("up", "--port", port, ALERTING_DATA=str(server_folder))
    assert refused.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in refused.stderr
    assert "--port" in refused.stderr
    assert not any((server_folder / "run").iterdir()), "a server was left running"
