"""`alerting cap check`: documents against every rule, as they are or after tolerant reading.

Invariant: exit status 0 says that no error was found, 1 that some were, 2 that a file could not be read; the JSON is a
list with an object for each file, in the order given, whatever happened to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from alerting.cli.cap.documents import Contents, Unreadable, load, strictly, tolerantly
from alerting.cli.cap.report import UNREAD, WRONG, about, line, named, say, say_json

if TYPE_CHECKING:
    from alerting.cap.findings import Finding
    from alerting.cap.rules import Context
    from alerting.cap.tolerant import Mend


@dataclass(frozen=True, slots=True)
class Judged:
    """One alert of a file: its number where the file holds several, what was found and what was mended."""

    number: int | None
    findings: tuple[Finding, ...]
    mended: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about one file; `unread` is the reason why nothing could be."""

    file: str
    judged: tuple[Judged, ...] = ()
    unread: str | None = None

    def findings(self) -> Iterator[tuple[int | None, Finding]]:
        for each in self.judged:
            for finding in each.findings:
                yield each.number, finding

    def mended(self) -> Iterator[tuple[int | None, Mend]]:
        for each in self.judged:
            for mend in each.mended:
                yield each.number, mend


def _known(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if names:
        from alerting.cap.profiles import named as profile

        for name in names:
            try:
                profile(name)
            except ValueError as error:
                raise click.BadParameter(str(error)) from None
    return names


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    callback=_known,
    metavar="NAME",
    help="Also check a profile: ipaws, cap-cp, cap-au, meteoalarm, wmo or china; may be given again.",
)
@click.option("--publish", is_flag=True, help="Add what issuing the document now would refuse.")
@click.option(
    "--tolerant", is_flag=True, help="Read other versions, wrappers and faults, and say what was mended."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write findings."
)
def check(
    files: tuple[str, ...], profiles: tuple[str, ...], publish: bool, tolerant: bool, form: str
) -> None:
    """Check CAP 1.2 documents, XML or JSON, against every rule; - is the standard input.

    The profiles that a document's code announces are checked without being named.

    Exit status: 0 no error, 1 errors, 2 a file could not be read.
    """
    from alerting.cap.rules import Context, Mode

    mode = Mode.PUBLISH if publish else Mode.READ
    context = Context(now=datetime.now(UTC), mode=mode, profiles=profiles)
    verdicts = [_verdict(file, context, tolerant=tolerant) for file in files]
    if form == "json":
        say_json([_plain(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            _say(verdict)
    for verdict in verdicts:
        if verdict.unread is not None:
            say(f"{named(verdict.file)}: {verdict.unread}", err=True)
    sys.exit(_status(verdicts))


def _verdict(file: str, context: Context, *, tolerant: bool) -> Verdict:
    try:
        data = load(file)
    except Unreadable as error:
        return Verdict(file, unread=str(error))
    now = context.now
    contents = tolerantly(data, now=now) if tolerant and now is not None else strictly(data)
    return Verdict(file, tuple(_judged(contents, context)))


def _judged(contents: Contents, context: Context) -> Iterator[Judged]:
    from alerting.cap.rules import check as check_rules

    several = len(contents.parts) > 1
    if contents.findings:
        yield Judged(None, contents.findings)
    for number, part in enumerate(contents.parts):
        found = check_rules(part.document, context)
        yield Judged(number if several else None, found, part.mended)


def _plain(verdict: Verdict) -> dict[str, object]:
    return {
        "file": named(verdict.file),
        "findings": [about(finding) | _numbered(number) for number, finding in verdict.findings()],
        "mended": [about(mend) | _numbered(number) for number, mend in verdict.mended()],
    }


def _numbered(number: int | None) -> dict[str, Any]:
    return {} if number is None else {"alert": number}


def _say(verdict: Verdict) -> None:
    if verdict.unread is not None:
        return
    file = named(verdict.file)
    said = False
    for each in verdict.judged:
        where = file if each.number is None else f"{file}: alert {each.number}"
        for mend in each.mended:
            say(f"{where}: {line(mend)}")
        for finding in each.findings:
            say(f"{where}: {line(finding)}")
        said = said or bool(each.findings)
    if not said:
        say(f"{file}: no findings")


def _status(verdicts: list[Verdict]) -> int:
    if any(verdict.unread is not None for verdict in verdicts):
        return UNREAD
    wrong = any(found.severity == "error" for verdict in verdicts for _, found in verdict.findings())
    return WRONG if wrong else 0
