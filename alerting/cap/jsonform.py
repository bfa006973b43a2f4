"""CAP 1.2 as JSON: the model as plain dictionaries under CAP's element names, and back with every fault at once.

Owns the JSON form and the digest by which the same warning in XML and JSON is one. Imports the schema's table and the
values. Invariant: `from_json(to_json(alert)).alert == alert`, and keys that CAP does not have are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, Final

from alerting.cap.findings import ERROR, WARNING, Document, Finding, Level, Place, by_place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.model import Alert
from alerting.cap.schema import ALERT, Block, Field, Kind
from alerting.cap.segment import canonical_language
from alerting.cap.values import (
    BadValue,
    reference,
    reference_text,
    short,
    time_text,
    unwritable,
    zero_written_plus,
)

_LISTED: Final = frozenset({Kind.LIST, Kind.REFERENCES})


def to_json(alert: Alert) -> dict[str, Any]:
    """The alert under CAP's element names.

    Repeatable elements, references (as "sender,identifier,sent"), addresses and incidents are always arrays, empty
    ones too; absent single elements have no key. Times are CAP's strings, size is a number, altitude and ceiling are
    strings as written.
    """
    return _written(alert, ALERT)


def _written(value: Any, block: Block) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field, part in zip(block.fields, block.values(value), strict=True):
        if field.many or field.kind in _LISTED:
            out[field.name] = [_item(field, item) for item in part]
        elif part is not None:
            out[field.name] = _item(field, part)
    return out


def _item(field: Field, item: Any) -> Any:
    if field.block is not None:
        return _written(item, field.block)
    if field.kind is Kind.TIME:
        return time_text(item)
    if field.kind is Kind.REFERENCES:
        return reference_text(item)
    return item if isinstance(item, int) else str(item)


def from_json(data: object, limits: Limits = LIMITS) -> Document:
    """The document that a parsed JSON value says; findings point into that value.

    Absent arrays are empty and null is absent. altitude and ceiling may be numbers. Anything that CAP has no element
    for, or that no XML could hold, is an error; `alert` is then None.
    """
    return _Reading(limits).document(data)


class _Reading:
    """One value being read: its findings, and whether its form is broken."""

    __slots__ = ("_broken", "_findings", "_limit")

    def __init__(self, limits: Limits) -> None:
        self._findings: list[Finding] = []
        self._broken = False
        self._limit = limits.findings

    def document(self, data: object) -> Document:
        if not isinstance(data, Mapping):
            return Document(None, (Finding("X-03", ERROR, (), "a CAP alert is a JSON object: write {...}"),))
        alert: Alert = self._block(data, ALERT, ())
        findings = by_place(self._findings)
        return Document(None, findings, alert) if self._broken else Document(alert, findings)

    def _block(self, data: Mapping[str, object], block: Block, place: Place) -> Any:
        for key in data:
            if key not in block.by_name:
                self._wrong(
                    "X-04",
                    (*place, str(key)[:80]),
                    f"CAP 1.2 has no such element in {block.name}: take it out",
                )
        found: list[Any] = []
        for field in block.fields:
            raw = data.get(field.name)
            at = (*place, field.name)
            if field.many or field.kind in _LISTED:
                found.append(self._array(raw, field, at))
                if field.required and not raw:
                    self._wrong(field.rule, at, f"{field.name} is missing: every {block.name} needs it")
                continue
            if raw is None and field.required:
                self._wrong(field.rule, at, f"{field.name} is missing: every {block.name} needs it")
            value = None if raw is None else self._single(raw, field, at)
            found.append(field.placeholder if value is None else value)
        return block.build(found)

    def _array(self, raw: object, field: Field, place: Place) -> tuple[Any, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list | tuple):
            self._wrong("X-03", place, f"{field.name} is an array: put what stands here into [...]")
            return ()
        read = [self._single(item, field, (*place, n)) for n, item in enumerate(raw)]
        return tuple(value for value in read if value is not None)

    def _single(self, raw: object, field: Field, place: Place) -> Any:
        if field.block is not None:
            if isinstance(raw, Mapping):
                return self._block(raw, field.block, place)
            return self._wrong("X-03", place, f"{field.name} is an object: write {{...}}")
        text = self._text(raw, field, place)
        if text is None or field.kind in {Kind.TEXT, Kind.LIST}:
            return text
        if field.kind is Kind.WORD:
            if text not in field.words:
                hint = ", ".join(field.words)
                return self._wrong(
                    field.rule, place, f"{short(text)} is no {field.name}: write one of {hint}"
                )
            return field.words[text]
        read: Callable[[str], Any] = reference if field.kind is Kind.REFERENCES else (field.read or str)
        try:
            value = read(text)
        except BadValue as error:
            return self._wrong(field.rule, place, str(error))
        if field.kind is Kind.TIME and zero_written_plus(text):
            self._note("A-03", WARNING, place, "UTC is written +00:00 here: CAP 1.2 writes -00:00")
        return value

    def _text(self, raw: object, field: Field, place: Place) -> Any:
        """The JSON value as the text that XML would hold."""
        if field.name == "size":
            if isinstance(raw, int) and not isinstance(raw, bool):
                return str(raw)
            return self._wrong("R-02", place, "size is a whole number of bytes, without quotation marks")
        if (
            field.name in {"altitude", "ceiling"}
            and isinstance(raw, int | float)
            and not isinstance(raw, bool)
        ):
            return str(raw)
        if not isinstance(raw, str):
            return self._wrong("X-03", place, f"{field.name} is a string: write it in quotation marks")
        if code := unwritable(raw):
            return self._wrong("X-01", place, f"{code} cannot stand in CAP: take the character out")
        return raw

    def _wrong(self, rule: str, place: Place, message: str) -> Any:
        """Report it; None is the value of what could not be read."""
        self._broken = True
        self._note(rule, ERROR, place, message)
        return None

    def _note(self, rule: str, level: Level, place: Place, message: str) -> None:
        if len(self._findings) < self._limit:
            self._findings.append(Finding(rule, level, place, message))


def canonical(alert: Alert) -> dict[str, Any]:
    """The alert's content with what means the same written the same way.

    Times are instants in UTC, an absent language is en-US and tags are in canonical form, effective equal to sent is
    absent, texts have no white space around them and line ends are one line feed, white space inside polygons and
    circles is one blank, numbers have no idle zeros, empty texts and arrays are absent. Order counts.
    """
    return _canonical(alert, ALERT, alert)


def _canonical(value: Any, block: Block, alert: Alert) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field, part in zip(block.fields, block.values(value), strict=True):
        if field.name == "language":
            out["language"] = canonical_language(part)
        elif field.name == "effective" and part == alert.sent:
            continue
        elif field.many or field.kind in _LISTED:
            if part:
                out[field.name] = [_plain(field, item, alert) for item in part]
        elif part is not None and (plain := _plain(field, part, alert)) != "":
            out[field.name] = plain
    return out


def _plain(field: Field, item: Any, alert: Alert) -> Any:
    if field.block is not None:
        return _canonical(item, field.block, alert)
    if field.kind is Kind.TIME:
        return item.astimezone(UTC).isoformat()
    if field.kind is Kind.REFERENCES:
        return [item.sender, item.identifier, item.sent.astimezone(UTC).isoformat()]
    if field.name in {"polygon", "circle"}:
        return " ".join(item.split())
    if field.name in {"altitude", "ceiling"}:
        return str(Decimal(item).normalize() + 0)
    return item if isinstance(item, int) else str(item).replace("\r\n", "\n").replace("\r", "\n").strip()


def digest(alert: Alert) -> bytes:
    """SHA-256 of the canonical form: equal for the same warning, whether it came in XML or in JSON (ARCHITECTURE 3)."""
    form = json.dumps(canonical(alert), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(form.encode()).digest()
