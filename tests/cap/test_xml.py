"""CAP in XML, both ways: what the reader takes, what it refuses and where, and what the writer may write."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.findings import ERROR, WARNING, Document
from alerting.cap.limits import Limits
from alerting.cap.xml import Unwritable, read, write
from tests.cap import made

GOOD = write(made.alert()).decode()


def with_(old: str, new: str, text: str = GOOD) -> Document:
    assert old in text
    return read(text.replace(old, new, 1).encode())


def said(document: Document) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in document.findings if finding.severity is ERROR]


# ---- there and back ----


@given(made.alerts)
def test_what_is_written_is_read_back(alert: m.Alert) -> None:
    document = read(write(alert))
    assert document.alert == alert
    assert not [finding for finding in document.findings if finding.rule.startswith("X")]


@given(made.alerts)
def test_writing_is_a_fixpoint(alert: m.Alert) -> None:
    data = write(alert)
    again = read(data).alert
    assert again is not None
    assert write(again) == data


def test_a_prefix_a_mark_comments_and_cdata_read_the_same() -> None:
    prefixed = (
        GOOD.replace("<", "<cap:")
        .replace("<cap:/", "</cap:")
        .replace("<cap:?", "<?")
        .replace("xmlns", "xmlns:cap")
    )
    assert read(prefixed.encode()).alert == made.alert()
    assert read(b"\xef\xbb\xbf" + GOOD.encode()).alert == made.alert()
    assert with_("<event>Flood", "<?p i?><event><!-- what -->Fl<![CDATA[oo]]>d").alert == made.alert()


def test_blanks_beside_a_comment_in_a_text_are_kept() -> None:
    document = with_("<event>Flood", "<event> <!-- what --> Flood")
    assert document.alert is not None
    assert document.alert.info[0].event == "  Flood"
    assert said(with_("<status>Actual", "<status> <!-- x -->Actual")) == [("A-05", "/alert/status")]


def test_utc_is_written_with_minus_and_plus_is_a_warning() -> None:
    alert = made.alert(
        made.info(effective=None, onset=None, expires=None), sent=datetime(2026, 3, 1, tzinfo=UTC)
    )
    data = write(alert)
    assert b"<sent>2026-03-01T00:00:00-00:00</sent>" in data
    document = read(data.replace(b"-00:00</sent>", b"+00:00</sent>"))
    assert document.alert == alert
    assert [(finding.rule, finding.severity) for finding in document.findings] == [("A-03", WARNING)]


def test_the_offset_stays_as_written() -> None:
    alert = read(GOOD.encode()).alert
    assert alert is not None
    assert alert.sent.utcoffset() == timedelta(hours=8)


def test_midnight_may_be_written_24() -> None:
    document = with_("T09:00:00+08:00</sent>", "T24:00:00+08:00</sent>")
    assert document.alert is not None
    assert document.alert.sent == datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=8)))


def test_an_empty_language_is_the_default() -> None:
    document = with_("<language>en-GB</language>", "<language/>")
    assert document.alert is not None
    assert document.alert.info[0].language is None


def test_a_signature_may_stand_last_and_only_there() -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><x a="b"/></Signature>'
    assert with_("</alert>", f"{signature}</alert>").alert == made.alert()
    assert said(with_("<info>", f"{signature}<info>")) == [("X-03", "/alert/info[1]")]
    assert said(with_("<event>", f"{signature}<event>")) == [("X-04", "/alert/info[1]/Signature")]


def test_lists_with_quoted_blanks() -> None:
    alert = made.alert(addresses=("one", "two words", ""), incidents=("a b", "c"))
    assert b'<addresses>one "two words" ""</addresses>' in write(alert)
    assert read(write(alert)).alert == alert
    document = with_("<info>", '<addresses>"open</addresses><info>')
    assert said(document) == [("A-10", "/alert/addresses")]
    assert document.alert is not None, "a list that is misquoted is no breach of the schema"


# ---- what is refused ----


@pytest.mark.parametrize(
    ("old", "new", "rule", "path"),
    [
        ("<sender>river.example</sender>", "", "A-02", "/alert/sender"),
        ("<sent>2026-03-01T09:00:00+08:00", "<sent>2026-03-01T01:00:00Z", "A-03", "/alert/sent"),
        ("<sent>2026-03-01T09:00:00+08:00", "<sent>2026-02-30T09:00:00+08:00", "A-03", "/alert/sent"),
        ("<sent>2026-03-01T09:00:00+08:00", "<sent>2026-03-01T09:00:00.5+08:00", "A-03", "/alert/sent"),
        ("<sent>2026-03-01T09:00:00+08:00", "<sent>2026-03-01T09:00:00+14:01", "A-03", "/alert/sent"),
        ("<status>Actual", "<status>actual", "A-05", "/alert/status"),
        ("<msgType>Alert", "<msgType>Alarm", "A-06", "/alert/msgType"),
        ("<scope>Public", "<scope>World", "A-09", "/alert/scope"),
        ("<scope>", "<password>x</password><scope>", "A-18", "/alert/password"),
        ("<scope>", "<colour>red</colour><scope>", "X-04", "/alert/colour"),
        ("<scope>", "<event>x</event><scope>", "X-03", "/alert/event"),
        ("<scope>", '<x:y xmlns:x="urn:x"/><scope>', "X-04", "/alert/y"),
        ("<scope>", "text<scope>", "X-04", "/alert"),
        ("<scope>", "<scope>Public</scope><scope>", "X-03", "/alert/scope"),
        ("<scope>", '<scope a="b">', "X-04", "/alert/scope"),
        ("<language>en-GB", "<language>english_GB", "I-01", "/alert/info[1]/language"),
        ("<category>Met</category>", "", "I-05", "/alert/info[1]/category"),
        ("<category>Met", "<category>Weather", "I-05", "/alert/info[1]/category[1]"),
        ("<responseType>Evacuate", "<responseType>Run", "I-06", "/alert/info[1]/responseType[1]"),
        ("<urgency>Immediate", "<urgency>Now", "I-07", "/alert/info[1]/urgency"),
        ("<severity>Severe", "<severity>Bad", "I-08", "/alert/info[1]/severity"),
        ("<certainty>Observed", "<certainty>Very Likely", "I-08", "/alert/info[1]/certainty"),
        ("<event>Flood</event>", "", "X-07", "/alert/info[1]/event"),
        ("<event>Flood", "<event>Flo<b>o</b>d", "X-04", "/alert/info[1]/event"),
        ("<category>Met", "<category>Geo</category><category>M<b>e</b>t", "X-04", "/alert/info[1]/category[2]"),
        ("<web>https://river.example/flood", "<web>https://[river", "I-15", "/alert/info[1]/web"),
        ("<areaDesc>River plain</areaDesc>", "", "G-01", "/alert/info[1]/area[1]/areaDesc"),
        ("</area>", "<altitude>high</altitude></area>", "G-07", "/alert/info[1]/area[1]/altitude"),
        ("</area>", "<polygon>1,1</polygon></area>", "X-03", "/alert/info[1]/area[1]/polygon[2]"),
        ("<value>12345</value>", "", "I-09", "/alert/info[1]/area[1]/geocode[1]/value"),
        ("    <area>", "<resource><mimeType>a/b</mimeType></resource><area>", "R-01", "/alert/info[1]/resource[1]/resourceDesc"),
        (
            "    <area>",
            "<resource><resourceDesc>a</resourceDesc><mimeType>a/b</mimeType><size>9k</size></resource><area>",
            "R-02",
            "/alert/info[1]/resource[1]/size",
        ),
    ],
)  # fmt: skip
def test_what_breaks_the_form_is_found_where_it_is(old: str, new: str, rule: str, path: str) -> None:
    document = with_(old, new)
    assert said(document) == [(rule, path)]
    assert document.alert is None
    assert document.draft is not None


def test_everything_wrong_is_said_at_once() -> None:
    text = GOOD.replace("Actual", "actual").replace("Immediate", "Now").replace("+08:00</sent>", "Z</sent>")
    assert said(read(text.encode())) == [
        ("I-07", "/alert/info[1]/urgency"),
        ("A-03", "/alert/sent"),
        ("A-05", "/alert/status"),
    ]


@pytest.mark.parametrize(
    "listed", ["", "  ", "a,b", "a,b,2026", "a b,c,2026-03-01T09:00:00+08:00", ",b,2026-03-01T09:00:00+08:00"]
)
def test_references_that_are_no_triples(listed: str) -> None:
    document = with_("<info>", f"<references>{listed}</references><info>")
    assert {rule for rule, _ in said(document)} == {"A-11"}
    assert document.alert is not None, "the schema takes any text there"


@pytest.mark.parametrize(
    ("namespace", "version"),
    [("urn:oasis:names:tc:emergency:cap:1.1", "CAP 1.1"), ("http://www.incident.com/cap/1.0", "CAP 1.0")],
)
def test_older_versions_are_named(namespace: str, version: str) -> None:
    (finding,) = with_("urn:oasis:names:tc:emergency:cap:1.2", namespace).findings
    assert finding.rule == "X-02"
    assert version in finding.message
    assert "tolerant" in finding.message


@pytest.mark.parametrize(
    "data", [b"", b"not xml", b"<alert", b"<alert>", b"\xff\xfe", b"<cap:alert/>", b"\x00" * 9]
)
def test_what_is_no_xml_is_a_finding(data: bytes) -> None:
    document = read(data)
    assert document.alert is None
    assert [finding.rule for finding in document.findings][:1] in (["X-01"], ["X-02"])


def test_an_encoding_other_than_utf8_is_a_warning() -> None:
    document = read(GOOD.replace("UTF-8", "ISO-8859-1").encode("latin-1"))
    assert document.alert == made.alert()
    assert [(finding.rule, finding.severity) for finding in document.findings] == [("X-06", WARNING)]
    assert read(GOOD.replace("UTF-8", "UTF-16").encode("utf-16")).findings[0].rule == "X-06"


# ---- hostile documents ----

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
HOSTILE = {
    "a doctype": b"<!DOCTYPE alert><alert/>",
    "a doctype after a comment": b"<?xml version='1.0'?>\n<!-- <alert> --> <!DOCTYPE alert [<!ENTITY a 'b'>]><alert>&a;</alert>",
    "a doctype in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE alert><alert/>'.encode("utf-16"),
    "a file": b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><alert>&x;</alert>",
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><alert>&l9;</alert>'.encode(),
    "depth": b"<a>" * 100_000 + b"</a>" * 100_000,
    "too many bytes": b"<alert>" + b"x" * 50_000_000,
    "too many elements": b"<alert>" + b"<a/>" * 400_000 + b"</alert>",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_documents_are_refused_at_once(data: bytes) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    document = read(data)
    took = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert document.alert is None
    assert document.draft is None
    assert [finding.rule for finding in document.findings] == ["X-01"]
    assert took < 2
    assert peak < 64_000_000


def test_findings_are_bounded() -> None:
    strangers = "".join(f"<x{n}/>" for n in range(5_000))
    document = read(GOOD.replace("<info>", f"{strangers}<info>").encode(), Limits(findings=50))
    assert len(document.findings) == 50


def test_the_limit_of_elements_counts_elements() -> None:
    elements = GOOD.count("<") - GOOD.count("</") - 1  # without the declaration
    assert read(GOOD.encode(), Limits(elements=elements + 1)).alert is not None
    assert read(GOOD.encode(), Limits(elements=elements - 1)).alert is None


# ---- what cannot be written ----


@pytest.mark.parametrize(
    "alert",
    [
        made.alert(sent=datetime(2026, 3, 1)),
        made.alert(sent=datetime(2026, 3, 1, microsecond=1, tzinfo=UTC)),
        made.alert(sent=datetime(2026, 3, 1, tzinfo=timezone(timedelta(seconds=1)))),
        made.alert(sent=datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=15)))),
        made.alert(made.info(event="bell\x07")),
        made.alert(made.info(event="\ufffe")),
        made.alert(made.info(event="\ud800")),
        made.alert(made.info(web="%zz")),
        made.alert(made.info(language="en_GB")),
        made.alert(made.info(area=(made.area(altitude="high"),))),
        made.alert(incidents=('say "no" twice',)),
        made.alert(references=(m.Reference("a b", "c", made.SENT),)),
    ],
)
def test_what_no_document_can_hold_is_not_written(alert: m.Alert) -> None:
    with pytest.raises(Unwritable):
        write(alert)


def test_a_value_may_hold_anything_that_xml_can() -> None:
    alert = made.alert(replace(made.info(), description="a & b < c > d ]]> \r\n \t 🌊 \x85 \u2028"))
    assert read(write(alert)).alert == alert
