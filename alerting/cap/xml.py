"""CAP 1.2 documents from bytes: a hardened reader that reports everything wrong with the form at once.

Owns reading; writing lies in `xml_writer` and is offered here too, so that one import serves both ways. Imports lxml.
Invariant: no DOCTYPE, entity or network is ever followed, every limit is checked before the work that it bounds, and
`read` raises nothing: what is wrong is a finding.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from alerting.cap import hardened
from alerting.cap.findings import ERROR, WARNING, Document, Finding, by_place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.model import Alert
from alerting.cap.schema import ALERT, NAMESPACE
from alerting.cap.xml_reader import Reading
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
_ROOT: Final = f"{{{NAMESPACE}}}alert"
_DOCTYPE: Final = "CAP has no DOCTYPE, and entities are never followed: take the <!DOCTYPE ...> out"
_SHORTEST: Final = 3  # bytes of an element: <a> before its end tag


# Dropping the indentation in the parser is quick, but would also drop blanks beside a comment or CDATA inside a
# text: documents with "<!" take the exact parser.
_QUICK: Final = hardened.parser(comments=False, drop_blank=True)
_EXACT: Final = hardened.parser(comments=False)


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
    if b"!" in data and root.getroottree().docinfo.internalDTD is not None:
        return Document(None, (Finding("X-01", ERROR, (), _DOCTYPE),))
    if root.tag != _ROOT:
        return Document(None, (_not_cap(root),))
    return _read(root, data, limits)


def _read(root: etree._Element, data: bytes, limits: Limits) -> Document:
    reading = Reading(limits.findings)
    plain = b"&" not in data and b"!" not in data
    if data.startswith(_UTF16_MARKS) or (
        (declared := _ENCODING.match(data)) and declared[1].lower() not in _UTF8
    ):
        message = "the encoding is not UTF-8: write CAP in UTF-8, which every reader takes"
        reading.note("X-06", WARNING, (), message)
        plain = False  # who knows how it writes these two
    if _may_have_attributes(data) and _ANY_ATTRIBUTE(root):
        reading.attributes(root)
    alert: Alert = reading.block(root, ALERT, ())
    findings = by_place(reading.findings)
    return (
        Document(None, findings, alert, plain) if reading.broken else Document(alert, findings, plain=plain)
    )


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
    namespace = data.find(b"=", declaration)
    return data.find(b"=", namespace + 1) >= 0  # finding is ten times as quick as counting


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(" (<string>")[0][:200]


def _not_cap(root: etree._Element) -> Finding:
    name = etree.QName(root)
    version = _OTHER_VERSIONS.get(name.namespace or "")
    if version is not None and name.localname == "alert":
        message = (
            f"this is {version}, another language than CAP 1.2: convert it (alerting cap convert), "
            "or read it with the tolerant reader (alerting cap check --tolerant)"
        )
    else:
        message = f"the root must be alert in the namespace {NAMESPACE}"
    return Finding("X-02", ERROR, (), message)
