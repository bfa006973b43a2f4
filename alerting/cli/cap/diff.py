"""`alerting cap diff`: what changed between a warning and its update, for people and for programs.

Invariant: exit status 0 says that the two say the same, 1 that they differ, 2 that one of them could not be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from alerting.cli.cap.documents import Unreadable, as_it_comes, load
from alerting.cli.cap.report import WRONG, line, named, say, say_json, stop

if TYPE_CHECKING:
    from alerting.cap.difference import Change
    from alerting.cap.findings import Finding, Place
    from alerting.cap.model import Alert


@click.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write the changes."
)
def diff(before: str, after: str, form: str) -> None:
    """Tell what changed from the warning BEFORE to the warning AFTER.

    Exit status: 0 nothing, 1 something, 2 a file could not be read.
    """
    from alerting.cap.difference import difference

    now = datetime.now(UTC)
    old, new = _alert(before, now), _alert(after, now)
    changes = difference(old, new)
    if form == "json":
        say_json([_plain(change) for change in changes])
    else:
        _say(old, new, changes)
    sys.exit(WRONG if changes else 0)


def _alert(file: str, now: datetime) -> Alert:
    try:
        contents = as_it_comes(load(file), now=now)
    except Unreadable as error:
        stop(f"{named(file)}: {error}")
    if len(contents.parts) > 1:
        stop(
            f"{named(file)}: holds {len(contents.parts)} alerts and one can be compared: "
            "take it out with alerting cap convert --number"
        )
    documents = [part.document for part in contents.parts]
    alert = next((document.alert for document in documents if document.alert is not None), None)
    if alert is None:
        findings = [*contents.findings, *(each for document in documents for each in document.findings)]
        stop("\n".join(_reasons(named(file), findings)))
    return alert


def _reasons(file: str, findings: Sequence[Finding]) -> list[str]:
    said = [f"{file}: {line(finding)}" for finding in findings if finding.severity == "error"]
    return said or [f"{file}: holds no alert"]


def _plain(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "field": change.field,
        "before": _pointer(change.before),
        "after": _pointer(change.after),
        "old": change.old,
        "new": change.new,
        "languages": list(change.languages),
        "message": change.message,
    }


def _pointer(place: Place | None) -> str | None:
    return None if place is None else "".join(f"/{step}" for step in place)


def _say(old: Alert, new: Alert, changes: tuple[Change, ...]) -> None:
    from alerting.cap.chain import acts_on, identity

    say(f"{old.identifier} ({old.msg_type}) -> {new.identifier} ({new.msg_type})")
    if identity(old) != identity(new) and identity(old) not in acts_on(new, may_act=lambda *_: True):
        say(f"note: {new.identifier} does not act on {old.identifier}", err=True)
    if not changes:
        say("nothing changed")
    languages: tuple[str, ...] | None = None
    for change in changes:
        if change.languages != languages:
            languages = change.languages
            say(f"{', '.join(languages)}:" if languages else "alert:")
        say(f"  {change.message}")
