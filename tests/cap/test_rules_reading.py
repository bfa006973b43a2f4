"""What the readers report, each id of their list on a document that breaks it, in XML and where it can be in JSON."""

from __future__ import annotations

import pytest

from alerting.cap import model as m
from alerting.cap.findings import ERROR, WARNING
from alerting.cap.jsonform import from_json, to_json
from alerting.cap.rules import check
from alerting.cap.rules.reading import BY_READERS
from alerting.cap.xml import read, write
from tests.cap import made

WHOLE = write(
    made.alert(
        made.info(
            event_code=(m.NamedValue("SAME", "FFW"),),
            resource=(m.Resource("Map", "image/png", size=9, uri="https://river.example/map.png"),),
            area=(made.area(altitude="100", ceiling="200"),),
        ),
        incidents=("a b",),
        addresses=("c d",),
        references=made.naming(made.alert(identifier="first")),
        msg_type=m.MsgType.UPDATE,
    )
).decode()
SIGNED = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature></alert>'

# The id, its severity, the place, and what is replaced in the whole document by what.
BROKEN: list[tuple[str, str, str, str, str]] = [
    ("X-01", "error", "", "</alert>", ""),
    ("X-02", "error", "", "cap:1.2", "cap:1.1"),
    ("X-02", "error", "", 'xmlns="urn:oasis:names:tc:emergency:cap:1.2"', ""),
    ("X-03", "error", "/status", "<sender>", "<status>Actual</status><sender>"),
    ("X-03", "error", "/event", "</alert>", "<event>x</event></alert>"),
    ("X-04", "error", "/colour", "<sender>", "<colour/><sender>"),
    ("X-04", "error", "/x", "</alert>", '<x xmlns="urn:x"/></alert>'),
    ("X-04", "error", "", "<sender>", "stray<sender>"),
    ("X-04", "error", "/sender", "<sender>", '<sender kind="x">'),
    ("X-06", "warning", "", 'encoding="UTF-8"', 'encoding="ISO-8859-1"'),
    ("X-07", "error", "/info/0/event", "<event>Flood</event>", ""),
    ("A-01", "error", "/identifier", "<identifier>river-2026-1</identifier>", ""),
    ("A-02", "error", "/sender", "<sender>river.example</sender>", ""),
    ("A-03", "error", "/sent", "+08:00</sent>", "Z</sent>"),
    ("A-03", "error", "/sent", "+08:00</sent>", "</sent>"),
    ("A-03", "warning", "/sent", "+08:00</sent>", "+00:00</sent>"),
    ("A-03", "error", "/info/0/onset", "<onset>2026-03", "<onset>2026-13"),
    ("A-05", "error", "/status", "Actual", "Real"),
    ("A-06", "error", "/msgType", "Update", "Change"),
    ("A-09", "error", "/scope", "Public", "All"),
    ("A-10", "error", "/addresses", '"c d"', '"c d'),
    ("A-11", "error", "/references", "river.example,first,2026-03-01T09:00:00+08:00", ""),
    ("A-11", "error", "/references/0", ",first,", ",first;"),
    ("A-15", "warning", "/incidents", '"a b"', '"a b'),
    ("A-18", "error", "/password", "<scope>", "<password>x</password><scope>"),
    ("I-01", "error", "/info/0/language", "en-GB", "en_GB"),
    ("I-05", "error", "/info/0/category/0", "<category>Met", "<category>Weather"),
    ("I-05", "error", "/info/0/category", "<category>Met</category>", ""),
    ("I-06", "error", "/info/0/responseType/0", "Evacuate", "Run"),
    ("I-07", "error", "/info/0/urgency", "Immediate", "Now"),
    ("I-08", "error", "/info/0/severity", "Severe", "Bad"),
    ("I-08", "error", "/info/0/certainty", "Observed", "Very Likely"),
    ("I-09", "error", "/info/0/eventCode/0/value", "<value>FFW</value>", ""),
    ("I-15", "error", "/info/0/web", "https://river.example/flood", "%zz"),
    ("R-01", "error", "/info/0/resource/0/mimeType", "<mimeType>image/png</mimeType>", ""),
    ("R-02", "error", "/info/0/resource/0/size", "<size>9", "<size>nine"),
    ("R-03", "error", "/info/0/resource/0/uri", "https://river.example/map.png", "%zz"),
    ("G-01", "error", "/info/0/area/0/areaDesc", "<areaDesc>River plain</areaDesc>", ""),
    ("G-07", "error", "/info/0/area/0/altitude", "<altitude>100", "<altitude>1e2"),
    ("S-02", "warning", "/Signature", "</alert>", SIGNED),
]


def test_the_whole_document_has_no_finding_of_reading() -> None:
    document = read(WHOLE.encode())
    assert document.findings == ()
    assert document.alert is not None


@pytest.mark.parametrize(
    ("rule", "severity", "pointer", "old", "new"), BROKEN, ids=[f"{row[0]}{row[2]}" for row in BROKEN]
)
def test_the_reader_names_the_rule_and_the_place(
    rule: str, severity: str, pointer: str, old: str, new: str
) -> None:
    assert old in WHOLE
    findings = read(WHOLE.replace(old, new).encode("latin-1")).findings
    found = [(finding.rule, finding.severity.value, finding.pointer) for finding in findings]
    assert (rule, severity, pointer) in found


def test_every_id_of_the_list_is_reported_with_its_severities() -> None:
    listed = {(judged.id, level.value) for judged in BY_READERS for level in judged.severities}
    assert {(row[0], row[1]) for row in BROKEN} == listed


def test_a_signature_is_a_warning_and_never_a_refusal() -> None:
    document = read(WHOLE.replace("</alert>", SIGNED).encode())
    assert document.alert == read(WHOLE.encode()).alert
    assert [
        (found.rule, found.severity, found.path) for found in check(document) if found.rule == "S-02"
    ] == [("S-02", WARNING, "/alert/Signature")]


def test_very_likely_is_answered_with_likely() -> None:
    (found,) = read(WHOLE.replace("Observed", "Very Likely").encode()).findings
    assert "Likely, which replaced it" in found.message


@pytest.mark.parametrize(
    ("rule", "pointer", "key", "value"),
    [
        ("X-01", "/note", "note", "a\x00b"),
        ("X-03", "/code", "code", "not an array"),
        ("X-04", "/colour", "colour", "red"),
        ("A-03", "/sent", "sent", "2026-03-01T09:00:00Z"),
        ("A-11", "/references/0", "references", ["a,b"]),
        ("A-06", "/msgType", "msgType", "Change"),
    ],
)
def test_json_is_judged_by_the_same_ids(rule: str, pointer: str, key: str, value: object) -> None:
    document = from_json(to_json(made.alert()) | {key: value})
    assert (rule, ERROR, pointer) in [
        (found.rule, found.severity, found.pointer) for found in document.findings
    ]
    assert rule in {judged.id for judged in BY_READERS}
