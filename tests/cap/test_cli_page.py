"""The transcripts of docs/cap.md are what the command line says."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner

from alerting.cli import main
from tests.cap import made_files

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cap.md"
TRANSCRIPT = re.compile(r"```console\n(.*?)```", re.DOTALL)
NOW = datetime(2026, 3, 1, 2, 5, tzinfo=UTC)  # after the warning and its update


def transcripts() -> list[tuple[str, str]]:
    """Each command of the page with what it prints: words after the dollar sign, lines up to the next."""
    found: list[tuple[str, str]] = []
    for block in TRANSCRIPT.findall(PAGE.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def run(command: str) -> tuple[int, str]:
    words = shlex.split(command)
    assert words[:2] == ["alerting", "cap"], command
    result = CliRunner().invoke(main, words[1:])
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    return result.exit_code, result.output


@time_machine.travel(NOW, tick=False)
def test_every_transcript_is_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made_files.write_all(tmp_path)
    status = 0
    for command, output in transcripts():
        if command == "echo $?":
            assert output == f"{status}\n"
        else:
            status, printed = run(command)
            assert printed == output, command
    assert len(transcripts()) > 10


def test_every_command_has_a_transcript_or_a_page() -> None:
    from alerting.cli.cap import COMMANDS

    shown = {command.split()[2] for command, _ in transcripts() if command.startswith("alerting")}
    assert {name for name in COMMANDS if name != "events"} <= shown
