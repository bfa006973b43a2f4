from __future__ import annotations

import pytest

from alerting.wording import MUL, choose

SIX = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")


@pytest.mark.parametrize(
    ("reader", "chosen"),
    [
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("yue", "zh-Hant"),
        ("es-419", "es"),
        ("ar-EG", "ar"),
        ("en-GB", "en"),
    ],
)
def test_a_reader_gets_the_own_language_by_script_and_region(reader: str, chosen: str) -> None:
    assert choose(reader, SIX, None) == chosen


@pytest.mark.parametrize(
    ("reader", "available", "chosen"),
    [
        ("pt-BR", ("en", "pt-PT"), "pt-PT"),
        ("zh-CN", ("en-US", "zh-TW", "zh-CN"), "zh-CN"),
        ("zh-Hans", ("en", "zh-Hant"), "zh-Hant"),  # the other script is better than a foreign language
        ("en-AU", ("en-US", "en-GB"), "en-GB"),
    ],
)
def test_the_nearest_is_taken(reader: str, available: tuple[str, ...], chosen: str) -> None:
    assert choose(reader, available, "en") == chosen


def test_else_the_default_of_the_authority_else_all() -> None:
    assert choose("de", SIX, "fr") == "fr"
    assert choose("de", ("en-US", "es"), "en") == "en-US"
    assert choose("de", SIX, "uk") == MUL
    assert choose("de", SIX, None) == MUL


def test_a_single_language_is_always_the_answer() -> None:
    assert choose("de", ("ar",), "en") == "ar"


def test_a_tag_that_is_none_matches_nothing() -> None:
    for written in ("", "!!", "x-y", "toolonglanguage"):
        assert choose(written, SIX, "en") == "en"


def test_without_languages_there_is_no_choice() -> None:
    with pytest.raises(ValueError, match="no language"):
        choose("en", (), "en")
