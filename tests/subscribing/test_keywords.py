from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.subscribing.keywords import Asked, Command, understand


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("STOP", None),
        ("Stop.", None),
        (" “stop” ", None),
        ("stop all", None),
        ("opt-out", None),
        ("UNSUBSCRIBE", None),
        ("stop please", None),
        ("STOP JOIN XA-N", None),
        ("ARRÊT", "fr"),
        ("arret", "fr"),
        ("baja", "es"),
        ("退订", "zh-Hans"),
        ("TD", "zh-Hans"),
        ("退訂", "zh-Hant"),
        ("إلغاء", "ar"),
        ("الغاء الاشتراك", "ar"),
        ("توقّف", "ar"),
    ],
)
def test_stop_is_understood_in_six_languages_however_it_is_typed(text: str, language: str | None):
    assert understand(text) == Command(Asked.STOP, language=language)


@pytest.mark.parametrize(
    "word", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]
)
def test_what_stops_at_twilio_stops_here(word: str):
    assert understand(word).asked is Asked.STOP


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP"])
def test_what_starts_at_twilio_starts_here(word: str):
    assert understand(word).asked is Asked.START


@pytest.mark.parametrize(
    ("text", "asked", "language"),
    [
        ("HELP", Asked.HELP, None),
        ("info?", Asked.HELP, None),
        ("aide", Asked.HELP, "fr"),
        ("¿Ayuda?", Asked.HELP, "es"),
        ("帮助", Asked.HELP, "zh-Hans"),
        ("幫助", Asked.HELP, "zh-Hant"),
        ("مساعدة", Asked.HELP, "ar"),
        ("开始", Asked.START, "zh-Hans"),
        ("開始", Asked.START, "zh-Hant"),
        ("ابدأ", Asked.START, "ar"),
        ("iniciar", Asked.START, "es"),
        ("reprendre", Asked.START, "fr"),
    ],
)
def test_start_and_help_are_understood_in_six_languages(text: str, asked: Asked, language: str | None):
    assert understand(text) == Command(asked, language=language)


@pytest.mark.parametrize(
    ("text", "place", "language"),
    [
        ("JOIN XA-N", "XA-N", None),
        ("join  Île-de-France!", "Île-de-France", None),
        ("Join: Pays du Nord", "Pays du Nord", None),
        ("JOIN\nXA-N", "XA-N", None),
        ("alta País del Sur", "País del Sur", "es"),
        ("订阅北国", "北国", "zh-Hans"),
        ("订阅 北国", "北国", "zh-Hans"),
        ("訂閱 臺北", "臺北", "zh-Hant"),
        ("اشترك الشمال", "الشمال", "ar"),
        ("JOIN", "", None),
    ],
)
def test_join_is_followed_by_a_place(text: str, place: str, language: str | None):
    assert understand(text) == Command(Asked.JOIN, place, language)


@pytest.mark.parametrize(
    "text", ["", "   ", "hello", "end of the world", "cancel my taxi", "joint venture", "?!"]
)
def test_anything_else_is_not_understood(text: str):
    assert understand(text).asked is Asked.OTHER


@given(st.text(max_size=200))
def test_no_text_crashes(text: str):
    understand(text)
