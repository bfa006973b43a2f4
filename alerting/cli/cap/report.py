"""What the commands of `alerting cap` say, as text and as JSON, and where they write what they make.

Invariant: nothing that a document holds reaches a terminal as a control character, and no output encoding makes an
error: what it cannot write is written as an escape.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

if TYPE_CHECKING:
    from alerting.cap.findings import Finding
    from alerting.cap.tolerant import Mend

WRONG: Final = 1
UNREAD: Final = 2

_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(10), *range(11, 32), *range(127, 160))}


def say(text: str, *, err: bool = False) -> None:
    """The text and a line end on the standard output, or on the standard error."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    shown = text.translate(_CONTROLS).encode(encoding, "backslashreplace").decode(encoding)
    click.echo(shown, err=err)


def say_json(value: object) -> None:
    """The value as JSON for a program to read."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def stop(message: str, *, status: int = UNREAD) -> NoReturn:
    """End the command with a message on the standard error."""
    say(message, err=True)
    sys.exit(status)


def named(file: str) -> str:
    """The file's name as text, undecodable bytes replaced."""
    return click.format_filename(file)


def about(finding: Finding | Mend) -> dict[str, Any]:
    """Where something was found or mended, and what, for JSON."""
    plain = {
        "rule": finding.rule,
        "path": finding.path,
        "pointer": finding.pointer,
        "message": finding.message,
    }
    severity = getattr(finding, "severity", None)
    return plain if severity is None else {"rule": plain.pop("rule"), "severity": severity.value, **plain}


def line(finding: Finding | Mend) -> str:
    """The same on a line of text."""
    how = getattr(finding, "severity", "mended")
    return f"{how} {finding.rule} {finding.path}: {finding.message}"


def write_out(data: bytes, output: str | None) -> None:
    """What was made, into the file or on the standard output. A file that cannot be written ends the command (2)."""
    if output is None or output == "-":
        click.echo(data, nl=False)
        return
    try:
        Path(output).write_bytes(data)
    except (OSError, ValueError) as error:
        stop(f"{named(output)}: cannot be written: {getattr(error, 'strerror', None) or 'output error'}")
