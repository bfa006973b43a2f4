"""Bytes that claim to be XML as a tree: what can be repaired in them is, and said.

Owns the limits before parsing, the hardened parser and the repair of encodings, undeclared prefixes and stray
characters. Imports lxml. Invariant: no DOCTYPE, entity or network is ever followed, repair never guesses an end that
is missing (a cut file is refused), and what was repaired passes the same limits once more.
"""

from __future__ import annotations

import html
import re
from typing import Final

from lxml import etree

from alerting.cap import hardened
from alerting.cap.findings import ERROR, Finding
from alerting.cap.limits import Limits
from alerting.cap.schema import NAMESPACE

Said = tuple[str, str]
"""The id of a mend and what was done."""

_MOST_AMPERSANDS: Final = 20_000  # more is no text
_BOM: Final = b"\xef\xbb\xbf"
_PROLOG_DOCTYPE: Final = re.compile(
    rb"(?:\s++|<\?.*?\?>|<!--.*?-->|\xef\xbb\xbf|\xff\xfe|\xfe\xff|\x00)*+<!DOCTYPE", re.DOTALL
)
_DECLARATION: Final = re.compile(r"<\?xml\s[^>]*?\?>")
_NOT_UTF8: Final = re.compile(r"<\?xml\s(?=[^>]*encoding)(?![^>]*utf-8)[^>]*\?>", re.IGNORECASE)
_OPAQUE: Final = re.compile(r"<!\[CDATA\[|<!--")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_AMPERSAND: Final = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)([A-Za-z][A-Za-z0-9]{1,30};)?"
)
_PREFIX: Final = re.compile(r"<([A-Za-z_][\w.-]{0,40}):[A-Za-z_]")
_ATTRIBUTE_PREFIX: Final = re.compile(r"\s([A-Za-z_][\w.-]{0,40}):[A-Za-z_][\w.-]*\s*=\s*[\"']")
_DECLARED: Final = re.compile(r"\sxmlns:([A-Za-z_][\w.-]*)\s*=")
_DEFAULT: Final = re.compile(r"\sxmlns\s*=\s*[\"']([^\"']*)[\"']")
_START: Final = re.compile(r"<[A-Za-z_][\w.:-]*")
_ROOT_NAME: Final = re.compile(r"<([A-Za-z_][\w.:-]*)")
_KNOWN: Final = {
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "georss": "http://www.georss.org/georss",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
# Bytes that are no UTF-8, as Windows-1252 reads them; the five that it leaves open are Latin-1's.
_LATIN: Final = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)
}


def refusal(data: bytes, limits: Limits) -> Finding | None:
    """Why these bytes are not even parsed: too many, too many elements, or a DOCTYPE."""
    if len(data) > limits.size:
        message = f"the file has {len(data)} bytes and {limits.size} are allowed: shorten or split it"
    elif data.count(b"<") - data.count(b"</") > limits.elements:
        message = f"the file has more than {limits.elements} elements: split or shorten it"
    elif _PROLOG_DOCTYPE.match(data):
        message = _DOCTYPE
    else:
        return None
    return Finding("X-01", ERROR, (), message)


_DOCTYPE: Final = "CAP has no DOCTYPE, and entities are never followed: take the <!DOCTYPE ...> out"


def parse(data: bytes, limits: Limits) -> tuple[etree._Element | None, tuple[Said, ...], Finding | None]:
    """The root, what was repaired, and why there is no root. Raises nothing."""
    refused = refusal(data, limits)
    if refused is not None:
        return None, (), refused
    said: list[Said] = []
    if data.startswith(_BOM):
        said.append(("T-01", "the file begins with a byte order mark: it was left out"))
    try:
        root = _tree(data)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        first = error
    else:
        return _without_doctype(root, said)
    text, repairs = _repaired(data)
    mended = text.encode()
    refused = refusal(mended, limits)
    if refused is not None:
        return None, (), refused
    try:
        root = _tree(mended)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        reason = str(first).partition("\n")[0].partition(" (<string>")[0][:200]
        message = f"not well-formed XML, and not to be repaired: {reason}"
        return None, (), Finding("X-01", ERROR, (), message)
    return _without_doctype(root, said + repairs)


def _tree(data: bytes) -> etree._Element:
    return etree.fromstring(data, hardened.parser())


