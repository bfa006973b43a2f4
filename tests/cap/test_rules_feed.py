"""Feeds and envelopes that carry CAP messages: what each lacks, all of it at once, and nothing against sound ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerting.cap.limits import Limits
from alerting.cap.rules.feed import BY_FEEDS, check_feed
from alerting.cap.xml import write
from tests.cap import made

MESSAGE = write(made.alert()).decode().partition("?>")[2]
ENTRY = (
    "<entry><id>urn:1</id><title>Flood</title><updated>2026-03-01T09:00:00Z</updated>"
    '<link rel="alternate" type="application/cap+xml" href="https://river.example/1"/></entry>'
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:f</id><title>Warnings</title>'
    f"<updated>2026-03-01T09:00:00Z</updated>{ENTRY}</feed>"
)
RSS = (
    '<rss version="2.0"><channel><title>Warnings</title><pubDate>Sun, 01 Mar 2026 09:00:00 GMT</pubDate>'
    "<item><title>Flood</title><link>https://river.example/1</link><guid>urn:1</guid></item></channel></rss>"
)
EDXL = (
    '<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject><xmlContent>'
    f"<embeddedXMLContent>{MESSAGE}</embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>"
)
NAMED = (
    "<contentObject><nonXMLContent><mimeType>application/cap+xml</mimeType><uri>https://river.example/1</uri>"
    "</nonXMLContent></contentObject>"
)
LINK = '<link rel="alternate" type="application/cap+xml" href="https://river.example/1"/>'

SOUND = {
    "atom": ATOM,
    "atom without entries": ATOM.replace(ENTRY, ""),
    "atom, link without a type": ATOM.replace(' type="application/cap+xml"', ""),
    "atom, link of any XML": ATOM.replace("application/cap+xml", "text/xml; charset=utf-8"),
    "atom with the message inside": ATOM.replace(LINK, f"<content>{MESSAGE}</content>"),
    "atom, xhtml title": ATOM.replace(
        "<title>Flood</title>",
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Flood</div></title>',
    ),
    "rss": RSS,
    "rss, a description for a title": RSS.replace("<title>Flood</title>", "<description>x</description>"),
    "rss with the message inside": RSS.replace("<link>https://river.example/1</link>", MESSAGE),
    "edxl": EDXL,
    "edxl 2.0": EDXL.replace("DE:1.0", "DE:2.0"),
    "edxl that names it": EDXL.replace("</EDXL", f"{NAMED}</EDXL"),
}
UNSOUND = [
    ("F-01", "error", "/feed/id", ATOM.replace("<id>urn:f</id>", "")),
    ("F-02", "error", "/feed/title", ATOM.replace("<title>Warnings", "<title> ")),
    ("F-03", "error", "/feed/updated", ATOM.replace("</title><updated>2026-03-01T09:00:00Z</updated><entry>", "</title><entry>")),
    ("F-04", "error", "/feed/entry[1]/id", ATOM.replace("<id>urn:1</id>", "<id/>")),
    ("F-05", "error", "/feed/entry[1]/title", ATOM.replace("<title>Flood</title>", "")),
    ("F-06", "error", "/feed/entry[2]/updated", ATOM.replace("</feed>", ENTRY.replace("2026-03-01T09:00:00Z", "").replace("urn:1", "urn:2") + "</feed>")),
    ("F-07", "error", "/feed/entry[1]", ATOM.replace(LINK, "")),
    ("F-07", "error", "/feed/entry[1]", ATOM.replace("application/cap+xml", "text/html")),
    ("F-07", "error", "/feed/entry[1]", ATOM.replace("https://river.example/1", " ")),
    ("F-07", "error", "/feed/entry[1]", ATOM.replace(' href="https://river.example/1"', "")),
    ("F-08", "error", "/feed/entry[2]/id", ATOM.replace("</feed>", f"{ENTRY}</feed>")),
    ("F-09", "error", "/rss/channel/item[1]", RSS.replace("<title>Flood</title>", "<title> </title>")),
    ("F-10", "error", "/rss/channel/item[1]/link", RSS.replace("<link>https://river.example/1</link>", "")),
    ("F-11", "warning", "/rss/channel/pubDate", RSS.replace("pubDate", "lastBuildDate")),
    ("F-11", "warning", "/rss/channel", "<rss/>"),
    ("F-12", "warning", "/rss/channel/item[1]/guid", RSS.replace("<guid>urn:1</guid>", "")),
    ("F-13", "error", "/EDXLDistribution/contentObject", EDXL.replace("contentObject", "content")),
    ("F-14", "error", "/EDXLDistribution/contentObject[1]", EDXL.replace("emergency:cap:1.2", "emergency:x")),
    ("F-14", "error", "/EDXLDistribution/contentObject[2]", EDXL.replace("</EDXL", NAMED.replace("cap+xml", "pdf") + "</EDXL")),
    ("F-14", "error", "/EDXLDistribution/contentObject[2]", EDXL.replace("</EDXL", NAMED.replace("https://river.example/1", "") + "</EDXL")),
]  # fmt: skip


ATOM_NEEDS = "is missing or blank: Atom needs one in every feed and entry"
SAID = {
    "F-01": f"id {ATOM_NEEDS}",
    "F-02": f"title {ATOM_NEEDS}",
    "F-03": f"updated {ATOM_NEEDS}",
    "F-04": f"id {ATOM_NEEDS}",
    "F-05": f"title {ATOM_NEEDS}",
    "F-06": f"updated {ATOM_NEEDS}",
    "F-07": "the entry leads to no CAP message: add a link of type application/cap+xml",
    "F-08": "an earlier entry has this id: give each entry its own",
    "F-09": "the item says nothing: give it a title or a description",
    "F-10": "link is missing: give the address of the CAP message",
    "F-12": "guid is recommended: readers know an item again by it",
    "F-13": "contentObject is missing: put the CAP message into one",
    "F-14": "there is no CAP message in it: embed one, or name one with mimeType application/cap+xml and uri",
    "/rss/channel": "channel is missing: put the items into one",
    "/rss/channel/pubDate": "pubDate is recommended: say when the channel was published",
}


@pytest.mark.parametrize("feed", SOUND.values(), ids=SOUND.keys())
def test_nothing_is_said_against_a_sound_feed(feed: str) -> None:
    assert check_feed(feed.encode()) == ()


@pytest.mark.parametrize(
    ("rule", "severity", "path", "feed"), UNSOUND, ids=[f"{row[0]}{row[2]}" for row in UNSOUND]
)
def test_each_lack_is_found_alone(rule: str, severity: str, path: str, feed: str) -> None:
    found = [(finding.rule, finding.severity.value, finding.path) for finding in check_feed(feed.encode())]
    assert found == [(rule, severity, path)]
    assert check_feed(feed.encode())[0].message == SAID.get(rule, SAID.get(path))


def test_every_rule_of_feeds_has_a_case() -> None:
    listed = {(judged.id, level.value) for judged in BY_FEEDS for level in judged.severities}
    assert {row[:2] for row in UNSOUND} == listed


def test_all_lacks_come_at_once_with_pointers_too() -> None:
    found = check_feed(b'<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>')
    assert [finding.rule for finding in found] == [f"F-0{n}" for n in range(1, 8)]
    assert found[3].pointer == "/feed/entry/0/id"
    assert all(15 < len(finding.message) < 160 for finding in found)


NOT_XML = "the feed is not well-formed XML: write it anew"
NO_DOCTYPE = "a feed needs no DOCTYPE, and none is followed: take it out"
NO_FEED = "the root must be that of an Atom or RSS feed or of an EDXL-DE envelope"


@pytest.mark.parametrize(
    ("rule", "said", "data"),
    [
        ("X-01", NOT_XML, b"<feed"),
        ("X-01", NOT_XML, b""),
        ("X-01", NOT_XML, b'<?xml version="1.0" encoding="no-such"?><rss/>'),
        ("X-01", NO_DOCTYPE, b'<!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>'),
        ("X-02", NO_FEED, b"<feed/>"),
        ("X-02", NO_FEED, write(made.alert())),
        ("X-02", NO_FEED, b'<EDXLDistribution xmlns="urn:x"/>'),
        ("X-02", NO_FEED, b"<EDXLDistribution/>"),
        ("X-02", NO_FEED, b'<x xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"/>'),
    ],
)
def test_what_is_no_feed_is_refused(rule: str, said: str, data: bytes) -> None:
    found = [
        (finding.rule, finding.severity.value, finding.path, finding.message) for finding in check_feed(data)
    ]
    assert found == [(rule, "error", "", said)]


def test_an_entity_of_a_feed_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    data = f'<!DOCTYPE rss [<!ENTITY a SYSTEM "{secret.as_uri()}">]><rss><channel>&a;</channel></rss>'
    assert [finding.message for finding in check_feed(data.encode())] == [NO_DOCTYPE]


def test_feeds_and_findings_are_bounded() -> None:
    many = ATOM.replace(ENTRY, "<entry/>" * 50).encode()
    assert len(check_feed(many, Limits(findings=7))) == 7
    (large,) = check_feed(many, Limits(size=len(many) - 1))
    assert (large.rule, large.severity.value, large.pointer) == ("X-01", "error", "")
    assert large.message == "the feed is larger than the limits allow: split it"
    tags = ATOM.count("<")
    assert check_feed(ATOM.encode(), Limits(elements=tags // 2 + tags % 2)) == ()
    assert [found.rule for found in check_feed(ATOM.encode(), Limits(elements=tags // 2 - 1))] == ["X-01"]
    assert check_feed(ATOM.encode(), Limits(size=len(ATOM))) == ()
    assert [found.rule for found in check_feed(many, Limits(elements=20))] == ["X-01"]


def test_the_feeds_of_the_world_are_taken(shared_path: Path) -> None:
    for file in sorted((shared_path / "cap" / "corpus" / "wrapped").iterdir()):
        assert check_feed(file.read_bytes()) == (), file.name
