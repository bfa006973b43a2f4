"""A parsed CAP document as a value of the model: the walk from element to element.

Owns what is found wrong with the form; parsing and the limits lie in `xml`. Imports lxml for types and names, and the
schema's table. Invariant: every element is looked at once, in one loop that makes no call for a plain text, and places
are made only for findings and nested blocks.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from alerting.cap.findings import ERROR, WARNING, Finding, Level, Place
from alerting.cap.model import NamedValue, Reference
from alerting.cap.schema import (
    ALERT,
    AREA,
    INFO,
    NAMESPACE,
    RESOURCE,
    SIGNATURE_NAMESPACE,
    Block,
    Field,
    Kind,
)
from alerting.cap.values import BLANK, BadValue, items, reference, short, zero_written_plus

_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS: Final = frozenset({f"{_INSTANCE}schemaLocation", f"{_INSTANCE}noNamespaceSchemaLocation"})
_VALUE_NAME: Final = f"{{{NAMESPACE}}}valueName"
_VALUE: Final = f"{{{NAMESPACE}}}value"
_HOMES: Final = {field.name: block.name for block in (RESOURCE, AREA, INFO, ALERT) for field in block.fields}
_UNVERIFIED: Final = "the signature was not verified on reading: verify it with certificates that you trust"
_AFTER_ALL: Final = 1_000
_BAD: Final = object()  # stands for what could not be read
_TEXT, _WORD, _BLOCK = Kind.TEXT, Kind.WORD, Kind.BLOCK
_LIST, _REFERENCES, _TIME = Kind.LIST, Kind.REFERENCES, Kind.TIME


class Reading:
    """One document being read: its `findings` so far, `limit` of them at most, and whether its form is `broken`."""

    __slots__ = ("_limit", "broken", "findings")

    def __init__(self, limit: int) -> None:
        self.findings: list[Finding] = []
        self.broken = False
        self._limit = limit

    def block(self, element: etree._Element, block: Block, place: Place) -> Any:
        """The block's value, made of what could be read where something could not."""
        found: list[Any] = list(block.empty)
        lists: list[int] = []
        by_tag = block.by_tag
        last = -1
        if element.text is not None:
            self._no_text(element.text, place)
        for child in element:
            if child.tail is not None:
                self._no_text(child.tail, place)
            step = by_tag.get(child.tag)
            if step is None:
                last = self._stranger(child, block, place, last)
                continue
            rank, many, kind, field = step
            if rank > last:
                last = rank
            elif not (rank == last and many) and not self._may_be_late(
                field, block, place, last, found[rank]
            ):
                continue
            if kind is _BLOCK:
                value = self._pair(child, field.block) or self._nested(child, field, place, len(found[rank]))
            elif len(child):
                value = self._not_leaf(child, field, place, len(found[rank] or ()))
            elif kind is _TEXT:
                value = child.text or ""
            elif kind is _WORD:
                value = field.words.get(child.text or "", _BAD)
                if value is _BAD:
                    self._unknown_word(child.text or "", field, place, len(found[rank] or ()))
            else:
                value = self._value(child.text or "", field, place)
            if not many:
                found[rank] = value
            elif found[rank]:
                found[rank].append(value)
            else:
                found[rank] = [value]
                lists.append(rank)
        self._require(found, block, place)
        if self.broken:
            _mend(found, block)
        for rank in lists:
            found[rank] = tuple(found[rank])
        return block.build(found)

    def _require(self, found: list[Any], block: Block, place: Place) -> None:
        empty = block.empty
        for rank in block.required:
            if found[rank] is empty[rank]:
                name = block.fields[rank].name
                message = f"{name} is missing: every {block.name} needs it"
                self._wrong(block.fields[rank].rule, (*place, name), message)
                found[rank] = _BAD

    def _may_be_late(self, field: Field, block: Block, place: Place, last: int, before: Any) -> bool:
        """Report an element that stands too late; whether its content is to be read all the same."""
        if before is not None and not field.many:
            self._wrong("X-03", (*place, field.name), f"{field.name} stands here twice: keep one")
            return False
        at = (*place, field.name, len(before or ())) if field.many else (*place, field.name)
        successor = "Signature" if last == _AFTER_ALL else block.fields[last].name
        self._wrong("X-03", at, f"{field.name} must stand before {successor}: keep the schema's order")
        return True

    def _pair(self, element: etree._Element, block: Block | None) -> Any:
        """A valueName and its value, if that is all there is: most blocks are such, and need no walk."""
        if block is not None and block.make is NamedValue and len(element) == 2 and element.text is None:
            name, value = element[0], element[1]  # half the price of unpacking
            if (
                name.tag == _VALUE_NAME
                and value.tag == _VALUE
                and name.tail is None
                and value.tail is None
                and not len(name)
                and not len(value)
            ):
                return block.build((name.text or "", value.text or ""))
        return None

    def _nested(self, child: etree._Element, field: Field, place: Place, n: int) -> Any:
        assert field.block is not None  # noqa: S101 - every field of kind BLOCK has one
        return self.block(child, field.block, (*place, field.name, n))

    def _value(self, text: str, field: Field, place: Place) -> Any:
        if field.read is None:
            return self._references(text, place) if field.kind is _REFERENCES else self._items(text, field)
        try:
            value = field.read(text)
        except BadValue as error:
            self._wrong(field.rule, (*place, field.name), str(error))
            return _BAD
        if field.kind is _TIME and zero_written_plus(text):
            self.note(
                "A-03", WARNING, (*place, field.name), "UTC is written +00:00 here: CAP 1.2 writes -00:00"
            )
        return value

    def _items(self, text: str, field: Field) -> tuple[str, ...]:
        listed, clean = items(text)
        if not clean:
            level = ERROR if field.name == "addresses" else WARNING
            message = "close every quotation mark, with blanks around the item"
            self.note(field.rule, level, (field.name,), message)
        return listed

    def _references(self, text: str, place: Place) -> tuple[Reference, ...]:
        written = text.split()
        if not written:
            self.note(
                "A-11", ERROR, (*place, "references"), "references is empty: name a message or leave it out"
            )
        triples: list[Reference] = []
        for n, part in enumerate(written):
            try:
                triples.append(reference(part))
            except BadValue as error:
                self.note("A-11", ERROR, (*place, "references", n), str(error))
        return tuple(triples)

    def _stranger(self, child: etree._Element, block: Block, place: Place, last: int) -> int:
        """An element that the block does not have; the rank after which the next one must stand."""
        name = etree.QName(child)
        at = (*place, name.localname[:80])
        if name.namespace == SIGNATURE_NAMESPACE and block is ALERT:
            self.note("S-02", WARNING, at, _UNVERIFIED)
            return _AFTER_ALL
        if name.namespace != NAMESPACE:
            self._wrong(
                "X-04", at, "only a Signature, last in alert, may come from another namespace: take this out"
            )
        elif name.localname == "password" and block is ALERT:
            self._wrong("A-18", at, "password was dropped after CAP 1.0: take it out")
        elif name.localname in _HOMES:
            home = _HOMES[name.localname]
            self._wrong("X-03", at, f"{name.localname} belongs in {home}, not in {block.name}: move it")
        else:
            self._wrong("X-04", at, f"CAP 1.2 has no such element in {block.name}: take it out")
        return last

    def _not_leaf(self, child: etree._Element, field: Field, place: Place, n: int) -> Any:
        at = (*place, field.name, n) if field.many else (*place, field.name)
        self._wrong("X-04", at, f"{field.name} holds text alone: take the elements in it out")
        return (child.text or "") if field.kind is _TEXT else _BAD

    def _unknown_word(self, text: str, field: Field, place: Place, n: int) -> None:
        words = field.words
        at = (*place, field.name, n) if field.many else (*place, field.name)
        hint = ", ".join(words)
        if text.strip(BLANK) in words:
            hint = f"{hint}, without blanks around it"
        elif text == "Very Likely":
            hint = f"Likely, which replaced it after CAP 1.0, or of {hint}"
        self._wrong(field.rule, at, f"{short(text)} is no {field.name}: write one of {hint}")

    def _no_text(self, text: str, place: Place) -> None:
        if text.strip(BLANK):
            self._wrong(
                "X-04", place, "text stands between the elements: put it into one of them or take it out"
            )

    def attributes(self, root: etree._Element) -> None:
        for element in root.iter(f"{{{NAMESPACE}}}*"):
            for name in element.attrib:
                if name not in _HINTS:
                    attribute = etree.QName(str(name)).localname[:80]
                    self._wrong("X-04", _place_of(element), f"CAP has no attribute {attribute}: take it out")

    def _wrong(self, rule: str, place: Place, message: str) -> None:
        self.broken = True
        self.note(rule, ERROR, place, message)

    def note(self, rule: str, level: Level, place: Place, message: str) -> None:
        finding = Finding(rule, level, place, message)
        if len(self.findings) < self._limit and self.findings[-1:] != [finding]:
            self.findings.append(finding)


def _mend(found: list[Any], block: Block) -> None:
    """Put placeholders where nothing could be read: a draft for the rules."""
    for field in block.fields:
        value = found[field.rank]
        if isinstance(value, list):
            found[field.rank] = [each for each in value if each is not _BAD]
        elif value is _BAD:
            found[field.rank] = block.empty[field.rank] if field.placeholder is None else field.placeholder


def _place_of(element: etree._Element) -> Place:
    steps: list[str | int] = []
    while (parent := element.getparent()) is not None:
        name = etree.QName(element).localname
        field = next(
            (block.by_name[name] for block in (ALERT, INFO, AREA, RESOURCE) if name in block.by_name), None
        )
        if field is not None and field.many:
            steps.append(sum(1 for _ in element.itersiblings(element.tag, preceding=True)))
        steps.append(name)
        element = parent
    return tuple(reversed(steps))
