"""Real documents: nothing crashes, and the verdict on the form is that of the OASIS schema."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from alerting.cap import values
from alerting.cap.area import ground
from alerting.cap.jsonform import digest, from_json, to_json
from alerting.cap.rules import Context, Mode, check, rules
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


# ---- the verdict with all rules ----


@cache
def severities(shared: Path) -> dict[str, str]:
    """The severity of each rule as RULES.md gives it: in part A in the fourth column, in part B in the last."""
    text = (shared / "cap" / "RULES.md").read_text(encoding="utf-8")
    core, profiles = text.split("## A. Core rules")[1].split("\n## C. ")[0].split("\n## B. ")
    found: dict[str, str] = {}
    for part, column in ((core, 3), (profiles, -1)):
        rows = [line.split(" | ") for line in part.splitlines() if re.match(r"\| [A-Z]+-\d\d ", line)]
        found |= {re.split(r"[ (]", row[0].strip("| "))[0]: row[column].strip(" |") for row in rows}
    return found


def explained() -> dict[str, bool]:
    """The rules whose refusals docs/cap-peers.md explains, and whether the corpus has one."""
    page = Path(__file__).resolve().parents[2] / "docs" / "cap-peers.md"
    table = page.read_text(encoding="utf-8").split("## The strict verdict and the schema's")[1]
    rows = re.findall(r"^\| ([A-Z]+-\d\d) \| .* \| (yes )?\|$", table, re.MULTILINE)
    return {rule: bool(met) for rule, met in rows}


def refusals(data: bytes) -> set[str]:
    return {finding.rule for finding in check(read(data)) if finding.severity == "error"}


def test_the_strict_verdict_is_the_schemas_or_differs_by_an_explained_rule(shared_path: Path) -> None:
    files = corpus(shared_path)
    refused = {name: refusals(data) for name, data, valid in files if valid}
    assert [name for name, data, valid in files if not valid and not refusals(data)] == []
    assert [
        (name, rules) for name, rules in refused.items() if rules and not rules <= explained().keys()
    ] == []
    differing = {name: rules for name, rules in refused.items() if rules}
    met = {rule for rule, in_corpus in explained().items() if in_corpus}
    assert set().union(*differing.values()) == met
    print(
        f"\n{len(files)} files: {len(files) - len(differing)} verdicts are the schema's, "
        f"{len(differing)} differ by {', '.join(sorted(met))}; without explanation 0"
    )


def test_every_real_file_is_accepted_that_breaks_no_error_of_the_rules(shared_path: Path) -> None:
    levels = severities(shared_path)
    assert len(levels) > 100
    with (shared_path / "cap" / "corpus" / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = [
            row
            for row in csv.DictReader(index, delimiter="\t")
            if (row["origin"], row["cap_version"], row["xsd_valid"]) == ("real", "1.2", "yes")
        ]
    broken: dict[str, int] = {}
    refused = 0
    for row in rows:
        found = refusals((shared_path / "cap" / "corpus" / row["file"]).read_bytes())
        assert all("error" in levels[rule] for rule in found), row["file"]
        assert not found & {"G-08", "G-09"}, "errors on publishing alone"
        refused += bool(found)
        for rule in found:
            broken[rule] = broken.get(rule, 0) + 1
    print(
        f"\n{len(rows)} real files valid by the schema: {len(rows) - refused} accepted, {refused} break an error: "
        + ", ".join(f"{rule} {n}" for rule, n in sorted(broken.items()))
    )
    assert len(rows) == 145
    assert len(rows) - refused == 92


def test_no_rule_of_the_register_is_harsher_than_its_source(shared_path: Path) -> None:
    levels = severities(shared_path)
    made_required = {"I-11"}  # "make it required on publish" stands there as a warning
    for entry in rules():
        source = levels.get(entry.id)
        if source is None:
            assert entry.id in {"I-17", "I-18", "G-11"}, "rules of the peers alone"
        elif entry.severity == "error":
            assert "error" in source, entry.id
        elif entry.publish == "error":
            assert "error" in source or entry.id in made_required, entry.id


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
