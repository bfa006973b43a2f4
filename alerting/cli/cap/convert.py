"""`alerting cap convert`: one form of a warning into another, CAP 1.0 and 1.1 into 1.2 among them.

Invariant: what is written is strict CAP 1.2 or made of it, never what was only tolerated; what was mended on the way is
said on the standard error.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from alerting.cli.cap.documents import Contents, Unreadable, as_it_comes, load, tolerantly
from alerting.cli.cap.report import WRONG, line, named, say, stop, write_out

if TYPE_CHECKING:
    from alerting.cap.findings import Finding
    from alerting.cap.model import Alert


@click.command()
@click.argument("file")
@click.option(
    "--to",
    "form",
    type=click.Choice(["xml", "json", "geojson"]),
    default="xml",
    show_default=True,
    help="What to write.",
)
@click.option("--output", metavar="FILE", help="Where to write it [default: the standard output].")
@click.option("--number", type=click.IntRange(min=0), help="Take this alert of several, counted from 0.")
@click.option(
    "--points",
    type=click.IntRange(min=4),
    help="GeoJSON: draw each area with so many points where that is possible, never smaller than it is.",
)
@click.option(
    "--tolerant", is_flag=True, help="Mend faults of CAP 1.2 too; other versions always are mended."
)
def convert(
    file: str, form: str, output: str | None, number: int | None, points: int | None, tolerant: bool
) -> None:
    """Write a document (CAP 1.0, 1.1 or 1.2, JSON, or a feed or EDXL-DE that holds alerts) in another form.

    XML is strict CAP 1.2 and holds one alert; JSON of several is an array, GeoJSON one FeatureCollection.

    Exit status: 0 no error, 1 errors were found (what could be read is written), 2 a file could not be read or written.
    """
    if points is not None and form != "geojson":
        raise click.UsageError("--points is for --to geojson: CAP and JSON keep every point")
    now = datetime.now(UTC)
    try:
        data = load(file)
    except Unreadable as error:
        stop(f"{named(file)}: {error}")
    contents = tolerantly(data, now=now) if tolerant else as_it_comes(data, now=now)
    contents = _chosen(file, contents, form, number)
    errors, signed = _tell(file, contents, now)
    alerts = [part.document.alert for part in contents.parts if part.document.alert is not None]
    if signed and form == "xml":
        say(f"{named(file)}: the signature is left out: it holds for the bytes as received alone", err=True)
    if alerts:
        write_out(_written(file, alerts, form, points), output)
    sys.exit(WRONG if errors or not alerts else 0)


def _chosen(file: str, contents: Contents, form: str, number: int | None) -> Contents:
    count = len(contents.parts)
    if number is not None:
        if number >= count:
            stop(f"{named(file)}: there is no alert {number}: the file holds {count}, counted from 0")
        return Contents((contents.parts[number],), contents.findings)
    if form == "xml" and count > 1:
        stop(
            f"{named(file)}: holds {count} alerts and CAP in XML is one: "
            f"choose with --number 0 to --number {count - 1}"
        )
    return contents


def _tell(file: str, contents: Contents, now: datetime) -> tuple[bool, bool]:
    """Say what was mended and what is wrong; whether anything is, and whether a signature was read."""
    from alerting.cap.rules import Context, check

    several = len(contents.parts) > 1
    errors = _say_errors(named(file), contents.findings)
    signed = False
    for number, part in enumerate(contents.parts):
        where = f"{named(file)}: alert {number}" if several else named(file)
        for mend in part.mended:
            say(f"{where}: {line(mend)}", err=True)
        findings = check(part.document, Context(now=now))
        errors = _say_errors(where, findings) or errors
        signed = signed or any(finding.rule == "S-02" for finding in findings)
    return errors, signed


def _say_errors(where: str, findings: tuple[Finding, ...]) -> bool:
    errors = [finding for finding in findings if finding.severity == "error"]
    for finding in errors:
        say(f"{where}: {line(finding)}", err=True)
    return bool(errors)


def _written(file: str, alerts: list[Alert], form: str, points: int | None) -> bytes:
    if form == "xml":
        from alerting.cap.xml import Unwritable, write

        try:
            return write(alerts[0])
        except Unwritable as error:
            stop(f"{named(file)}: {error}", status=WRONG)
    if form == "geojson":
        from alerting.cap.geojson import collection

        return _json(collection(alerts, points=points))
    from alerting.cap.jsonform import to_json

    plain = [to_json(alert) for alert in alerts]
    return _json(plain if len(plain) > 1 else plain[0])


def _json(value: object) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False, indent=2)}\n".encode()
