"""Where in a file the alerts are: as its root, at any depth of a wrapper, as text in it, or summed up by a feed's entry.

Owns the search through EDXL-DE, Atom, RSS, SOAP and whatever else carries alerts. Imports lxml and the octets. Invariant:
an alert is found once, nothing inside an alert is taken for another one, and a text is unpacked only as deep as `_DEEP`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from lxml import etree

from alerting.cap.findings import Finding
from alerting.cap.limits import Limits
from alerting.cap.schema import ALERT, AREA, INFO, NAMESPACE
from alerting.cap.tolerant.elements import is_cap, key_of, known, local, namespace, text_of
from alerting.cap.tolerant.octets import Said, parse

_DEEP: Final = 3
_EMBEDDED: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?alert[\s>]", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]{40,}")
_PACKED: Final = frozenset({"contentdata", "content"})
_ENTRIES: Final = frozenset({"entry", "item"})
_TELLING: Final = frozenset({"event", "severity", "areadesc"})
_SENT_AROUND: Final = frozenset({"datetimesent", "published", "updated", "pubdate"})
_TERM: Final = re.compile(
    r"(status|msgType|scope|language|category|severity|urgency|certainty|event)=(.+)", re.DOTALL
)
_AREA: Final = re.compile(r"(?:^|[\n>;]|br)\s*Area:\s*([^\n<]+)")
# What an entry of Atom or RSS says in elements of its own, in the order of trust.
_FROM_ENTRY: Final = {
    "identifier": ("id", "guid"),
    "sender": ("author",),
    "sent": ("published", "updated", "pubdate", "date"),
    "headline": ("title",),
    "description": ("summary", "description"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One alert: its element, the bytes as received, what was repaired to get at it, and when its wrapper was sent."""

    element: etree._Element
    source: bytes
    said: tuple[Said, ...]
    around: str = ""


def find(data: bytes, limits: Limits, depth: int = 0) -> tuple[list[Found], list[Finding]]:
    """All alerts of a file, in document order, and why it, or a text in it, could not be read."""
    root, said, refused = parse(data, limits)
    if root is None:
        return [], [refused] if refused is not None else []
    said += tuple(_around(root))
    if _is_alert(root):
        return [Found(root, data, said)], []
    found: list[Found] = []
    findings: list[Finding] = []
    entries: list[etree._Element] = []
    _walk(root, found, entries, said)
    if depth < _DEEP and not found:
        for text in _texts(root):
            inner, wrong = find(text, limits, depth + 1)
            found += inner
            findings += wrong
    if not found:
        found = [made for entry in entries if (made := _summary(entry, said)) is not None]
    return found, [] if found else findings


def _around(root: etree._Element) -> Iterator[Said]:
    """Style sheets and schema locations: allowed beside an alert, never written."""
    before = root.getprevious()
    while before is not None:
        if isinstance(before, etree._ProcessingInstruction):  # noqa: SLF001 - lxml offers no public name of it
            yield "T-01", "a processing instruction stands before the alert: it was left out"
            break
        before = before.getprevious()
    if any("schemaLocation" in name or "SchemaLocation" in name for name in map(str, root.attrib)):
        yield "T-01", "the root names the place of a schema: it was left out"


def _is_alert(element: etree._Element) -> bool:
    if local(element).lower() != "alert":
        return False
    if is_cap(namespace(element)):
        return True
    # Another namespace or none: it must look like one.
    names = {key_of(child) for child in element.iterchildren("*")}
    return len(names & {"identifier", "sender", "sent", "status", "msgtype", "scope", "info"}) >= 2


