"""Alerts inside something else: each is found once, with the bytes over which its signature would be verified."""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from alerting.cap.tolerant import read_tolerant
from tests.cap import made
from tests.cap.tolerant.received import RIGHT

BARE = RIGHT.partition("\n")[2]
ESCAPED = BARE.replace("&", "&amp;").replace("<", "&lt;")
PACKED = base64.b64encode(RIGHT.encode()).decode()
EDXL = '<E xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject>{}</contentObject></E>'
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content>{}</content></entry></feed>'
RSS = "<rss><channel><item><description>{}</description></item></channel></rss>"
SOAP = '<s:Envelope xmlns:s="urn:s"><s:Body><submit>{}</submit></s:Body></s:Envelope>'


@pytest.mark.parametrize(
    "document",
    [
        EDXL.format(f"<xmlContent><embeddedXMLContent>{BARE}</embeddedXMLContent></xmlContent>"),
        EDXL.format(f"<nonXMLContent><contentData>{PACKED}</contentData></nonXMLContent>"),
        ATOM.format(BARE),
        ATOM.format(ESCAPED),
        ATOM.format(f"<![CDATA[{RIGHT}]]>"),
        ATOM.format(PACKED),
        RSS.format(ESCAPED),
        SOAP.format(BARE),
        f"<alerts>{BARE}</alerts>",
        "<a>" * 100 + BARE + "</a>" * 100,
    ],
)
def test_an_alert_is_found_in_every_wrapper(document: str) -> None:
    (only,) = read_tolerant(document.encode()).alerts
    assert only.document.alert == made.alert()
    assert only.mended == ()
    assert read_tolerant(only.source).alerts[0].document.alert == made.alert()


def test_several_alerts_stand_in_document_order() -> None:
    second = BARE.replace("river-2026-1", "river-2026-2")
    found = read_tolerant(f"<list>{BARE}<more>{second}</more></list>".encode()).alerts
    names = [taken.document.alert.identifier for taken in found if taken.document.alert]
    assert names == ["river-2026-1", "river-2026-2"]


def test_the_source_of_a_wrapped_alert_is_its_canonical_subtree() -> None:
    document = SOAP.format(BARE.replace("<scope>", "<!-- kept --><scope>"))
    (only,) = read_tolerant(document.encode()).alerts
    assert b"<!-- kept -->" in only.source
    assert b"urn:s" not in only.source
    assert only.source == etree.tostring(etree.fromstring(only.source), method="c14n", exclusive=True)


def test_an_alert_without_a_time_takes_that_of_its_wrapper() -> None:
    unsent = BARE
    for name in ("sent", "effective", "onset"):
        unsent = unsent.replace(f"<{name}>", f"<x{name}>").replace(f"</{name}>", f"</x{name}>")
    document = f"<E><dateTimeSent>2026-03-01T09:00:00+08:00</dateTimeSent><c>{unsent}</c></E>"
    (only,) = read_tolerant(document.encode()).alerts
    assert only.document.alert is not None
    assert only.document.alert.sent == made.SENT
    assert ("T-23", "/alert/sent") in [(mend.rule, mend.path) for mend in only.mended]


ENTRY = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.1"><entry>
<id>https://a.example/1</id><updated>2026-03-01T09:00:00+08:00</updated><author><name>river.example</name></author>
<title>The river rises</title><link href="https://a.example/1.cap"/><summary>It will flood.</summary>
<cap:event>Flood</cap:event><cap:status>Actual</cap:status><cap:message_type>Alert</cap:message_type>
<cap:severity>Severe</cap:severity><cap:areaDesc>Plain</cap:areaDesc><cap:polygon/>
<cap:geocode><valueName>FIPS6</valueName><value>035001</value><valueName>UGC</valueName><value>NMZ501</value></cap:geocode>
</entry></feed>"""


def test_a_feed_that_only_sums_up_gives_summaries_that_say_so() -> None:
    (only,) = read_tolerant(ENTRY.encode()).alerts
    mended = only.document.alert
    assert mended is not None
    assert (mended.sender, mended.sent, mended.status.value) == ("river.example", made.SENT, "Actual")
    info = mended.info[0]
    assert (info.event, info.headline, info.description) == ("Flood", "The river rises", "It will flood.")
    assert [code.value for code in info.area[0].geocode] == ["035001", "NMZ501"]
    said = next(mend.message for mend in only.mended if mend.rule == "T-21")
    assert said.endswith("https://a.example/1.cap")


@pytest.mark.parametrize(
    "document", ["<feed/>", "<html><body>404</body></html>", "<alert/>", "plain text", ""]
)
def test_a_file_without_an_alert_says_so(document: str) -> None:
    taken = read_tolerant(document.encode())
    assert taken.alerts == ()
    assert [finding.severity for finding in taken.findings] == ["error"]


def test_an_alert_that_has_no_canonical_form_is_read_all_the_same() -> None:
    stranger = BARE.replace("<scope>", '<b xmlns="relative"/><scope>', 1)
    (only,) = read_tolerant(f"<a>{stranger}</a>".encode()).alerts
    assert only.document.alert == made.alert()
    assert b'<b xmlns="relative"/>' in only.source
