"""Real documents: nothing crashes, and the verdict on the form is that of the OASIS schema."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from alerting.cap import values
from alerting.cap.area import ground
from alerting.cap.jsonform import digest, from_json, to_json
from alerting.cap.rules import Context, Mode, check
from alerting.cap.segment import segments
from alerting.cap.xml import read, write
from tests.cap import made

PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@cache
def schema(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "cap" / "CAP-v1.2.xsd"))


@cache
def corpus(shared: Path) -> list[tuple[str, bytes, bool | None]]:
    """Name, bytes and the schema's verdict of each file; None for what is not well-formed or carries a DTD."""
    files: list[tuple[str, bytes, bool | None]] = []
    for file in sorted((shared / "cap" / "corpus").glob("*/*")):
        data = file.read_bytes()
        try:
            tree = etree.fromstring(data, PARSER)
        except etree.XMLSyntaxError:
            files.append((file.name, data, None))
        else:
            files.append((file.name, data, schema(shared).validate(tree)))
    return files


def test_the_verdict_is_the_schemas(shared_path: Path) -> None:
    files = corpus(shared_path)
    assert sum(valid is True for _, _, valid in files) >= 183
    assert [name for name, data, valid in files if bool(valid) is not (read(data).alert is not None)] == []


def test_refusals_name_a_rule_and_a_place(shared_path: Path) -> None:
    for name, data, valid in corpus(shared_path):
        if not valid:
            findings = read(data).findings
            assert any(finding.severity == "error" for finding in findings), name
            assert all(finding.path.startswith("/alert") for finding in findings), name


def test_every_file_is_judged_in_every_mode(shared_path: Path) -> None:
    for _, data, _ in corpus(shared_path):
        document = read(data)
        for mode in Mode:
            check(document, Context(now=made.NOW, mode=mode))


def test_every_valid_file_goes_through_xml_and_json_unchanged(shared_path: Path) -> None:
    for name, data, valid in corpus(shared_path):
        if not valid:
            continue
        alert = read(data).alert
        assert alert is not None
        written = write(alert)
        assert read(written).alert == alert, name
        assert schema(shared_path).validate(etree.fromstring(written)), name
        again = from_json(to_json(alert)).alert
        assert again == alert, name
        assert digest(again) == digest(alert)


def test_every_valid_file_has_segments_and_ground(shared_path: Path) -> None:
    for name, data, valid in corpus(shared_path):
        alert = read(data).alert
        if not valid or alert is None:
            continue
        assert sum(len(segment.infos) for segment in segments(alert)) == len(alert.info)
        for info in alert.info:
            for area in info.area:
                shape = ground(area)
                assert shape is None or (shape.is_valid and shape.area > 0), name


def test_the_index_agrees_about_what_is_valid(shared_path: Path) -> None:
    with (shared_path / "cap" / "corpus" / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(index, delimiter="\t")}
    for name, data, _ in corpus(shared_path):
        row = rows[name]
        if row["cap_version"] == "1.2":
            assert (read(data).alert is not None) is (row["xsd_valid"] == "yes"), name


# ---- single values against the schema ----


def accepts(shared: Path, name: str, text: str) -> bool:
    alert = write(made.alert(made.info(language="en", web="x:y"))).decode()
    old = {"sent": "2026-03-01T09:00:00+08:00", "language": "en", "web": "x:y"}[name]
    place = f"<{name}>{old}</{name}>"
    assert place in alert
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return schema(shared).validate(
        etree.fromstring(alert.replace(place, f"<{name}>{escaped}</{name}>").encode())
    )


def takes(read_value: object, text: str) -> bool:
    assert callable(read_value)
    try:
        read_value(text)
    except values.BadValue:
        return False
    return True


ODD_TIMES = st.from_regex(
    r"[0-2]\d\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d[-+,][01]\d:[0-6]\d", fullmatch=True
)
ODD_LANGUAGES = st.from_regex(r"[A-Za-z0-9_-]{0,12}", fullmatch=True)
ODD_URIS = st.text("ah:/?#[]@!$%2F&' \"<>{|}^`é1.+-", max_size=12)


@given(ODD_TIMES | st.just("2026-03-01T24:00:00+14:00") | st.just(" 2026-03-01T00:00:00-00:00\n"))
def test_times_are_those_of_the_schema(shared_path: Path, text: str) -> None:
    assert takes(values.time, text) is accepts(shared_path, "sent", text)


@given(ODD_LANGUAGES)
def test_languages_are_those_of_the_schema(shared_path: Path, text: str) -> None:
    assert takes(values.language, text) is accepts(shared_path, "language", text)


@given(ODD_URIS)
def test_uris_are_those_of_the_schema(shared_path: Path, text: str) -> None:
    assert takes(values.uri, text) is accepts(shared_path, "web", text)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example:/b",
        "https://[::1]:80/x",
        "a:b",
        "1a:b",
        "%zz",
        "http://a b",
        "#a[b]",
        "//",
        "?",
        ":",
        "é://x",
    ],
)
def test_odd_uris_are_those_of_the_schema(shared_path: Path, text: str) -> None:
    assert takes(values.uri, text) is accepts(shared_path, "web", text)


@given(made.alerts)
def test_the_schema_takes_all_that_is_written(shared_path: Path, alert: object) -> None:
    assert schema(shared_path).validate(etree.fromstring(write(alert)))  # type: ignore[arg-type]  # made.alerts
