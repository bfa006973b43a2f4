"""docs/operations.md: each command and option exists, and each figure is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from alerting.cli import main
from alerting.config import Settings
from alerting.fanout import sweep
from alerting.store import restoring, retention
from alerting.subscribing import rotation

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
MINE = PAGE.split("## Metrics and alarms", 1)[0]


def commands() -> list[str]:
    """What the page says to type: in indented lines, and between backticks."""
    indented = re.findall(r"^    (.*\balerting .*)$", MINE, re.MULTILINE)
    return sorted(
        {
            found
            for text in (*indented, *re.findall(r"`([^`]+)`", MINE))
            for found in re.findall(r"\balerting [a-z][^|]*", text)
        }
    )


def test_the_page_names_commands() -> None:
    assert len(commands()) >= 12


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_page_exists_with_its_options(line: str) -> None:
    context = click.Context(main)
    command: click.Command = main
    words = line.split()[1:]
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, line


def test_the_settings_of_the_page_have_the_defaults_that_it_gives() -> None:
    fields = Settings.__dataclass_fields__
    rows = re.findall(r"^\| `(RETENTION_[A-Z]+)` \| (\d+) days", MINE, re.MULTILINE)
    assert {name: float(days) for name, days in rows} == {
        name.upper(): fields[name].default for name in ("retention_deliveries", "retention_addresses")
    }


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    assert f"chunks of {retention.CHUNK:,} rows".replace(",", " ") in MINE
    assert f"{rotation.CHUNK:,} ids in a".replace(",", " ") in MINE
    assert sweep.CHUNKS == 4
    assert "four of them each five seconds" in MINE
    assert sweep.SLOW * sweep.ROUND == 5
    assert restoring.GAP == 1_000_000
    assert "a million above" in MINE


def test_every_place_that_the_page_names_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    for link in re.findall(r"\]\((adr/[^)#]+)\)", MINE):
        assert (root / "docs" / link).is_file(), link
    for path in re.findall(r"`(tests/[a-z_/]+\.py)`", MINE):
        assert (root / path).is_file(), path
