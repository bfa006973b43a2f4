"""RSS 2.0 and Atom: the warnings in force as the documents that the media pull.

Pure renderers on feedgen: no clock, no limit on the number of entries, equal input gives equal bytes. Must not import
anything of the service. Invariant: every entry of a Publication is in its document, with its CAP document as an
enclosure and an id that is never a link.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from channels.base import Entry, Publication

CAP_TYPE = "application/cap+xml"
CAP_NS = "urn:oasis:names:tc:emergency:cap:1.2"
GEORSS_NS = "http://www.georss.org/georss"
DC_NS = "http://purl.org/dc/elements/1.1/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# XML 1.0 (section 2.2) has no place for these, not even escaped: one of them would take the whole feed away.
_NOT_XML = dict.fromkeys(
    [*(n for n in range(0x20) if n not in {0x09, 0x0A, 0x0D}), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "�"
)


class Rss:
    """RSS 2.0 with atom:link rel=self, GeoRSS and the CAP expiry."""

    name = "rss"
    media_type = "application/rss+xml"

    def render(self, publication: Publication) -> bytes:
        """The RSS document; an item's pubDate is its last change, since readers sort by it."""
        feed = _feed(publication, self.media_type)
        for entry in publication.entries:
            item = _entry(feed, entry)
            item.link(href=_clean(entry.link))
            item.published(_utc(entry.updated))
            # The length is unknown to a pure renderer; 0 is the customary word for that.
            item.enclosure(_clean(entry.cap), "0", CAP_TYPE)
        return bytes(feed.rss_str(pretty=True))


class Atom:
    """Atom (RFC 4287) with GeoRSS and the CAP expiry."""

    name = "atom"
    media_type = "application/atom+xml"

    def render(self, publication: Publication) -> bytes:
        """The Atom document: page as rel=alternate, CAP document as rel=enclosure, each with its media type."""
        feed = _feed(publication, self.media_type)
        for entry in publication.entries:
            item = _entry(feed, entry)
            item.published(_utc(entry.published))
            item.link(
                href=_clean(entry.link), rel="alternate", type="text/html", hreflang=_clean(entry.language)
            )
            item.link(href=_clean(entry.cap), rel="enclosure", type=CAP_TYPE)
        return bytes(feed.atom_str(pretty=True))


class _LinkAttributes(BaseEntryExtension):  # type: ignore[misc]  # feedgen ships no types
    """Gives Atom entry links their rel, type and hreflang back: feedgen 1.0 loses them (its issue 135)."""

    links: Callable[[], list[dict[str, str]]] = staticmethod(list)

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        written = [element for element in entry if element.tag == "link"]
        for element, link in zip(written, self.links(), strict=True):
            element.attrib.update(
                {name: link[name] for name in ("rel", "type", "hreflang") if link.get(name)}
            )
        return entry


class _WarningFeed(BaseExtension):  # type: ignore[misc]  # feedgen ships no types
    """Declares the namespaces of _WarningElements once, at the root."""

    def extend_ns(self) -> dict[str, str]:
        return {"cap": CAP_NS, "georss": GEORSS_NS, "dc": DC_NS}


class _WarningElements(BaseEntryExtension):  # type: ignore[misc]  # feedgen ships no types
    """Expiry, areas and polygons of a warning: feedgen's own GeoRSS holds one polygon only."""

    source: Entry | None = None

    def extend_rss(self, entry: etree._Element) -> etree._Element:
        if self.source is not None:
            # RSS's own author must be an e-mail address, and an item has no language.
            _add(entry, DC_NS, "creator", self.source.author)
            _add(entry, DC_NS, "language", self.source.language)
            self._extend(entry, self.source)
        return entry

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        if self.source is not None:
            entry.set(XML_LANG, _clean(self.source.language))
            self._extend(entry, self.source)
        return entry

    def _extend(self, entry: etree._Element, source: Entry) -> None:
        _add(entry, CAP_NS, "expires", _utc(source.expires).isoformat())
        for area in source.areas:
            _add(entry, CAP_NS, "areaDesc", area)
        for polygon in source.polygons:
            # CAP writes "lat,lon lat,lon"; GeoRSS Simple the same numbers with spaces only.
            _add(entry, GEORSS_NS, "polygon", polygon.replace(",", " "))


def _feed(publication: Publication, media_type: str) -> FeedGenerator:
    feed = FeedGenerator()
    feed.register_extension("links", BaseExtension, _LinkAttributes, atom=True, rss=False)
    feed.register_extension("warning", _WarningFeed, _WarningElements, atom=True, rss=True)
    feed.id(_clean(publication.self_url))
    feed.title(_clean(publication.title))
    feed.subtitle(_clean(publication.subtitle) or _clean(publication.title))  # RSS demands a description
    feed.language(_clean(publication.language))
    feed.author({"name": _clean(publication.title)})
    feed.generator("")
    feed.link(href=_clean(publication.self_url), rel="self", type=media_type)
    # feedgen makes the last link the channel's own, so the page comes last.
    feed.link(href=_clean(publication.alternate), rel="alternate", type="text/html")
    feed.updated(_utc(publication.updated))
    return feed


def _entry(feed: FeedGenerator, entry: Entry) -> FeedEntry:
    item = feed.add_entry(order="append")
    item.links.links = item.link
    item.warning.source = entry
    item.guid(_clean(entry.id), permalink=False)
    item.title(_clean(entry.title))
    item.summary(_clean(entry.summary))
    item.author({"name": _clean(entry.author)})
    item.updated(_utc(entry.updated))
    for category in entry.categories:
        item.category({"term": _clean(category)})
    return item


def _add(parent: etree._Element, namespace: str, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = _clean(text)


def _utc(moment: datetime) -> datetime:
    """RFC 3339 in UTC and whole seconds, so that equal moments have equal bytes."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _clean(text: str) -> str:
    return text.translate(_NOT_XML)
