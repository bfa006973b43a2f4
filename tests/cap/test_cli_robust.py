"""No file makes a traceback: real ones, damaged ones and random bytes, through every command and every option."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerting.cap.xml import write
from alerting.cli import main
from alerting.cli.cap import COMMANDS
from tests.cap import made, made_files

LINES = (
    "check {}",
    "check --format json --tolerant --publish --profile ipaws --profile china {}",
    "convert {}",
    "convert --to json --tolerant {}",
    "convert --to geojson {}",
    "convert --number 1 {}",
    "diff {} river.xml",
    "diff river.xml {} --format json",
    "sign {} --key key.pem",
    "verify {} --anchors anchors.pem",
)
AS_KEYS = (
    "sign river.xml --key {}",
    "sign river.xml --key key.pem --password-file {}",
    "verify river.xml --anchors {} --format json",
)
ODD = (
    b"",
    b"\0",
    b"{",
    b"null",
    b"[1, [], {}]",
    b'{"\\ud800": "\\u0000"}',
    b"[" * 100_000,
    b'{"info": [{"area": [{"altitude": 1e999}]}]}',
    b'{"info": [{"area": [{"altitude": ' + b"9" * 5000 + b"}]}]}",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"\xff\xfe<\0a\0/\0>\0",
    b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>",
    b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'/>",
    b"x" * 2_000_001,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made_files.write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _ends_well(line: str, file: str) -> None:
    result = CliRunner().invoke(main, ["cap", *(word.format(file) for word in line.split())])
    assert isinstance(result.exception, SystemExit | None), (line, file, repr(result.exception))
    assert result.exit_code in {0, 1, 2}, (line, file)
    assert "Traceback" not in result.output


def test_every_command_is_tried_here() -> None:
    tried = {line.split()[0] for line in LINES}
    assert tried == set(COMMANDS) - {"events"}, "events takes no file"


def test_random_and_odd_bytes_end_well(folder: Path) -> None:
    chance = random.Random(7)
    for data in (*ODD, *(chance.randbytes(chance.randrange(300)) for _ in range(20))):
        (folder / "x").write_bytes(data)
        for line in (*LINES, *AS_KEYS):
            _ends_well(line, "x")


def test_damaged_documents_end_well(folder: Path) -> None:
    signed = CliRunner().invoke(main, ["cap", "sign", "river.xml", "--key", "key.pem"]).stdout_bytes
    key = (folder / "key.pem").read_bytes()
    chance = random.Random(8)
    for whole, lines in (
        (write(made.alert()), LINES),
        (made_files.feed(), LINES),
        (signed, LINES),
        (key, AS_KEYS),
    ):
        for _ in range(12):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(data))
                data[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(3))
            (folder / "x").write_bytes(data)
            for line in lines:
                _ends_well(line, "x")


@pytest.mark.parametrize("kind", ["valid", "invalid", "wrapped"])
def test_real_files_end_well(folder: Path, shared_path: Path, kind: str) -> None:
    files = sorted((shared_path / "cap" / "corpus" / kind).glob("*"))
    assert len(files) > 10
    for file in files:
        for line in LINES:
            _ends_well(line, str(file))
