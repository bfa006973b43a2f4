"""The pages about the rules say what the code does, and the code has every rule that CAP 1.2 is known to need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerting.cap import jsonform, schema, xml
from alerting.cap import rules as package
from alerting.cap.profiles import PROFILES
from alerting.cap.rules import ERROR, rules
from alerting.cap.rules.feed import BY_FEEDS
from alerting.cap.rules.page import page
from alerting.cap.rules.reading import BY_NOTHING, BY_READERS

DOCS = Path(__file__).resolve().parents[2] / "docs"

# The numbers of each group of rules beyond the schema; S and Z too, of which most can be no finding.
KNOWN = {"X": 7, "A": 18, "I": 16, "R": 6, "G": 10, "S": 5, "Z": 1}

# What Google's cap-library lists: on messages, on feeds, and of its own profile.
_LISTED = """
CIRCULAR_REFERENCE DUPLICATE_ELEMENT INVALID_ALTITUDE_CEILING_RANGE INVALID_AREA INVALID_CHARACTERS INVALID_CIRCLE
INVALID_DATE INVALID_DEREF_URI INVALID_ENUM_VALUE INVALID_IDENTIFIER INVALID_LANGUAGE INVALID_MIME_TYPE
INVALID_POLYGON INVALID_POLYGON_SELF_INTERSECTION INVALID_REFERENCES INVALID_RESOURCE_SIZE INVALID_RESOURCE_URI
INVALID_SENDER INVALID_SEQUENCE INVALID_VALUE INVALID_URI INVALID_WEB MISSING_REQUIRED_ELEMENT OTHER
PASSWORD_DEPRECATED RELATIVE_URI_MISSING_DEREF_URI RESTRICTION_SCOPE_MISMATCH UNSUPPORTED_ELEMENT
CERTAINTY_VERY_LIKELY_DEPRECATED TEXT_CONTAINS_HTML_ENTITIES TEXT_CONTAINS_HTML_TAGS POSTDATED_REFERENCE
SAME_TEXT_DIFFERENT_LANGUAGE
ATOM_ID_IS_REQUIRED ATOM_TITLE_IS_REQUIRED ATOM_UPDATED_IS_REQUIRED ATOM_ENTRY_ID_IS_REQUIRED
ATOM_ENTRY_TITLE_IS_REQUIRED ATOM_ENTRY_UPDATED_IS_REQUIRED ATOM_ENTRY_MISSING_CAP_LINK ATOM_ENTRY_NON_UNIQUE_IDS
RSS_ITEM_TITLE_OR_DESCRIPTION_IS_REQUIRED RSS_ITEM_MISSING_CAP_LINK EDXLDE_CONTENT_OBJECT_IS_REQUIRED
EDXLDE_NO_CAP_IN_CONTENT_OBJECT RSS_PUBDATE_IS_RECOMMENDED RSS_ITEM_GUID_IS_RECOMMENDED
UPDATE_OR_CANCEL_MUST_REFERENCE CATEGORIES_MUST_MATCH EVENT_CODES_MUST_MATCH INFO_IS_REQUIRED DESCRIPTION_IS_REQUIRED
WEB_IS_REQUIRED EXPIRES_IS_REQUIRED URGENCY_IS_REQUIRED SEVERITY_IS_REQUIRED CERTAINTY_IS_REQUIRED AREA_IS_REQUIRED
EFFECTIVE_NOT_AFTER_EXPIRES CIRCLE_POLYGON_OR_GEOCODE_IS_REQUIRED SENDER_NAME_IS_RECOMMENDED
RESPONSE_TYPE_IS_RECOMMENDED INSTRUCTION_IS_RECOMMENDED CIRCLE_POLYGON_IS_RECOMMENDED TEST_ALERT_DISCOURAGED
HEADLINE_TOO_LONG HEADLINE_AND_DESCRIPTION_SHOULD_DIFFER DESCRIPTION_AND_INSTRUCTION_SHOULD_DIFFER
UNKNOWN_URGENCY_DISCOURAGED UNKNOWN_SEVERITY_DISCOURAGED UNKNOWN_CERTAINTY_DISCOURAGED CONTACT_IS_RECOMMENDED
NONZERO_CIRCLE_RADIUS_RECOMMENDED EVENTS_IN_SAME_LANGUAGE_SHOULD_MATCH EMPTY_GEOCODE_FIELD
SENT_INCLUDES_UTC_TIMEZONE EFFECTIVE_INCLUDES_UTC_TIMEZONE ONSET_INCLUDES_UTC_TIMEZONE EXPIRES_INCLUDES_UTC_TIMEZONE
"""
GOOGLE = _LISTED.split()


def findable() -> set[str]:
    """Every id that a finding can have."""
    ids = {entry.id for entry in rules()} | {judged.id for judged in (*BY_READERS, *BY_FEEDS)}
    return ids | {entry.id for name in PROFILES for entry in rules(profile=name)}


def table(title: str) -> list[list[str]]:
    """The rows of the first table below a heading of docs/cap-peers.md."""
    text = (DOCS / "cap-peers.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_page_of_the_rules_is_made_from_the_code() -> None:
    assert (DOCS / "cap-rules.md").read_text(encoding="utf-8") == page(), "run make docs"


def test_every_known_rule_is_judged_or_kept() -> None:
    known = {f"{letter}-{n:02}" for letter, last in KNOWN.items() for n in range(1, last + 1)}
    kept = {entry.id for entry in BY_NOTHING}
    assert known <= findable() | kept
    assert not kept & findable()


def test_every_rule_says_its_clause_and_its_demand() -> None:
    for entry in rules():
        assert re.fullmatch(r"[13](\.\d)+", entry.clause), entry.id
        assert entry.test.__doc__, entry.id
        assert entry.test.__doc__.endswith("."), entry.id
    for judged in (*BY_READERS, *BY_FEEDS):
        assert judged.clause
        assert judged.demand.endswith("."), judged.id
        assert judged.severities


def test_the_package_offers_what_it_names() -> None:
    assert len(package.__all__) == 11
    assert all(hasattr(package, name) for name in package.__all__)


def test_no_rule_is_milder_when_issuing() -> None:
    for entry in rules():
        assert entry.publish is entry.severity or entry.publish is ERROR, entry.id


def test_the_readers_report_nothing_that_is_not_listed() -> None:
    listed = {judged.id for judged in BY_READERS}
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (xml, jsonform)]
    written = {found for source in sources for found in re.findall(r"\"([XAIRGS]-\d\d)\"", source)}
    assert written
    assert written <= listed
    formed = {
        field.rule
        for block in (schema.ALERT, schema.INFO, schema.AREA, schema.RESOURCE)
        for field in block.fields
        if field.required or field.kind not in {schema.Kind.TEXT, schema.Kind.BLOCK}
    }
    assert formed <= listed


@pytest.mark.parametrize("name", GOOGLE)
def test_each_check_of_googles_library_has_one_of_ours(name: str) -> None:
    ours = [row[1].split(", ") for row in table("Google's cap-library") if row[0] == name]
    assert len(ours) == 1
    assert set(ours[0]) <= findable()


def test_the_table_of_googles_checks_holds_no_other() -> None:
    assert sorted(row[0] for row in table("Google's cap-library")) == sorted(GOOGLE)


def test_every_refusal_that_the_schema_does_not_share_is_explained() -> None:
    every = [*rules(), *(entry for name in PROFILES for entry in rules(profile=name))]
    errors = {entry.id for entry in every if entry.severity is ERROR}
    milder = {"US-03", "US-07", "WMO-04"}  # warnings, one of whose breaches is an error
    readers = {"X-01", "X-03", "X-04"}
    explained = [row[0] for row in table("The strict verdict and the schema's")]
    assert explained == sorted(explained)
    assert set(explained) == errors | milder | readers
