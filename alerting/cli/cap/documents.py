"""Files as CAP documents: read within the limits, XML or JSON, strictly or tolerantly.

Imports the CAP core when a file is read, not before. Invariant: whatever bytes a file holds, what is wrong with them is
a finding; only a file that the system does not hand out raises Unreadable.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerting.cap.findings import Document, Finding
    from alerting.cap.tolerant import Mend

_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"


class Unreadable(Exception):
    """The file cannot be opened or read; the text says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One alert of a file: what reading it gave, and what the tolerant reader mended."""

    document: Document
    mended: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """The alerts of a file in their order; `findings` are about the file as a whole: why it gave none, or a feed's own."""

    parts: tuple[Part, ...]
    findings: tuple[Finding, ...] = ()


def load(file: str, limit: int | None = None) -> bytes:
    """The bytes of a file, of `-` those of the standard input; one more than the limit when there are too many.

    The limit is that of CAP documents where none is given. Raises Unreadable.
    """
    from alerting.cap.limits import LIMITS

    most = (LIMITS.size if limit is None else limit) + 1
    try:
        if file == "-":
            return sys.stdin.buffer.read(most)
        with Path(file).open("rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or 'input error'}") from None


def strictly(data: bytes) -> Contents:
    """The document as it is: one alert, CAP 1.2 in XML or in the JSON form; of a feed, what is wrong with it as a feed."""
    from alerting.cap.xml import read

    if not _is_json(data, b"{"):
        document = read(data)
        return Contents((Part(document),), _as_a_feed(data, document))
    return Contents((Part(_from_json(_parsed(data))),))


def _as_a_feed(data: bytes, document: Document) -> tuple[Finding, ...]:
    if document.alert is not None or all(finding.rule != "X-02" for finding in document.findings):
        return ()
    from alerting.cap.rules.feed import check_feed

    return tuple(finding for finding in check_feed(data) if finding.rule.startswith("F-"))


def tolerantly(data: bytes, *, now: datetime) -> Contents:
    """Every alert of the file, mended where it is not CAP 1.2; a JSON array is read as several."""
    if _is_json(data, b"{["):
        parsed = _parsed(data)
        several = parsed if isinstance(parsed, list) and 0 < len(parsed) <= _most_alerts() else [parsed]
        return Contents(tuple(Part(_from_json(each)) for each in several))
    from alerting.cap.tolerant import read_tolerant

    found = read_tolerant(data, now=now)
    return Contents(tuple(Part(taken.document, taken.mended) for taken in found.alerts), found.findings)


def as_it_comes(data: bytes, *, now: datetime) -> Contents:
    """Strictly what is CAP 1.2, tolerantly what is another version or wraps alerts: in XML or in a JSON array."""
    if _is_json(data, b"["):
        return tolerantly(data, now=now)
    contents = strictly(data)
    (part,) = contents.parts
    other = part.document.draft is None and any(each.rule == "X-02" for each in part.document.findings)
    return tolerantly(data, now=now) if other else contents


def _most_alerts() -> int:
    """A JSON array holds no more alerts than an XML document of the same elements could."""
    from alerting.cap.limits import LIMITS
    from alerting.cap.schema import ALERT

    return LIMITS.elements // (1 + len(ALERT.required))


def _is_json(data: bytes, opening: bytes) -> bool:
    from alerting.cap.limits import LIMITS

    first = data.lstrip(_BEFORE_JSON)[:1]
    return len(data) <= LIMITS.size and first != b"" and first in opening


def _parsed(data: bytes) -> object:
    """The JSON value; None, which is no alert, where it is none."""
    try:
        parsed: object = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _NO_JSON
    return parsed


_NO_JSON = object()


def _from_json(parsed: object) -> Document:
    from alerting.cap.findings import ERROR, Document, Finding
    from alerting.cap.jsonform import from_json

    if parsed is not _NO_JSON:
        return from_json(parsed)
    message = "this is not JSON: check brackets, commas and the encoding UTF-8"
    return Document(None, (Finding("X-01", ERROR, (), message),))
