from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from alerting.feeds.pages import _BANNERS
from alerting.shipped import shipped
from alerting.wording import words
from alerting.wording.phrases import CATALOGUES, FOLDER, in_zone, phrases

PACKAGE = Path(words.__file__).parents[1]
TABLES = (
    words.MARKERS,
    words.KINDS,
    words.RESPONSES,
    words.SEVERITIES,
    words.URGENCIES,
    words.CERTAINTIES,
    _BANNERS,
)
AT = datetime(2026, 7, 24, 10, 0, tzinfo=UTC)


def catalogue(tag: str) -> Catalog:
    with (FOLDER / CATALOGUES[tag] / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale=CATALOGUES[tag], abort_invalid=True)


def keys_of(tag: str) -> set[str]:
    return {str(m.id[0] if isinstance(m.id, tuple) else m.id) for m in catalogue(tag) if m.id}


def trees() -> Iterator[ast.AST]:
    for package in ("wording", "feeds", "public"):
        for source in sorted((PACKAGE / package).glob("*.py")):
            yield ast.parse(source.read_text(encoding="utf-8"))


def texts_in(tree: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def said_in_templates() -> set[str]:
    sources = (path for path in shipped("templates").rglob("*.*") if path.suffix in {".txt", ".html"})
    return {
        m[1] for path in sources for m in re.finditer(r'say\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }


def said_in_code() -> set[str]:
    found = {text for table in TABLES for text in table.values()}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                if node.func.attr in {"say", "count"} and not isinstance(node.args[0], ast.Name):
                    found |= texts_in(node.args[0])
                if node.func.attr in {"_message", "_unsubscribe_page"}:
                    found |= texts_in(node.args[0])
    return found


def test_every_phrase_that_is_said_is_in_the_catalogues() -> None:
    assert said_in_code() | said_in_templates() <= keys_of("en")
    assert len(said_in_code()) > 50


def test_no_phrase_in_the_catalogues_is_dead() -> None:
    written = set().union(*map(texts_in, trees())) | said_in_templates()
    assert keys_of("en") - written == set()


@pytest.mark.parametrize("tag", [tag for tag in CATALOGUES if tag != "en"])
def test_a_catalogue_is_complete_and_keeps_the_places(tag: str) -> None:
    english = {message.id: message for message in catalogue("en") if message.id}
    other = {message.id: message for message in catalogue(tag) if message.id}
    assert other.keys() == english.keys()
    for message in other.values():
        texts = [
            str(t or "") for t in (message.string if isinstance(message.string, tuple) else [message.string])
        ]
        key = str(message.id[-1] if isinstance(message.id, tuple) else message.id)
        places = set(re.findall(r"%\(\w+\)\w", key))
        for text in texts:
            assert text, f"{tag}: {message.id} has no text"
            assert set(re.findall(r"%\(\w+\)\w", text)) <= places, f"{tag}: {text}"
        assert set(re.findall(r"%\(\w+\)\w", texts[-1])) == places, f"{tag}: {texts[-1]}"


def test_arabic_counts_in_six_forms() -> None:
    arabic = phrases("ar")
    one, many = "%(n)d warning is in force.", "%(n)d warnings are in force."
    forms = {n: arabic.count(one, many, n) for n in (0, 1, 2, 3, 11, 100)}
    assert len(set(forms.values())) == 6
    assert "3" in forms[3]
    assert "11" in forms[11]


@pytest.mark.parametrize(
    ("language", "tag", "direction"),
    [
        ("zh-TW", "zh-Hant", "ltr"),
        ("zh", "zh-Hans", "ltr"),
        ("ar-EG", "ar", "rtl"),
        ("he", "en", "rtl"),
        ("pt-BR", "en", "ltr"),
        ("mul", "en", "ltr"),
        ("!!", "en", "ltr"),
    ],
)
def test_a_language_finds_its_catalogue_and_direction(language: str, tag: str, direction: str) -> None:
    found = phrases(language)
    assert (found.tag, found.direction) == (tag, direction)


def test_without_a_catalogue_the_phrase_is_english_and_the_date_its_own() -> None:
    portuguese = phrases("pt-BR")
    assert portuguese.say("What to do") == "What to do"
    assert "jul" in portuguese.moment(AT, "UTC")
    assert "24 de jul" in portuguese.moment(AT, "UTC")


def test_the_clock_is_that_of_the_place_that_is_warned() -> None:
    summer = datetime(2026, 7, 24, 12, 0, tzinfo=timezone(timedelta(hours=-5)))
    english = phrases("en")
    assert english.moment(summer, "America/Chicago").endswith("CDT")  # the issuer's own offset
    assert english.moment(summer.astimezone(UTC), "America/Chicago").endswith(
        "CDT"
    )  # UTC says nothing of the place
    assert english.moment(summer, "Europe/Paris").endswith("UTC-5")  # written for another zone
    assert english.moment(AT, "Asia/Kathmandu").endswith("UTC+5:45")
    assert english.moment(AT, "UTC").endswith("UTC")
    assert in_zone(summer, "Europe/Paris") is summer


def test_the_year_is_said_where_there_is_room() -> None:
    assert "2026" in phrases("en").moment(AT, "UTC", year=True)
    assert "2026" not in phrases("en").moment(AT, "UTC")
