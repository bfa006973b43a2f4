"""The rules of what carries CAP messages: Atom and RSS feeds and EDXL-DE envelopes, group F.

Owns `check_feed`; the messages inside are read by the readers, one by one. Imports lxml. Invariant: no DOCTYPE, entity or
network is followed, the limits are checked first, and nothing is raised: what is wrong is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lxml import etree

from alerting.cap import hardened
from alerting.cap.findings import ERROR, WARNING, Finding, Level, Place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.rules.reading import Judged

ATOM: Final = "http://www.w3.org/2005/Atom"
EDXL_DE: Final = "urn:oasis:names:tc:emergency:EDXL:DE:"  # and the version
_CAP: Final = ("urn:oasis:names:tc:emergency:cap:", "http://www.incident.com/cap/")
_MEDIA_TYPE: Final = "application/cap+xml"
_A: Final = f"{{{ATOM}}}"

BY_FEEDS: Final = (
    Judged("F-01", "RFC 4287, 4.2.6", (ERROR,), "An Atom feed has an id."),
    Judged("F-02", "RFC 4287, 4.2.14", (ERROR,), "An Atom feed has a title."),
    Judged("F-03", "RFC 4287, 4.2.15", (ERROR,), "An Atom feed has the time at which it was updated."),
    Judged("F-04", "RFC 4287, 4.2.6", (ERROR,), "An entry has an id."),
    Judged("F-05", "RFC 4287, 4.2.14", (ERROR,), "An entry has a title."),
    Judged("F-06", "RFC 4287, 4.2.15", (ERROR,), "An entry has the time at which it was updated."),
    Judged("F-07", "RFC 4287, 4.2.7", (ERROR,), "An entry holds a CAP message or a link to one."),
    Judged("F-08", "RFC 4287, 4.2.6", (ERROR,), "No two entries have the same id."),
    Judged("F-09", "RSS 2.0, item", (ERROR,), "An item has a title or a description."),
    Judged("F-10", "RSS 2.0, item", (ERROR,), "An item has the link of its CAP message."),
    Judged("F-11", "RSS 2.0, channel", (WARNING,), "A channel says when it was published."),
    Judged("F-12", "RSS 2.0, item", (WARNING,), "An item has a guid, by which readers know it again."),
    Judged("F-13", "EDXL-DE 1.0, 3.2", (ERROR,), "An envelope has a contentObject."),
    Judged("F-14", "EDXL-DE 1.0, 3.2", (ERROR,), "A contentObject holds a CAP message or names one."),
)
"""What `check_feed` reports, by id."""


@dataclass(frozen=True, slots=True)
class FeedFinding(Finding):
    """A finding about a feed: its place begins at the root of the feed, not at an alert."""

    @property
    def path(self) -> str:
        """XPath by local names, indexes from 1: /feed/entry[2]/id."""
        return "".join(f"[{step + 1}]" if isinstance(step, int) else f"/{step}" for step in self.place)


def check_feed(data: bytes, limits: Limits = LIMITS) -> tuple[Finding, ...]:
    """Everything wrong with an Atom or RSS feed or an EDXL-DE envelope as a carrier of CAP messages, in its order.

    X-01 and X-02 as for a message: not well-formed, too large, or none of the three.
    """
    if len(data) > limits.size or data.count(b"<") > 2 * limits.elements:
        return (FeedFinding("X-01", ERROR, (), "the feed is larger than the limits allow: split it"),)
    # Made anew for each feed: few come, and a parser may not be shared between threads.
    try:
        root = etree.fromstring(data, hardened.parser())
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return (FeedFinding("X-01", ERROR, (), "the feed is not well-formed XML: write it anew"),)
    if root.getroottree().docinfo.internalDTD is not None:
        return (FeedFinding("X-01", ERROR, (), "a feed needs no DOCTYPE, and none is followed: take it out"),)
    name = etree.QName(root)
    if root.tag == f"{_A}feed":
        found = _atom(root)
    elif root.tag == "rss":
        found = _rss(root)
    elif name.localname == "EDXLDistribution" and (name.namespace or "").startswith(EDXL_DE):
        found = _envelope(root)
    else:
        message = "the root must be that of an Atom or RSS feed or of an EDXL-DE envelope"
        return (FeedFinding("X-02", ERROR, (), message),)
    return tuple(islice(found, limits.findings))


def _said(element: etree._Element, tag: str) -> bool:
    return any(str(text).strip() for child in element.findall(tag) for text in child.itertext())


def _atom(feed: etree._Element) -> Iterator[Finding]:
    yield from _missing(feed, ("feed",), (("F-01", "id"), ("F-02", "title"), ("F-03", "updated")))
    seen: set[str] = set()
    for n, entry in enumerate(feed.findall(f"{_A}entry")):
        place: Place = ("feed", "entry", n)
        yield from _missing(entry, place, (("F-04", "id"), ("F-05", "title"), ("F-06", "updated")))
        if not _holds_cap(entry) and not any(_leads_to_cap(link) for link in entry.findall(f"{_A}link")):
            message = f"the entry leads to no CAP message: add a link of type {_MEDIA_TYPE}"
            yield FeedFinding("F-07", ERROR, place, message)
        own = (entry.findtext(f"{_A}id") or "").strip()
        if own and own in seen:
            message = "an earlier entry has this id: give each entry its own"
            yield FeedFinding("F-08", ERROR, (*place, "id"), message)
        seen.add(own)


def _missing(
    element: etree._Element, place: Place, wanted: tuple[tuple[str, str], ...]
) -> Iterator[FeedFinding]:
    for rule, name in wanted:
        if not _said(element, f"{_A}{name}"):
            message = f"{name} is missing or blank: Atom needs one in every feed and entry"
            yield FeedFinding(rule, ERROR, (*place, name), message)


def _holds_cap(element: etree._Element) -> bool:
    return any((etree.QName(each).namespace or "").startswith(_CAP) for each in element.iter("{*}alert"))


def _leads_to_cap(link: etree._Element) -> bool:
    """Whether a link may lead to a message: many feeds give no media type, or that of any XML."""
    kind = link.get("type")
    return bool(link.get("href", "").strip()) and (kind is None or kind.partition(";")[0].endswith("xml"))


def _rss(root: etree._Element) -> Iterator[Finding]:
    channel = root.find("channel")
    if channel is None:
        yield FeedFinding("F-11", WARNING, ("rss", "channel"), "channel is missing: put the items into one")
        return
    if not _said(channel, "pubDate"):
        message = "pubDate is recommended: say when the channel was published"
        yield FeedFinding("F-11", WARNING, ("rss", "channel", "pubDate"), message)
    for n, item in enumerate(channel.findall("item")):
        place: Place = ("rss", "channel", "item", n)
        wanted: tuple[tuple[bool, str, Level, Place, str], ...] = (
            (
                _said(item, "title") or _said(item, "description"),
                "F-09",
                ERROR,
                place,
                "the item says nothing: give it a title or a description",
            ),
            (
                _said(item, "link") or _holds_cap(item),
                "F-10",
                ERROR,
                (*place, "link"),
                "link is missing: give the address of the CAP message",
            ),
            (
                _said(item, "guid"),
                "F-12",
                WARNING,
                (*place, "guid"),
                "guid is recommended: readers know an item again by it",
            ),
        )
        for there, rule, level, at, message in wanted:
            if not there:
                yield FeedFinding(rule, level, at, message)


def _envelope(root: etree._Element) -> Iterator[Finding]:
    contents = root.findall("{*}contentObject")
    if not contents:
        message = "contentObject is missing: put the CAP message into one"
        yield FeedFinding("F-13", ERROR, ("EDXLDistribution", "contentObject"), message)
    for n, content in enumerate(contents):
        if not _holds_cap(content) and not any(_names_cap(each) for each in content.iter("{*}nonXMLContent")):
            message = (
                f"there is no CAP message in it: embed one, or name one with mimeType {_MEDIA_TYPE} and uri"
            )
            yield FeedFinding("F-14", ERROR, ("EDXLDistribution", "contentObject", n), message)


def _names_cap(content: etree._Element) -> bool:
    kind = (content.findtext("{*}mimeType") or "").strip().lower()
    return kind == _MEDIA_TYPE and bool((content.findtext("{*}uri") or "").strip())
