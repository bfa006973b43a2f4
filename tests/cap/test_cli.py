"""`alerting cap check` as people and scripts call it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from alerting.cap import jsonform
from alerting.cap.restamp import restamp
from alerting.cap.xml import write
from alerting.cli import main
from alerting.cli.cap import group
from tests.cap import made


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.xml"
    file.write_bytes(write(restamp(made.alert(), identifier="now", now=datetime.now(UTC))))
    return file


def test_it_is_a_group_of_the_command_line() -> None:
    assert isinstance(group, click.Group)
    assert group.name == "cap"
    assert "check" in CliRunner().invoke(main, ["cap", "--help"]).output


def test_a_sound_file_ends_with_0(sound: Path) -> None:
    result = CliRunner().invoke(main, ["cap", "check", str(sound), "--publish"])
    assert (result.exit_code, result.output) == (0, f"{sound}: no findings\n")


def test_json_is_a_list_with_an_object_for_each_file(sound: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xml"
    wrong.write_bytes(write(made.alert(made.info(web="x"))))
    result = CliRunner().invoke(main, ["cap", "check", str(sound), str(wrong), "--format", "json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"file": str(sound), "findings": [], "mended": []},
        {
            "file": str(wrong),
            "findings": [
                {
                    "rule": "I-15",
                    "severity": "error",
                    "path": "/alert/info[1]/web",
                    "pointer": "/info/0/web",
                    "message": "web is not a full address: write it with its scheme, such as https://",
                }
            ],
            "mended": [],
        },
    ]


def test_warnings_alone_end_with_0(tmp_path: Path) -> None:
    file = tmp_path / "warned.xml"
    file.write_bytes(write(made.alert(made.info(contact=None))))
    result = CliRunner().invoke(main, ["cap", "check", str(file)])
    assert result.exit_code == 0
    assert "warning I-16 /alert/info[1]/contact" in result.output


def test_publish_adds_what_issuing_now_would_refuse(tmp_path: Path) -> None:
    file = tmp_path / "old.xml"
    file.write_bytes(
        write(restamp(made.alert(), identifier="old", now=datetime.now(UTC) - timedelta(days=9)))
    )
    assert CliRunner().invoke(main, ["cap", "check", str(file)]).exit_code == 0
    result = CliRunner().invoke(main, ["cap", "check", "--publish", str(file)])
    assert result.exit_code == 1
    assert "expires has passed already" in result.output


def test_a_file_that_cannot_be_read_ends_with_2(sound: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["cap", "check", str(tmp_path / "none"), str(tmp_path), str(sound), "--format", "json"]
    )
    assert result.exit_code == 2
    assert [entry["file"] for entry in json.loads(result.stdout)] == [
        str(tmp_path / "none"),
        str(tmp_path),
        str(sound),
    ]
    assert "none: cannot be read" in result.stderr
    assert "Traceback" not in result.output


def test_what_is_no_xml_is_an_error_not_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "no.xml"
    file.write_bytes(b"<alert")
    result = CliRunner().invoke(main, ["cap", "check", str(file)])
    assert result.exit_code == 1
    assert "error X-01 /alert" in result.output


def test_json_files_are_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(jsonform.to_json(made.alert())), encoding="utf-8")
    assert CliRunner().invoke(main, ["cap", "check", str(file)]).exit_code == 0
    file.write_text("{ nonsense", encoding="utf-8")
    assert CliRunner().invoke(main, ["cap", "check", str(file)]).exit_code == 1
    file.write_text('{"a":' * 100_000, encoding="utf-8")
    assert CliRunner().invoke(main, ["cap", "check", str(file)]).exit_code == 1


def test_the_standard_input_is_a_dash() -> None:
    result = CliRunner().invoke(main, ["cap", "check", "-"], input=write(made.alert()))
    assert (result.exit_code, result.output) == (0, "-: no findings\n")
