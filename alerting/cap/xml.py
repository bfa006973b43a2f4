"""CAP 1.2 documents from bytes: a hardened reader that reports everything wrong with the form at once.

Owns reading; writing lies in `xml_writer` and is offered here too, so that one import serves both ways. Imports lxml.
Invariant: no DOCTYPE, entity or network is ever followed, every limit is checked before the work that it bounds, and
`read` raises nothing: what is wrong is a finding.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree

from alerting.cap.findings import ERROR, WARNING, Document, Finding, Level, Place, by_place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.model import Alert, NamedValue, Reference
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
from alerting.cap.xml_writer import Unwritable, write

__all__ = ["Unwritable", "read", "write"]

_OTHER_VERSIONS: Final = {
    "http://www.incident.com/cap/1.0": "CAP 1.0",
    "urn:oasis:names:tc:emergency:cap:1.1": "CAP 1.1",
}
_PROLOG_DOCTYPE: Final = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->|\xef\xbb\xbf)*+<!DOCTYPE", re.DOTALL)
_ENCODING: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_UTF8: Final = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_ANY_ATTRIBUTE: Final = etree.XPath("boolean(//@*)")
_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS: Final = frozenset({f"{_INSTANCE}schemaLocation", f"{_INSTANCE}noNamespaceSchemaLocation"})
_ROOT: Final = f"{{{NAMESPACE}}}alert"
_VALUE_NAME: Final = f"{{{NAMESPACE}}}valueName"
_VALUE: Final = f"{{{NAMESPACE}}}value"
_HOMES: Final = {field.name: block.name for block in (RESOURCE, AREA, INFO, ALERT) for field in block.fields}
_DOCTYPE: Final = "CAP has no DOCTYPE, and entities are never followed: take the <!DOCTYPE ...> out"
_UNVERIFIED: Final = "the signature was not verified on reading: verify it with certificates that you trust"
_SHORTEST: Final = 3  # bytes of an element: <a> before its end tag
_AFTER_ALL: Final = 1_000
_BAD: Final = object()  # stands for what could not be read
_TEXT, _WORD, _BLOCK = Kind.TEXT, Kind.WORD, Kind.BLOCK
_LIST, _REFERENCES, _TIME = Kind.LIST, Kind.REFERENCES, Kind.TIME


def _parser(*, drop_blank: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=drop_blank,
    )


# Dropping the indentation in the parser is quick, but would also drop blanks beside a comment or CDATA inside a
# text: documents with "<!" take the exact parser.
_QUICK: Final = _parser(drop_blank=True)
_EXACT: Final = _parser(drop_blank=False)


def read(data: bytes, limits: Limits = LIMITS) -> Document:
    """Read one CAP 1.2 document. What breaks the form (the OASIS schema) is an error and leaves `alert` None.

    The Signature element is passed over: relayed documents keep their bytes, and signatures are checked on those.
    """
    refused = _refuse(data, limits)
    if refused is not None:
        return Document(None, (refused,))
    try:
        # One character is looked for first: it is found, or not, thirty times as fast as two.
        root = etree.fromstring(data, _EXACT if b"!" in data and b"<!" in data else _QUICK)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        return Document(None, (Finding("X-01", ERROR, (), f"not well-formed XML: {_reason(error)}"),))
    return _Reading(limits).document(root, data)


def _refuse(data: bytes, limits: Limits) -> Finding | None:
    if len(data) > limits.size:
        message = f"the document has {len(data)} bytes and {limits.size} are allowed: shorten it"
    elif _elements(data, limits.elements) > limits.elements:
        message = f"the document has more than {limits.elements} elements: split or shorten it"
    elif b"!" in data and _PROLOG_DOCTYPE.match(data):
        message = _DOCTYPE
    else:
        return None
    return Finding("X-01", ERROR, (), message)


def _elements(data: bytes, limit: int) -> int:
    """How many elements there may be; a document too short for more than the limit is not counted."""
    return 0 if len(data) < _SHORTEST * limit else data.count(b"<") - data.count(b"</")


def _may_have_attributes(data: bytes) -> bool:
    """An equals sign beside those of the declaration and the namespace: mostly an address in a text."""
    declaration = data.find(b"?>") if data.startswith(b"<?xml") else 0
    return data.count(b"=", declaration) > 1


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(" (<string>")[0][:200]


class _Reading:
    """One document being read: its findings, and whether its form is broken."""

    __slots__ = ("_broken", "_findings", "_limit")

    def __init__(self, limits: Limits) -> None:
        self._findings: list[Finding] = []
        self._broken = False
        self._limit = limits.findings

    def document(self, root: etree._Element, data: bytes) -> Document:
        if b"!" in data and root.getroottree().docinfo.internalDTD is not None:
            return Document(None, (Finding("X-01", ERROR, (), _DOCTYPE),))
        if root.tag != _ROOT:
            return Document(None, (_not_cap(root),))
        if data.startswith(_UTF16_MARKS) or (
            (declared := _ENCODING.match(data)) and declared[1].lower() not in _UTF8
        ):
            self._note(
                "X-06", WARNING, (), "the encoding is not UTF-8: write CAP in UTF-8, which every reader takes"
            )
        if _may_have_attributes(data) and _ANY_ATTRIBUTE(root):
            self._attributes(root)
        alert: Alert = self._block(root, ALERT, ())
        findings = by_place(self._findings)
        return Document(None, findings, alert) if self._broken else Document(alert, findings)

    def _block(self, element: etree._Element, block: Block, place: Place) -> Any:
        """The block's value; each child costs one look-up, places are made only for findings and nested blocks."""
        found: list[Any] = [None] * len(block.fields)
        by_tag = block.by_tag
        last = -1
        if element.text is not None:
            self._no_text(element.text, place)
        for child in element:
            if child.tail is not None:
                self._no_text(child.tail, place)
            field = by_tag.get(child.tag)
            if field is None:
                last = self._stranger(child, block, place, last)
                continue
            rank = field.rank
            if rank > last or (rank == last and field.many):
                last = rank
            elif not self._may_be_late(field, block, place, last, found[rank]):
                continue
            if field.kind is _BLOCK:
                value = self._nested(child, field, place, len(found[rank] or ()))
            elif len(child):
                value = self._not_leaf(child, field, place)
            elif field.kind is _TEXT:
                value = child.text or ""
            elif field.kind is _WORD:
                value = field.words.get(child.text or "", _BAD)
                if value is _BAD:
                    self._unknown_word(child.text or "", field, place, len(found[rank] or ()))
            else:
                value = self._value(child.text or "", field, place)
            if not field.many:
                found[rank] = value
            elif found[rank] is None:
                found[rank] = [value]
            else:
                found[rank].append(value)
        return self._made(found, block, place)

    def _made(self, found: list[Any], block: Block, place: Place) -> Any:
        for rank in block.required:
            if found[rank] is None:
                name = block.fields[rank].name
                message = f"{name} is missing: every {block.name} needs it"
                self._wrong(block.fields[rank].rule, (*place, name), message)
                found[rank] = _BAD
        if self._broken:
            _mend(found, block)
        for rank in block.plural:
            found[rank] = tuple(found[rank] or ())
        return block.build(found)

    def _may_be_late(self, field: Field, block: Block, place: Place, last: int, before: Any) -> bool:
        """Report an element that stands too late; whether its content is to be read all the same."""
        if before is not None and not field.many:
            self._wrong("X-03", (*place, field.name), f"{field.name} stands here twice: keep one")
            return False
        at = (*place, field.name, len(before or ())) if field.many else (*place, field.name)
        successor = "Signature" if last == _AFTER_ALL else block.fields[last].name
        self._wrong("X-03", at, f"{field.name} must stand before {successor}: keep the schema's order")
        return True

    def _nested(self, child: etree._Element, field: Field, place: Place, n: int) -> Any:
        block = field.block
        assert block is not None  # noqa: S101 - every field of kind BLOCK has one
        if block.make is NamedValue and len(child) == 2 and child.text is None:
            name, value = child[0], child[1]  # half the price of unpacking
            if (
                name.tag == _VALUE_NAME
                and value.tag == _VALUE
                and not (len(name) or len(value))
                and (name.tail is None and value.tail is None)
            ):
                return block.build((name.text or "", value.text or ""))
        return self._block(child, block, (*place, field.name, n))

    def _value(self, text: str, field: Field, place: Place) -> Any:
        kind = field.kind
        if kind is _REFERENCES:
            return self._references(text, place)
        if kind is _LIST:
            listed, clean = items(text)
            if not clean:
                level = ERROR if field.name == "addresses" else WARNING
                self._note(
                    field.rule,
                    level,
                    (field.name,),
                    "close every quotation mark, with blanks around the item",
                )
            return listed
        assert field.read is not None  # noqa: S101 - every other kind has one
        try:
            value = field.read(text)
        except BadValue as error:
            self._wrong(field.rule, (*place, field.name), str(error))
            return _BAD
        if kind is _TIME and zero_written_plus(text):
            self._note(
                "A-03", WARNING, (*place, field.name), "UTC is written +00:00 here: CAP 1.2 writes -00:00"
            )
        return value

    def _references(self, text: str, place: Place) -> tuple[Reference, ...]:
        written = text.split()
        if not written:
            self._note(
                "A-11", ERROR, (*place, "references"), "references is empty: name a message or leave it out"
            )
        triples: list[Reference] = []
        for n, part in enumerate(written):
            try:
                triples.append(reference(part))
            except BadValue as error:
                self._note("A-11", ERROR, (*place, "references", n), str(error))
        return tuple(triples)

    def _stranger(self, child: etree._Element, block: Block, place: Place, last: int) -> int:
        """An element that the block does not have; the rank after which the next one must stand."""
        name = etree.QName(child)
        at = (*place, name.localname[:80])
        if name.namespace == SIGNATURE_NAMESPACE and block is ALERT:
            self._note("S-02", WARNING, at, _UNVERIFIED)
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

    def _not_leaf(self, child: etree._Element, field: Field, place: Place) -> Any:
        self._wrong(
            "X-04", (*place, field.name), f"{field.name} holds text alone: take the elements in it out"
        )
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

    def _attributes(self, root: etree._Element) -> None:
        for element in root.iter(f"{{{NAMESPACE}}}*"):
            for name in element.attrib:
                if name not in _HINTS:
                    attribute = etree.QName(str(name)).localname[:80]
                    self._wrong("X-04", _place_of(element), f"CAP has no attribute {attribute}: take it out")

    def _wrong(self, rule: str, place: Place, message: str) -> None:
        self._broken = True
        self._note(rule, ERROR, place, message)

    def _note(self, rule: str, level: Level, place: Place, message: str) -> None:
        finding = Finding(rule, level, place, message)
        if len(self._findings) < self._limit and self._findings[-1:] != [finding]:
            self._findings.append(finding)


def _mend(found: list[Any], block: Block) -> None:
    """Put placeholders where nothing could be read: a draft for the rules."""
    for field in block.fields:
        value = found[field.rank]
        if isinstance(value, list):
            found[field.rank] = [each for each in value if each is not _BAD]
        elif value is _BAD:
            found[field.rank] = field.placeholder


def _not_cap(root: etree._Element) -> Finding:
    name = etree.QName(root)
    version = _OTHER_VERSIONS.get(name.namespace or "")
    if version is not None and name.localname == "alert":
        message = f"this is {version}, another language than CAP 1.2: read it with the tolerant reader or convert it"
    else:
        message = f"the root must be alert in the namespace {NAMESPACE}"
    return Finding("X-02", ERROR, (), message)


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
