"""The first warning of a process finds everything loaded; and the short way through plain scripts is the same way."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from alerting.wording import Issuer, phrases, sms, templates
from alerting.wording.warm import LANGUAGES, warm


def test_after_warming_no_template_or_catalogue_is_loaded() -> None:
    warm(Issuer("-", "en", "UTC", "http://127.0.0.1"), now=datetime.now(UTC))
    loaded = phrases._translations.cache_info().misses
    for language in LANGUAGES:
        phrases.phrases(language)
    assert phrases._translations.cache_info().misses == loaded
    assert templates._environment().cache


@given(st.text(st.characters(max_codepoint=0x9FFF), max_size=40))
def test_the_short_way_through_plain_scripts_splits_as_the_long_one(text: str) -> None:
    parts: list[str] = []
    for character in text:
        if parts and sms._joins(parts[-1], character):
            parts[-1] += character
        else:
            parts.append(character)
    assert sms.graphemes(text) == parts
