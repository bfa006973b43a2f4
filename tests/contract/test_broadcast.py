"""What every broadcast channel promises; each test runs for each renderer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import feedparser
import pytest
from lxml import etree

from channels.base import Broadcast, Entry, Publication
from channels.rss import Atom, Rss
from channels.web import JsonFeed

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
RENDERERS: list[Broadcast] = [Rss(), Atom(), JsonFeed()]


def entry(n: int) -> Entry:
    return Entry(
        id=f"urn:oid:2.49.0.1.{n}",
        title=f"Flood <{n}> & storm",
        summary="تحذير من الفيضانات",
        language="ar",
        link=f"https://warnings.example/w/{n}",
        cap=f"https://warnings.example/cap/{n}.xml",
        author="City of Example",
        categories=("Met", "Safety"),
        published=NOON,
        updated=NOON + timedelta(minutes=n),
        expires=NOON + timedelta(hours=6),
        areas=("Low town",),
        polygons=("1,2 3,4 5,6 1,2", "7,8 9,10 11,12 7,8"),
    )


def publication(entries: int) -> Publication:
    return Publication(
        feed="all",
        title="All warnings",
        subtitle="Of the City of Example",
        language="en",
        home="https://warnings.example/",
        self_url="https://warnings.example/feeds/all",
        alternate="https://warnings.example/warnings",
        updated=NOON,
        entries=tuple(entry(n) for n in range(entries)),
    )


def items(document: bytes) -> list[dict[str, str]]:
    """Entries of any of the documents, by the names that feedparser gives them."""
    if document.startswith(b"{"):
        return [
            {"id": i["id"], "link": i["url"], "title": i["title"], "cap": i["attachments"][0]["url"]}
            for i in json.loads(document)["items"]
        ]
    feed = feedparser.parse(document)
    assert not feed.bozo, feed.get("bozo_exception")
    return [
        {"id": e.id, "link": e.link, "title": e.title_detail.value, "cap": e.enclosures[0].href}
        for e in feed.entries
    ]


@pytest.fixture(params=RENDERERS, ids=lambda renderer: renderer.name)
def renderer(request: pytest.FixtureRequest) -> Broadcast:
    found: Broadcast = request.param
    return found


def test_equal_input_gives_equal_bytes(renderer: Broadcast):
    assert renderer.render(publication(3)) == renderer.render(publication(3))


def test_equal_moments_in_other_offsets_give_equal_bytes(renderer: Broadcast):
    elsewhere = replace(publication(1), updated=NOON.astimezone(timezone(timedelta(hours=8))))

    assert renderer.render(elsewhere) == renderer.render(publication(1))


def test_every_entry_is_in_the_document_however_many(renderer: Broadcast):
    found = items(renderer.render(publication(300)))

    assert [item["id"] for item in found] == [entry(n).id for n in range(300)]


def test_id_page_and_cap_document_of_each_entry_are_there(renderer: Broadcast):
    (found,) = items(renderer.render(publication(1)))

    assert found["id"] == "urn:oid:2.49.0.1.0"
    assert found["link"] == "https://warnings.example/w/0"
    assert found["cap"] == "https://warnings.example/cap/0.xml"
    assert (
        found["title"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == "Flood <0> & storm"
    )


def test_a_feed_without_warnings_is_a_document_too(renderer: Broadcast):
    assert items(renderer.render(publication(0))) == []


def test_a_character_that_xml_cannot_hold_does_not_take_the_feed_away(renderer: Broadcast):
    broken = replace(entry(0), title="Flood\x0bwarning", summary="a\ud800b")
    document = renderer.render(replace(publication(0), entries=(broken,)))

    assert len(items(document)) == 1


@pytest.mark.parametrize("xml", [Rss(), Atom()], ids=["rss", "atom"])
def test_expiry_areas_and_all_polygons_are_told(xml: Broadcast):
    root = etree.fromstring(xml.render(publication(1)))
    cap, georss = "{urn:oasis:names:tc:emergency:cap:1.2}", "{http://www.georss.org/georss}"

    assert [e.text for e in root.iter(f"{cap}expires")] == ["2026-11-01T18:00:00+00:00"]
    assert [e.text for e in root.iter(f"{cap}areaDesc")] == ["Low town"]
    assert [e.text for e in root.iter(f"{georss}polygon")] == ["1 2 3 4 5 6 1 2", "7 8 9 10 11 12 7 8"]


def test_times_in_the_documents_are_the_publications_never_the_clocks():
    rss = etree.fromstring(Rss().render(publication(1)))
    atom = etree.fromstring(Atom().render(publication(1)))

    assert rss.findtext("channel/lastBuildDate") == "Sun, 01 Nov 2026 12:00:00 +0000"
    assert rss.findtext("channel/item/pubDate") == "Sun, 01 Nov 2026 12:00:00 +0000"
    assert atom.findtext("{http://www.w3.org/2005/Atom}updated") == "2026-11-01T12:00:00+00:00"
