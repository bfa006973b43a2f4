"""CAP as authorities send it, read tolerantly: 1.0, 1.1 and 1.2, whole or wrapped, mended, each mend said.

Owns `read_tolerant`. Pure, like the strict reader, and hardened like it: no DOCTYPE, entity or network, limits first.
Invariant: it raises nothing, and what it hands out, written with `alerting.cap.xml.write`, is strict CAP 1.2.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from alerting.cap.findings import ERROR, Document, Finding
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.schema import NAMESPACE
from alerting.cap.tolerant import blocks, sense
from alerting.cap.tolerant.elements import local, namespace, sort
from alerting.cap.tolerant.mends import Mend, Notes, Taken, Tolerated
from alerting.cap.tolerant.wrappers import Found, find
from alerting.cap.values import short
from alerting.cap.xml_writer import Unwritable, write

__all__ = ["Mend", "Taken", "Tolerated", "read_tolerant"]

_VERSIONS: Final = {"cap:1.1": "CAP 1.1", "cap/1.1": "CAP 1.1", "cap:1.0": "CAP 1.0", "cap/1.0": "CAP 1.0"}


def read_tolerant(data: bytes, *, now: datetime | None = None, limits: Limits = LIMITS) -> Tolerated:
    """Every alert in a file, mended, with what was mended (part C: T-01 to T-26).

    `now` is aware and tells Buddhist years apart: those 543 years after one within 50 of it; without it every year from
    2400 on is Buddhist. Raises nothing: a file that gives nothing has findings that say why.
    """
    found, findings = find(data, limits)
    if not found:
        nothing = Finding(
            "X-02", ERROR, (), "no CAP alert is in this file, and no feed's entry that sums one up"
        )
        return Tolerated((), tuple(findings or [nothing]))
    return Tolerated(tuple(_taken(each, now, limits) for each in found), tuple(findings))


def _taken(found: Found, now: datetime | None, limits: Limits) -> Taken:
    notes = Notes(limits.findings)
    for rule, told in found.said:
        notes.add(rule, (), told)
    if local(found.element) != "alert":
        notes.add("T-03", (), f"{short(local(found.element))} was read as alert")
    version = _version(namespace(found.element), notes)
    raw, signatures = sort(found.element, notes)
    if signatures > 1:
        notes.add(
            "T-19",
            (),
            "there are several signatures: they were passed over, verify them over the bytes received",
        )
    case = blocks.Circumstances(
        now, version in {"CAP 1.0", "CAP 1.1"}, found.source, notes, limits.points, found.around
    )
    document = blocks.alert(raw, case)
    if document.alert is not None:
        document = _written(Document(sense.made(document.alert, notes)))
    return Taken(document, notes.by_place(), found.source)


def _version(space: str, notes: Notes) -> str:
    if space == NAMESPACE:
        return "CAP 1.2"
    for end, version in _VERSIONS.items():
        if space.lower().endswith(end):
            notes.add("T-02", (), f"this is {version}: it was converted to CAP 1.2")
            return version
    notes.add("T-02", (), "the namespace is not that of CAP 1.2: the message was read as CAP 1.2")
    return "CAP 1.2"


def _written(document: Document) -> Document:
    """The promise kept: what could not be written is not handed out."""
    assert document.alert is not None  # noqa: S101 - asked by the caller
    try:
        write(document.alert)
    except Unwritable as error:
        return Document(None, (Finding("X-01", ERROR, (), str(error)),))
    return document