def _walk(
    root: etree._Element, found: list[Found], entries: list[etree._Element], said: tuple[Said, ...]
) -> None:
    """By hand, not by recursion: a wrapper may be as deep as the parser lets it."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if _is_alert(element):
            source = _canonical(element)
            found.append(Found(element, source, said, _sent_around(element)))
            continue
        if local(element).lower() in _ENTRIES:
            entries.append(element)
        waiting += element.iterchildren("*", reversed=True)


def _canonical(element: etree._Element) -> bytes:
    """The subtree by exclusive canonicalisation, comments kept: without what the wrapper declares, as it was signed.

    Inclusive canonicalisation of a subtree is none in libxml2 2.14: it writes xmlns="" on elements of a namespace.
    A relative namespace has no canonical form: the element is then as lxml writes it, and no signature fits it.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=True, with_tail=False)
    except etree.C14NError:
        return etree.tostring(element, encoding="utf-8", with_tail=False)


def _sent_around(element: etree._Element) -> str:
    """When the nearest wrapper says that it was sent: for an alert that does not say it itself."""
    for outer in element.iterancestors():
        for child in outer.iterchildren("*"):
            if key_of(child) in _SENT_AROUND and child.text:
                return child.text
    return ""


def _texts(root: etree._Element) -> Iterator[bytes]:
    """Texts that hold a document: escaped or in CDATA, and what EDXL and Atom pack in base-64."""
    for element in root.iter("*"):
        text = "" if len(element) else element.text
        if not text:
            continue
        if "<" in text and _EMBEDDED.search(text):
            yield text.strip().encode()
        elif local(element).lower() in _PACKED and _BASE64.fullmatch(text):
            try:
                unpacked = base64.b64decode(text, validate=False)
            except (binascii.Error, ValueError):
                continue
            if b"alert" in unpacked and b"<" in unpacked[:200]:
                yield unpacked


# ---- feeds that only sum up ----


def _summary(entry: etree._Element, said: tuple[Said, ...]) -> Found | None:
    """An alert made of a feed's entry that carries CAP elements (or NAADS's categories); None where it has none."""
    told: list[tuple[str, etree._Element]] = []
    own: dict[str, etree._Element] = {}
    for child in entry.iterchildren("*"):
        name = key_of(child)
        if (is_cap(namespace(child)) and known(name)) or (name == "polygon" and "georss" in namespace(child)):
            told.append((name, child))
        elif name == "category" and (term := _TERM.match(child.get("term") or "")):
            told.append((term[1].lower(), _saying(term[2])))
        else:
            own.setdefault(name, child)
    if not {name for name, _ in told} & _TELLING:
        return None
    _fill(told, own)
    link = next(
        (each.get("href") or each.text for each in entry.iterchildren("*") if key_of(each) == "link"), None
    )
    message = "only a feed's entry, no alert, is here: it was read as a summary"
    if link:
        message += f"; the alert itself is at {link[:300]}"
    source = _canonical(entry)
    return Found(_built(told), source, (*said, ("T-21", message)))


def _saying(text: str) -> etree._Element:
    element = etree.Element("text")
    element.text = text
    return element


def _fill(told: list[tuple[str, etree._Element]], own: dict[str, etree._Element]) -> None:
    """What the entry says in elements of its own, where it has none of CAP."""
    there = {name for name, _ in told}
    for name, sources in _FROM_ENTRY.items():
        if name in there:
            continue
        for source in sources:
            text = " ".join(text_of(own[source]).split()) if source in own else ""
            if text:
                told.append((name, _saying(text)))
                break
    if "areadesc" not in there and "summary" in own and (area := _AREA.search(text_of(own["summary"]))):
        told.append(("areadesc", _saying(area[1].strip())))


def _built(told: list[tuple[str, etree._Element]]) -> etree._Element:
    """An alert of one info and one area, in the schema's order."""
    alert = etree.Element(f"{{{NAMESPACE}}}alert")
    info = etree.Element(f"{{{NAMESPACE}}}info")
    area = etree.Element(f"{{{NAMESPACE}}}area")
    for block, home in ((alert, ALERT), (info, INFO), (area, AREA)):
        for field in home.fields:
            for name, element in told:
                if name == field.name.lower():
                    copy = deepcopy(element)
                    copy.tail = None
                    copy.tag = f"{{{NAMESPACE}}}{field.name}"
                    block.append(copy)
    alert.append(info)
    if len(area):
        info.append(area)
    return alert
