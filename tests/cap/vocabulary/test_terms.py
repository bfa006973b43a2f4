"""The tables hold what their sources hold, and every term can stand in a warning."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from alerting.cap.model import Category, ResponseType, Severity
from alerting.cap.vocabulary import SCHEMES, Instruction, Term, search, term
from alerting.cap.vocabulary.catalogue import every_term


def of(scheme: str) -> tuple[Term, ...]:
    return tuple(each for each in every_term() if each.scheme == scheme)


def one(scheme: str, code: str) -> Term:
    found = term(scheme, code)
    assert found is not None
    return found


def test_the_counts_are_those_of_the_sources() -> None:
    assert {scheme: len(of(scheme)) for scheme in SCHEMES} == {
        "OET": 224,
        "SAME": 84,
        "CAP-AU": 176,
        "CAP-CP": 18,
        "CAP-TWP": 21,
        "CN-CLASS": 4,
        "CN-GRADE": 4,
    }


def test_no_code_comes_twice_in_a_scheme() -> None:
    for scheme in SCHEMES:
        folded = [each.code.casefold() for each in of(scheme)]
        assert len(folded) == len(set(folded))


def test_every_event_has_a_name_a_category_and_a_response_type() -> None:
    for each in every_term():
        assert each.names
        assert all(language and name == name.strip() != "" for language, name in each.names)
        if each.scheme != "CN-GRADE":
            assert each.categories, each
            assert each.response_types, each
            assert len(set(each.response_types)) == len(each.response_types)
            assert ResponseType.ALL_CLEAR not in each.response_types


def test_the_closest_oasis_term_exists() -> None:
    for each in every_term():
        if each.oet is not None:
            assert one("OET", each.oet).code == each.oet


def test_only_classes_and_grades_have_no_value_name() -> None:
    assert {each.scheme for each in every_term() if each.value_name is None} == {"CN-CLASS", "CN-GRADE"}


def test_the_categories_of_the_source_are_kept() -> None:
    assert one("OET", "OET-017").categories == (
        Category.GEO,
        Category.HEALTH,
        Category.MET,
        Category.SAFETY,
        Category.TRANSPORT,
    )
    assert one("CAP-AU", "fireWeather").categories == (Category.FIRE, Category.MET)
    assert one("CAP-AU", "airQuality").categories == (Category.HEALTH,)


def test_the_grades_are_the_steps_of_severity() -> None:
    assert [(each.code, each.severity) for each in of("CN-GRADE")] == [
        ("I", Severity.EXTREME),
        ("II", Severity.SEVERE),
        ("III", Severity.MODERATE),
        ("IV", Severity.MINOR),
    ]


@pytest.mark.parametrize(
    ("scheme", "code", "expected"),
    [
        ("OET", "OET-079", ["Evacuate", "Avoid"]),
        ("OET", "OET-196", ["Shelter"]),
        ("OET", "OET-203", ["Evacuate"]),
        ("SAME", "TOR", ["Shelter"]),
        ("SAME", "TOA", ["Prepare", "Monitor"]),
        ("SAME", "SVS", ["Monitor"]),
        ("SAME", "RWT", ["None"]),
        ("SAME", "EVI", ["Evacuate"]),
        ("SAME", "SPW", ["Shelter"]),
        ("CAP-AU", "fireBan", ["Prepare", "Avoid"]),
        ("CAP-AU", "reminder", ["Prepare"]),
        ("CAP-AU", "testMessage", ["None"]),
    ],
)
def test_what_is_proposed_fits_the_event(scheme: str, code: str, expected: list[str]) -> None:
    assert [each.value for each in one(scheme, code).response_types] == expected


def test_names_of_the_regulation_come_first_and_older_ones_are_found_too() -> None:
    assert one("SAME", "NPT").names[0] == ("en", "Nationwide Test of the Emergency Alert System")
    assert [each.code for each in search("national periodic test")] == ["NPT"]
    assert [each.code for each in search("Emergency Action Notification")] == ["EAN"]


def test_the_regulation_is_named_where_the_code_stands_in_it() -> None:
    regulated = {each.code for each in of("SAME") if "47 CFR 11.31(e)" in each.groups}
    assert {"BLU", "MEP", "SSW", "EWW"} <= regulated
    assert not {"SQW", "EAT", "NIC", "BWW"} & regulated
    assert len(regulated) == 56


# ------------------------------------------------------------------------------------------- instructions


def instructed() -> list[tuple[Term, Instruction]]:
    return [(each, text) for each in every_term() for text in each.instructions]


def test_every_instruction_names_its_language_its_page_and_its_terms_of_use() -> None:
    assert instructed()
    for _, text in instructed():
        assert text.language in {"en", "zh-Hans"}
        assert text.source.startswith("https://www.ready.gov/")
        assert text.publisher
        assert "17 U.S.C. 105" in text.licence
        assert text.text == text.text.strip()
        assert 20 < len(text.text) < 360


def test_a_chinese_instruction_is_chinese_and_follows_a_chinese_page() -> None:
    for _, text in instructed():
        assert ("zh-hans" in text.source) == (text.language == "zh-Hans")
        assert text.text.isascii() == (text.language == "en")


def test_no_term_has_two_instructions_in_a_language() -> None:
    for each in every_term():
        languages = [text.language for text in each.instructions]
        assert len(languages) == len(set(languages))


def test_what_has_no_source_has_no_instruction() -> None:
    assert one("OET", "OET-129").instructions == ()
    assert [text.language for text in one("OET", "OET-068").instructions] == ["en"]
    assert [text.language for text in one("OET", "OET-204").instructions] == ["en", "zh-Hans"]


def test_a_watch_a_statement_and_a_test_call_for_nothing_at_once() -> None:
    for code in ("TOA", "HUA", "FFS", "HLS", "DMO"):
        assert one("SAME", code).instructions == ()
    assert one("SAME", "TOR").instructions == one("CAP-AU", "tornado").instructions != ()


# -------------------------------------------------------------------------------------- against the sources


def rows(file: Path, delimiter: str) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter=delimiter))[1:]


def test_oet_is_the_list_of_the_sources(shared_path: Path) -> None:
    listed = rows(shared_path / "cap/data/oet_v1_2.tsv", "\t")
    ours = [
        [each.code, each.names[0][1], "|".join(each.groups), "|".join(each.categories)] for each in of("OET")
    ]
    assert ours == listed


def test_the_australian_list_is_that_of_the_sources(shared_path: Path) -> None:
    listed = rows(shared_path / "cap/data/AUeventLIST1.0.csv", ",")
    ours = [
        [each.groups[0], each.names[0][1], each.code, ", ".join(each.categories)] for each in of("CAP-AU")
    ]
    assert ours == [
        [tier.strip(), (event or tier).strip(), code, category]
        for _, tier, event, code, category, *_ in listed
    ]


def test_same_has_the_codes_of_the_sources(shared_path: Path) -> None:
    listed = [row[0] for row in rows(shared_path / "cap/data/same_event_codes.tsv", "\t")]
    assert [each.code for each in of("SAME")] == listed
