"""`alerting cap`: CAP documents on the command line, as they are, without the service.

Owns the command `check`. Must not import flask, sqlalchemy or the store. Invariant: exit status 0 says that no error
was found, 1 that some were, 2 that a file could not be read.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from alerting.cap.findings import Finding
    from alerting.cap.rules import Context


@click.group()
def cap() -> None:
    """Check CAP documents."""


group = cap


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about one file; `unread` is the reason why nothing could be."""

    file: str
    findings: tuple[Finding, ...] = ()
    unread: str | None = None


@cap.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write findings."
)
@click.option("--publish", is_flag=True, help="Add what issuing the document now would refuse.")
def check(files: tuple[str, ...], form: str, publish: bool) -> None:
    """Check CAP 1.2 documents, XML or JSON, against every rule; - is the standard input.

    Exit status: 0 no error, 1 errors, 2 a file could not be read.
    """
    from alerting.cap.rules import Context, Mode

    context = Context(now=datetime.now(UTC), mode=Mode.PUBLISH if publish else Mode.READ)
    verdicts = [_verdict(file, context) for file in files]
    if form == "json":
        click.echo(json.dumps([_plain(verdict) for verdict in verdicts], ensure_ascii=False, indent=2))
    else:
        for verdict in verdicts:
            _say(verdict)
    for verdict in verdicts:
        if verdict.unread is not None:
            click.echo(f"{verdict.file}: {verdict.unread}", err=True)
    sys.exit(_status(verdicts))


def _verdict(file: str, context: Context) -> Verdict:
    from alerting.cap.findings import ERROR, Document, Finding
    from alerting.cap.jsonform import from_json
    from alerting.cap.rules import check as check_rules
    from alerting.cap.xml import read

    try:
        size = context.limits.size
        if file == "-":
            data = sys.stdin.buffer.read(size + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(size + 1)
    except OSError as error:
        return Verdict(file, unread=f"cannot be read: {error.strerror or 'input error'}")
    if len(data) <= size and data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        try:
            document = from_json(json.loads(data.decode("utf-8-sig")))
        except (ValueError, RecursionError):
            fault = Finding(
                "X-01", ERROR, (), "this is not JSON: check brackets, commas and the encoding UTF-8"
            )
            document = Document(None, (fault,))
    else:
        document = read(data, context.limits)
    return Verdict(file, check_rules(document, context))


def _plain(verdict: Verdict) -> dict[str, object]:
    findings = [
        {
            "rule": finding.rule,
            "severity": finding.severity.value,
            "path": finding.path,
            "pointer": finding.pointer,
            "message": finding.message,
        }
        for finding in verdict.findings
    ]
    return {"file": verdict.file, "findings": findings}


def _say(verdict: Verdict) -> None:
    if verdict.unread is not None:
        return
    if not verdict.findings:
        click.echo(f"{verdict.file}: no findings")
    for finding in verdict.findings:
        click.echo(f"{verdict.file}: {finding.severity} {finding.rule} {finding.path}: {finding.message}")


def _status(verdicts: list[Verdict]) -> int:
    if any(verdict.unread is not None for verdict in verdicts):
        return 2
    return int(any(finding.severity == "error" for verdict in verdicts for finding in verdict.findings))