def _without_doctype(
    root: etree._Element, said: list[Said]
) -> tuple[etree._Element | None, tuple[Said, ...], Finding | None]:
    if root.getroottree().docinfo.internalDTD is not None:
        return None, (), Finding("X-01", ERROR, (), _DOCTYPE)
    return root, tuple(said), None


def _repaired(data: bytes) -> tuple[str, list[Said]]:
    said: list[Said] = []
    text = _decoded(data, said)
    start = text.find("<")
    if start > 0 and text[:start].strip("\ufeff"):
        said.append(("T-01", "characters stood before the first tag: they were left out"))
    text = text[max(start, 0) :]
    declaration = _DECLARATION.match(text)
    if declaration is not None:  # its encoding is no longer true
        text = text[declaration.end() :]
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", text)
        said.append(("T-24", "control characters that XML cannot hold were left out"))
    text = _ended(text, said)
    text = _ampersands(text, said)
    return _prefixes(text, said), said


def _decoded(data: bytes, said: list[Said]) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace")
    body = data.removeprefix(_BOM)
    if body[:1] == b"\x00" or body[1:2] == b"\x00":
        said.append(("T-24", "the file is UTF-16 and does not say so: it was read as that"))
        return body.decode("utf-16-be" if body[:1] == b"\x00" else "utf-16-le", "replace")
    text = body.decode("utf-8", "surrogateescape")
    latin = text.translate(_LATIN)
    if latin != text:
        said.append(("T-24", "bytes that are not UTF-8 stand in the file: they were read as Latin-1"))
    elif _NOT_UTF8.match(text):
        said.append(("T-24", "the file is UTF-8 and declares another encoding: it was read as UTF-8"))
    return latin


def _ended(text: str, said: list[Said]) -> str:
    """Without what stands after the end tag of the root: a server's greeting, zero bytes, half a second document."""
    root = _ROOT_NAME.search(_blanked(text[:10_000]))
    if root is None:
        return text
    closing = f"</{root[1]}"
    at = text.rfind(closing)
    end = text.find(">", at) + 1 if at >= 0 else 0
    if not end or not text[end:].strip():
        return text
    if "<" in text[end:]:
        return text  # more elements: no mere remainder
    said.append(("T-24", "characters stood after the last tag: they were left out"))
    return text[:end]


def _ampersands(text: str, said: list[Said]) -> str:
    def written(match: re.Match[str]) -> str:
        named = match[1] and html.unescape(match[0])
        if named and named != match[0]:
            return named.replace("&", "&amp;").replace("<", "&lt;")
        return f"&amp;{match[1] or ''}"

    if text.count("&") > _MOST_AMPERSANDS:
        return text
    parts = _opaque(text)
    mended = [part if n % 2 else _AMPERSAND.sub(written, part) for n, part in enumerate(parts)]
    if mended != parts:
        said.append(("T-16", "ampersands and HTML entities stood bare in the XML: they were read as text"))
    return "".join(mended)


def _prefixes(text: str, said: list[Said]) -> str:
    used = {*_PREFIX.findall(text), *_ATTRIBUTE_PREFIX.findall(text)} - {"xml", "xmlns"}
    missing = sorted(used - set(_DECLARED.findall(text)))
    start = _START.search(_blanked(text))
    if not missing or start is None or len(missing) > 20:
        return text
    default = _DEFAULT.search(text)
    cap = default[1] if default and ":cap:" in default[1] else NAMESPACE
    declared = "".join(
        f' xmlns:{prefix}="{cap if "cap" in prefix.lower() else _KNOWN.get(prefix, f"urn:undeclared:{prefix}")}"'
        for prefix in missing
    )
    said.append(("T-24", f"prefixes are used and not declared ({', '.join(missing)}): they were declared"))
    return text[: start.end()] + declared + text[start.end() :]


def _opaque(text: str) -> list[str]:
    """Mark-up and, at odd places, CDATA sections and comments: one walk, however many of them have no end."""
    parts: list[str] = []
    at = 0
    while match := _OPAQUE.search(text, at):
        end = text.find("]]>" if match[0] == "<![CDATA[" else "-->", match.end())
        if end < 0:
            break
        parts += [text[at : match.start()], text[match.start() : end + 3]]
        at = end + 3
    return [*parts, text[at:]]


def _blanked(text: str) -> str:
    """The text with comments and CDATA made blanks of the same length, to find the first tag."""
    return "".join(" " * len(part) if n % 2 else part for n, part in enumerate(_opaque(text)))
