from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.wording import sms
from alerting.wording.sms import Encoding

FAMILY = "👩‍👩‍👧"  # one grapheme, eight 16-bit units


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("é" * 160, 1),
        ("ç" * 70, 1),  # only the capital Ç is in GSM 03.38
        ("ç" * 71, 2),
        ("中" * 70, 1),
        ("中" * 134, 2),
        ("中" * 135, 3),
        ("a" * 69 + "😀", 2),
    ],
)
def test_segments_are_those_of_the_two_alphabets(text: str, segments: int) -> None:
    assert sms.segments(text) == segments


def test_an_escape_pair_is_not_divided_between_segments() -> None:
    # 152 letters leave one septet of the first segment, and € needs two.
    assert sms.segments("a" * 152 + "€" + "a" * 151) == 2
    assert sms.segments("a" * 152 + "€" + "a" * 152) == 3


def test_a_grapheme_is_not_divided_between_segments() -> None:
    assert sms.segments("中" * 60 + FAMILY + "中" * 59) == 2
    assert sms.segments("中" * 60 + FAMILY + "中" * 60) == 3


def test_a_heap_of_marks_longer_than_a_segment_is_counted() -> None:
    assert sms.segments("e" + "\u0301" * 200) == 3


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("“Flood” – the river’s bank…", '"Flood" - the river\'s bank...'),
        ("6:00\u202fPM", "6:00 PM"),
        ("«crue»", '"crue"'),
        ("“洪水”", "“洪水”"),  # it would stay UCS-2: nothing is won
        ("“fenêtre”", "“fenêtre”"),  # letters are never changed
    ],
)
def test_typography_gives_way_only_where_it_makes_a_text_gsm(written: str, plain: str) -> None:
    assert sms.plain(written) == plain


@pytest.mark.parametrize(
    "grapheme", ["e\u0301", "क्षि", "🇫🇷", FAMILY, "각", "\u1100\u1161\u11a8", "ก็", "👍🏽", "✈️", "🏴󠁧󠁢󠁷󠁬󠁳󠁿"]
)
def test_what_a_reader_takes_for_one_character_is_one(grapheme: str) -> None:
    assert sms.graphemes(f"x{grapheme}y") == ["x", grapheme, "y"]


def test_flags_are_pairs() -> None:
    assert sms.graphemes("🇫🇷🇩🇪") == ["🇫🇷", "🇩🇪"]


@given(st.text(alphabet="ab é€^中😀\u0301\u200d🇫🇷क्ष\n", max_size=60), st.integers(-2, 70))
def test_shortening_keeps_whole_graphemes_and_the_bound(text: str, most: int) -> None:
    whole, kept = sms.graphemes(text), sms.shorten(text, most)
    assert len(sms.graphemes(kept)) <= max(0, most)
    if len(whole) <= most:
        assert kept == text
    elif most > 1:
        stem = sms.graphemes(kept.removesuffix("…"))
        assert stem == whole[: len(stem)]


def test_shortening_ends_at_a_word() -> None:
    assert sms.shorten("the river rises quickly", 20) == "the river rises…"
    assert sms.shorten("河水正在快速上涨并且越过堤坝", 8) == "河水正在快速上…"
    assert sms.shorten("abc", 2, ellipsis="...") == ".."


@given(st.text(max_size=400))
def test_segments_hold_what_is_in_them(text: str) -> None:
    alphabet = sms.encoding(text)
    lone, part = sms.CAPACITY[alphabet]
    count = sms.segments(text)
    assert sms.size(text, alphabet) <= (lone if count == 1 else part * count)


def test_the_alphabet_is_known() -> None:
    assert sms.encoding("Flood [A] {b} ~ 10€") is Encoding.GSM7
    assert sms.encoding("Inundación") is Encoding.UCS2
