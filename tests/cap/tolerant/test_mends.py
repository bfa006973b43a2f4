"""What is mended in one alert, row by row of the list of tolerated faults, and what stays as it is."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.tolerant import read_tolerant
from alerting.cap.xml import read, write
from tests.cap import made
from tests.cap.tolerant.received import RIGHT, alert, changed, mends, rules, taken

MAP = "<resource><resourceDesc>Map</resourceDesc><uri>https://a.example/map.png</uri></resource>"
SPACE = "urn:oasis:names:tc:emergency:cap:1.2"


def test_a_right_document_is_read_as_it_is() -> None:
    only = taken(RIGHT)
    assert alert(only) == made.alert()
    assert only.mended == ()
    assert only.source == RIGHT.encode()


def test_a_byte_order_mark_a_style_sheet_and_a_schema_location_are_left_out() -> None:
    head, _, body = RIGHT.partition("\n")
    document = body.replace(
        "<alert ",
        '<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" ',
        1,
    )
    only = taken(b"\xef\xbb\xbf" + f'{head}\n<?xml-stylesheet href="a.xsl"?>\n{document}'.encode())
    assert alert(only) == made.alert()
    assert mends(only) == [("T-01", "/alert")] * 3


@pytest.mark.parametrize(
    "namespace",
    [
        "urn:oasis:names:tc:emergency:cap:1.1",
        "http://www.incident.com/cap/1.0",
        "urn:oasis:names:tc:emergency:cap:1.2:profile:cap-lu:1.0",
        "",
    ],
)
def test_other_versions_become_cap_1_2(namespace: str) -> None:
    only = changed((SPACE, namespace))
    assert alert(only) == made.alert()
    assert rules(only) == {"T-02"}


def test_cap_1_0_is_converted() -> None:
    only = changed(
        (SPACE, "http://www.incident.com/cap/1.0"),
        ("<scope>", "<password>secret</password><scope>"),
        ("<info>", "<references>old-1/river.example</references><info>"),
        ("Observed", "Very Likely"),
        ("<area>", f"<parameter>HSAS=ORANGE</parameter>{MAP}<area>"),
    )
    mended = alert(only)
    assert mended.references == (m.Reference("river.example", "old-1", made.SENT),)
    info = mended.info[0]
    assert info.certainty is m.Certainty.LIKELY
    assert info.parameter == (m.NamedValue("HSAS", "ORANGE"),)
    assert info.resource[0].mime_type == "image/png"
    assert "secret" not in str(only.document) + str(only.mended)
    assert {"T-02", "T-07"} <= rules(only)


def test_elements_are_read_in_any_order_and_any_case() -> None:
    lines = RIGHT.split("\n")
    head = lines[2:8]
    shuffled = "\n".join([*lines[:2], *reversed(head), *lines[8:]]).replace("headline>", "Headline>")
    only = taken(shuffled)
    assert alert(only) == made.alert()
    assert rules(only) == {"T-03"}


def test_elements_inside_a_text_are_text() -> None:
    only = changed(("The river will flood", "<p>The <b>river</b></p><p>will flood</p>"))
    assert alert(only).info[0].description == "The\nriver\nwill flood\nthe plain within the hour."
    assert ("T-03", "/alert/info[1]/description") in mends(only)


def test_elements_in_the_wrong_block_go_home() -> None:
    only = changed(
        ("<headline>The river rises</headline>", ""), ("<info>", "<headline>The river rises</headline><info>")
    )
    assert alert(only) == made.alert()
    moved = RIGHT.replace("<area>", "").replace("</area>", "")
    assert alert(taken(moved)) == made.alert()
    flat = moved.replace("<info>", "").replace("</info>", "")
    assert alert(taken(flat)) == made.alert()


def test_blanks_around_words_and_attributes_are_left_out() -> None:
    only = changed(
        (">Actual<", ">\n Actual <"), ("<event>", '<event lang="en">'), ("<alert ", '<alert id="a" ')
    )
    assert alert(only) == made.alert()
    assert mends(only) == [("T-03", "/alert"), ("T-03", "/alert/info[1]/event"), ("T-03", "/alert/status")]


def test_strangers_duplicates_and_stray_text_are_left_out() -> None:
    only = changed(
        ("<event>", "stray <Type>x</Type><event>"),
        ("<status>", "<status>Test</status><status>"),
        ("<instruction>", "<instruction>Stay calm.</instruction><instruction>"),
    )
    mended = alert(only)
    assert mended.status is m.Status.TEST
    assert mended.info[0].instruction == "Stay calm.\n\nGo to high ground."
    assert rules(only) == {"T-03"}


@pytest.mark.parametrize(
    ("written", "read_as", "rule"),
    [
        ("2026-03-01T09:00:00+00:00", datetime(2026, 3, 1, 9, tzinfo=UTC), "T-04"),
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC), "T-04"),
        ("2569-03-01T09:00:00+08:00", made.SENT, "T-05"),
        ("2026-03-01 09:00:00 +0800", made.SENT, "T-21"),
        ("2026-03-01T09:00:00.123+08:00", made.SENT, "T-21"),
        ("2026-03-01T09:00+08:00", made.SENT, "T-21"),
        ("2026/03/01 上午 09:00:00", made.SENT, "T-21"),
        ("20260301T090000+08", made.SENT, "T-21"),
        ("Sun, 01 Mar 2026 09:00:00 +0800", made.SENT, "T-21"),
        ("1772326800", made.SENT, "T-21"),
    ],
)
def test_odd_times_are_read(written: str, read_as: datetime, rule: str) -> None:
    only = changed(("<sent>2026-03-01T09:00:00+08:00</sent>", f"<sent>{written}</sent>"))
    assert alert(only).sent == read_as
    assert (rule, "/alert/sent") in mends(only)


def test_a_leap_day_of_the_buddhist_era_is_read() -> None:
    only = changed(("2026-03-01T09:00:00+08:00</sent>", "2567-02-29T09:00:00+08:00</sent>"))
    assert alert(only).sent.date().isoformat() == "2024-02-29"


def test_a_time_that_could_be_two_is_left_out() -> None:
    only = changed(("<onset>2026-03-01T10:00:00+08:00", "<onset>03/01/2026 10:00"))
    assert alert(only).info[0].onset is None
    assert ("T-21", "/alert/info[1]/onset") in mends(only)


def test_an_expiry_without_a_zone_takes_that_of_the_message() -> None:
    only = changed(("15:00:00+08:00</expires>", "15:00:00</expires>"))
    assert alert(only).info[0].expires == made.SENT + timedelta(hours=6)
    assert rules(only) == {"T-21"}


def test_without_any_zone_the_span_is_the_widest() -> None:
    mended = alert(taken(RIGHT.replace("+08:00", "")))
    assert mended.sent.utcoffset() == timedelta(hours=14)
    assert mended.info[0].expires is not None
    assert mended.info[0].expires.utcoffset() == timedelta(hours=-12)


def test_empty_references_and_those_to_itself_are_left_out() -> None:
    empty = changed(("<info>", "<references/><info>"))
    assert alert(empty).references == ()
    assert rules(empty) == {"T-06"}
    itself = f"{made.alert().sender},{made.alert().identifier},2026-03-01T09:00:00+08:00"
    only = changed(("<info>", f"<references>{itself} a,b,2026-02-01T00:00:00Z nonsense</references><info>"))
    assert [each.identifier for each in alert(only).references] == ["b"]
    assert rules(only) == {"T-04", "T-07"}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("<info>", "<restriction/><info>", "/alert/restriction"),
        ("<info>", "<note> </note><info>", "/alert/note"),
        ("<responseType>", "<responseType></responseType><responseType>", "/alert/info[1]/responseType[1]"),
        ("<expires>2026-03-01T15:00:00+08:00<", "<expires><", "/alert/info[1]/expires"),
        ("<web>https://river.example/flood<", "<web><", "/alert/info[1]/web"),
    ],
)
def test_what_is_empty_is_left_out_and_said(old: str, new: str, path: str) -> None:
    assert mends(changed((old, new))) == [("T-06", path)]


def test_an_empty_circle_is_left_out_and_said() -> None:
    only = changed(("</area>", "<circle/></area>"))
    assert alert(only) == made.alert()
    assert ("T-12", "/alert/info[1]/area[1]/circle[1]") in mends(only)


def test_blanks_around_who_sent_what_are_left_out_and_said() -> None:
    only = changed(("<identifier>", "<identifier> "), ("</sender>", "\n</sender>"))
    assert alert(only) == made.alert()
    assert mends(only) == [("T-03", "/alert/identifier"), ("T-03", "/alert/sender")]


def test_a_root_of_another_spelling_is_read_and_said() -> None:
    only = changed(("<alert ", "<Alert "), ("</alert>", "</Alert>"))
    assert alert(only) == made.alert()
    assert mends(only) == [("T-03", "/alert")]


def test_a_place_in_a_parameter_stands_for_a_missing_area() -> None:
    start, end = RIGHT.index("<area>"), RIGHT.index("</area>") + len("</area>")
    named = "<parameter><valueName>layer:Google:Region:0.1</valueName><value>el Pacífico</value></parameter>"
    only = taken(RIGHT[:start] + named + RIGHT[end:])
    assert alert(only).info[0].area == (m.Area("el Pacífico"),)
    assert "T-09" in rules(only)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("EN", "en"), ("zh-tw", "zh-TW"), ("sp-US", "es-US"), ("en_US", "en-US"), ("Español", "es"), ("", None),
     ("???", "und")],
)  # fmt: skip
def test_languages_are_canonical(written: str, canonical: str | None) -> None:
    only = changed((">en-GB<", f">{written}<"))
    assert alert(only).info[0].language == canonical
    assert mends(only) == [("T-14", "/alert/info[1]/language")]


def test_a_colour_stands_for_an_unknown_severity() -> None:
    level = (
        "<parameter><valueName>awareness_level</valueName><value>3; orange; Severe</value></parameter><area>"
    )
    only = changed(("Severe</severity>", "Unknown</severity>"), ("<area>", level))
    assert alert(only).info[0].severity is m.Severity.SEVERE
    assert rules(only) == {"T-15"}


def test_html_becomes_plain_text() -> None:
    only = changed(
        ("The river will flood the plain", "&lt;p&gt;Rain &amp;amp; wind&lt;br/&gt;5 &amp;lt; 6&lt;/p&gt;")
    )
    assert alert(only).info[0].description == "Rain & wind\n5 < 6\nwithin the hour."
    assert rules(only) == {"T-16"}


def test_an_expiry_before_the_sending_is_left_out_and_a_century_clamped() -> None:
    before = changed(("2026-03-01T15:00:00", "2026-03-01T08:00:00"))
    assert alert(before).info[0].expires is None
    assert rules(before) == {"T-17"}
    late = changed(("2026-03-01T15:00:00", "2126-03-01T15:00:00"))
    assert alert(late).info[0].expires == made.SENT + timedelta(days=366)


def test_digests_become_those_of_the_file() -> None:
    packed = base64.b64encode(b"a map").decode()
    right = hashlib.sha1(b"a map", usedforsecurity=False).hexdigest()
    of_text = hashlib.sha1(packed.encode(), usedforsecurity=False).hexdigest()
    for written in (base64.b64encode(bytes.fromhex(right)).decode(), of_text):
        resource = (
            "<resource><resourceDesc>Map</resourceDesc><mimeType>image/png</mimeType><size>-1</size>"
            f"<derefUri>{packed}</derefUri><digest>{written}</digest></resource><area>"
        )
        only = changed(("<area>", resource))
        assert alert(only).info[0].resource[0] == m.Resource(
            "Map", "image/png", deref_uri=packed, digest=right
        )
        assert rules(only) == {"T-18"}


def test_several_signatures_are_said() -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
    one, two = (
        changed(("</alert>", f"{signature}</alert>")),
        changed(("</alert>", f"{signature * 2}</alert>")),
    )
    assert rules(one) == set()
    assert rules(two) == {"T-19"}
    assert two.source.count(b"<Signature") == 2


def test_web_without_a_scheme_gets_one_and_what_is_no_address_is_text() -> None:
    host = changed(("https://river.example/flood", "www.river.example/flood"))
    assert alert(host).info[0].web == "http://www.river.example/flood"
    none = changed(("https://river.example/flood", "http://[call us"))
    assert alert(none).info[0].web is None or "call" in (alert(none).info[0].web or "")
    assert rules(host) == rules(none) == {"T-20"}


def test_what_is_missing_is_filled_where_something_sensible_stands() -> None:
    only = changed(
        ("<event>Flood</event>", ""), ("<category>Met</category>", ""), ("<certainty>Observed</certainty>", ""),
        ("<areaDesc>River plain</areaDesc>", ""), ("<sender>river.example</sender>", ""),
        ("<identifier>river-2026-1</identifier>", ""),
    )  # fmt: skip
    mended = alert(only)
    info = mended.info[0]
    assert (info.event, info.category, info.certainty) == (
        "The river rises",
        (m.Category.OTHER,),
        m.Certainty.UNKNOWN,
    )
    assert info.area[0].area_desc == "FIPS 12345"
    assert mended.sender == "River Authority"
    assert mended.identifier.startswith("unnamed-")
    assert rules(only) == {"T-15", "T-23"}


def test_nobody_is_warned_on_a_guess() -> None:
    assert alert(changed(("<status>Actual</status>", ""))).status is m.Status.DRAFT
    assert alert(changed((">Public<", ">Confidential<"))).scope is m.Scope.RESTRICTED
    unsent = changed(*((f"<{name}>", f"<x{name}>") for name in ("sent", "effective", "onset")),
                     *((f"</{name}>", f"</x{name}>") for name in ("sent", "effective", "onset")))  # fmt: skip
    assert unsent.document.alert is None
    assert [finding.path for finding in unsent.document.findings] == ["/alert/sent"]


def test_pairs_that_are_not_whole_are_left_out_and_lists_taken_apart() -> None:
    codes = "<geocode><valueName>UGC</valueName><value>NMZ501 NMZ502</value></geocode><geocode>text</geocode></area>"
    only = changed(("</area>", codes))
    assert [code.value for code in alert(only).info[0].area[0].geocode] == ["12345", "NMZ501", "NMZ502"]
    assert rules(only) == {"T-23"}


def test_mends_have_paths_and_pointers() -> None:
    only = changed((">en-GB<", ">EN<"))
    assert [(mend.path, mend.pointer) for mend in only.mended] == [
        ("/alert/info[1]/language", "/info/0/language")
    ]


def test_a_document_with_too_many_points_is_refused() -> None:
    only = changed((made.SQUARE, "1,1 " * 200_000))
    assert [finding.rule for finding in only.document.findings] == ["G-10"]


@given(made.alerts)
def test_whatever_can_be_written_is_read_and_comes_out_strict(written: m.Alert) -> None:
    for each in read_tolerant(write(written)).alerts:
        if each.document.alert is not None:
            assert read(write(each.document.alert)).alert == each.document.alert


def test_reading_twice_gives_the_same() -> None:
    assert read_tolerant(RIGHT.encode()) == read_tolerant(RIGHT.encode())
