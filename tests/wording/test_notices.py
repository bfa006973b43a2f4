from __future__ import annotations

from typing import Any

import pytest

from alerting.wording import Answer, content_hash, notice, sms
from alerting.wording.phrases import CATALOGUES

WORDS: dict[str, Any] = {
    "issuer": "Water Office",
    "place": "Anhui",
    "code": "CN-AH",
    "written": "Springfield",
    "example": "CN-AH",
    "choices": ("US-IL", "US-MA"),
    "link": "https://warnings.example.org/c/x",
}


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("kind", list(Answer))
def test_every_answer_is_said_in_every_language(kind: Answer, language: str) -> None:
    made = notice(kind, language, "sms", **WORDS)
    assert made.text.startswith("Water Office: ")
    assert "%(" not in made.text
    assert made.segments == sms.segments(made.text) <= 3
    assert made.sha256 == content_hash(None, made.text, None)
    if language != "en":
        assert made.text != notice(kind, "en", "sms", **WORDS).text


def test_joining_says_what_was_understood() -> None:
    assert notice("joined", "en", "sms", place="Anhui", code="CN-AH").text == (
        "You will get warnings for Anhui (CN-AH). To stop, reply STOP."
    )


def test_an_ambiguous_place_lists_the_codes() -> None:
    text = notice("ambiguous_place", "en", "sms", written="Springfield", choices=["US-IL", "US-MA"]).text
    assert text == '"Springfield" is the name of 2 places. Reply JOIN and one of these codes: US-IL, US-MA'
    many = notice("ambiguous_place", "en", "sms", written="San", choices=[f"X-{n}" for n in range(20)]).text
    assert many.endswith("X-7, ...")
    assert "20 places" in many


def test_what_a_citizen_typed_is_repeated_short_and_never_as_a_template() -> None:
    text = notice(
        "unknown_place", "en", "sms", written="%(example)s {{ 7 * 7 }} " + "x" * 200, example="CN-AH"
    ).text
    assert "%(example)s {{ 7 * 7 }}" in text
    assert "x" * 50 not in text


def test_an_email_answer_escapes_what_was_typed() -> None:
    made = notice("unknown_place", "ar", "email", written="<b>x</b>", example="CN-AH", issuer="<i>")
    assert made.subject
    assert "<b>" not in (made.html or "")
    assert 'dir="rtl"' in (made.html or "")


def test_another_kind_or_channel_is_refused() -> None:
    with pytest.raises(ValueError, match="sing"):
        notice("sing", "en", "sms")
    with pytest.raises(ValueError, match="pigeon"):
        notice("help", "en", "pigeon")
