"""`alerting cap verify`: the signatures of CAP documents, over the bytes as received, against pinned certificates.

Invariant: exit status 0 says that every file carries signatures and all of them are valid, 1 that one is not or is
missing, 2 that a file could not be read.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from alerting.cli.cap.documents import Unreadable, load
from alerting.cli.cap.report import UNREAD, WRONG, named, say, say_json, stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from alerting.cap.signature import Signature


@dataclass(frozen=True, slots=True)
class Verified:
    """The signatures of one file; `unread` is the reason why none could be looked for."""

    file: str
    signatures: tuple[Signature, ...] = ()
    unread: str | None = None


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else _refused(text)
    except (ValueError, OverflowError):
        return _refused(text)


def _refused(text: str) -> datetime:
    raise click.BadParameter(
        f"{text!r} is not a time with a zone: write one such as 2026-03-01T09:00:00+08:00"
    )


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--anchors", required=True, metavar="PEM", help="The certificates that are trusted, in one file."
)
@click.option(
    "--at", metavar="TIME", callback=_moment, help="When certificates must be valid [default: now]."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write verdicts."
)
def verify(files: tuple[str, ...], anchors: str, at: datetime | None, form: str) -> None:
    """Verify the signatures of CAP documents (XML); - is the standard input.

    Exit status: 0 all are valid, 1 one is not or a file has none, 2 a file could not be read.
    """
    trusted = _anchors(anchors)
    when = at or datetime.now(UTC)
    results = [_verified(file, trusted, when) for file in files]
    if form == "json":
        say_json([_plain(result) for result in results])
    else:
        for result in results:
            _say(result)
    for result in results:
        if result.unread is not None:
            say(f"{named(result.file)}: {result.unread}", err=True)
    sys.exit(_status(results))


def _anchors(file: str) -> tuple[Certificate, ...]:
    from alerting.cap.signature import load_anchors

    try:
        return load_anchors(load(file))
    except (Unreadable, ValueError) as error:
        stop(f"{named(file)}: {error}")


def _verified(file: str, anchors: Sequence[Certificate], at: datetime) -> Verified:
    from alerting.cap.signature import verify as verify_signatures

    try:
        data = load(file)
    except Unreadable as error:
        return Verified(file, unread=str(error))
    try:
        return Verified(file, verify_signatures(data, anchors, at=at))
    except ValueError as error:
        return Verified(file, unread=str(error))


def _plain(result: Verified) -> dict[str, object]:
    signatures = [
        {
            "verdict": signature.verdict.value,
            "algorithm": signature.algorithm,
            "subject": signature.subject,
            "not_after": None if signature.not_after is None else signature.not_after.isoformat(),
            "message": signature.message,
        }
        for signature in result.signatures
    ]
    return {"file": named(result.file), "signatures": signatures}


def _say(result: Verified) -> None:
    if result.unread is not None:
        return
    if not result.signatures:
        say(f"{named(result.file)}: unsigned")
    for signature in result.signatures:
        until = f"until {signature.not_after:%Y-%m-%d}" if signature.not_after else None
        known = ", ".join(part for part in (signature.algorithm, signature.subject, until) if part)
        say(f"{named(result.file)}: {signature.verdict} ({known or 'nothing known'}): {signature.message}")


def _status(results: list[Verified]) -> int:
    if any(result.unread is not None for result in results):
        return UNREAD
    valid = all(
        result.signatures and all(signature.verdict == "valid" for signature in result.signatures)
        for result in results
    )
    return 0 if valid else WRONG
