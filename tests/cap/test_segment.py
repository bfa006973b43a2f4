"""Infos as the languages of segments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.segment import canonical_language, segments
from tests.cap import made


def layout(*infos: m.Info) -> list[tuple[tuple[int, ...], tuple[str, ...]]]:
    return [(segment.infos, segment.languages) for segment in segments(made.alert(*infos))]


def test_languages_of_one_warning_are_one_segment() -> None:
    french = made.info(language="fr", event="Crue", area=(made.area(area_desc="Plaine"),), headline=None)
    assert layout(made.info(), french) == [((0, 1), ("en-GB", "fr"))]


@pytest.mark.parametrize(
    "change",
    [
        {"severity": m.Severity.EXTREME},
        {"urgency": m.Urgency.FUTURE},
        {"certainty": m.Certainty.LIKELY},
        {"category": (m.Category.GEO,)},
        {"expires": made.SENT + timedelta(hours=7)},
        {"effective": made.SENT + timedelta(minutes=1)},
        {"area": (made.area(polygon=("1,1 1,2 2,2 1,1",)),)},
        {"area": (made.area(circle=("1,1 5",)),)},
        {"area": (made.area(geocode=()),)},
        {"area": (made.area(geocode=()), replace(made.area(), polygon=()))},
        {"area": ()},
    ],
)
def test_another_target_or_rank_is_another_segment(change: dict[str, Any]) -> None:
    assert layout(made.info(), made.info(language="fr", **change)) == [((0,), ("en-GB",)), ((1,), ("fr",))]


def test_sets_are_compared_not_sequences() -> None:
    codes = (m.NamedValue("FIPS", "1"), m.NamedValue("FIPS", "2"))
    first = made.info(category=(m.Category.MET, m.Category.GEO), area=(made.area(geocode=codes),))
    second = replace(
        first,
        language="fr",
        category=(m.Category.GEO, m.Category.MET, m.Category.GEO),
        area=(made.area(geocode=codes[::-1], polygon=(made.SQUARE.replace(" ", "  "),)),),
    )
    assert len(layout(first, second)) == 1


def test_effective_defaults_to_sent_and_instants_are_compared() -> None:
    first, second = made.info(effective=None), made.info(language="fr", effective=made.SENT.astimezone(UTC))
    (segment,) = segments(made.alert(first, second))
    assert segment.effective == made.SENT


def test_a_language_that_comes_again_opens_the_next() -> None:
    english, french = made.info(), made.info(language="fr")
    assert layout(english, french, english, french) == [((0, 1), ("en-GB", "fr")), ((2, 3), ("en-GB", "fr"))]
    assert layout(english, english, french) == [((0, 2), ("en-GB", "fr")), ((1,), ("en-GB",))]
    assert len(layout(made.info(language=None), made.info(language="en-us"))) == 2


def test_a_segment_says_what_its_first_info_says() -> None:
    (segment,) = segments(made.alert())
    info = made.info()
    assert (segment.n, segment.expires, segment.onset, segment.area) == (
        0,
        info.expires,
        info.onset,
        info.area,
    )
    assert (segment.urgency, segment.severity, segment.certainty) == (
        info.urgency,
        info.severity,
        info.certainty,
    )


def test_no_info_is_no_segment() -> None:
    assert segments(made.alert(info=())) == ()


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [(None, "en-US"), ("zh-tw", "zh-TW"), ("EN", "en"), ("es-419", "es-419"), ("not a tag", "not a tag")],
)
def test_tags_have_one_form(tag: str | None, canonical: str) -> None:
    assert canonical_language(tag) == canonical


@given(made.alerts)
def test_every_info_is_in_one_segment_and_no_language_twice(alert: m.Alert) -> None:
    made_of = segments(alert)
    assert sorted(i for segment in made_of for i in segment.infos) == list(range(len(alert.info)))
    assert [segment.n for segment in made_of] == list(range(len(made_of)))
    assert [segment.infos[0] for segment in made_of] == sorted(segment.infos[0] for segment in made_of)
    for segment in made_of:
        assert len(set(segment.languages)) == len(segment.languages) == len(segment.infos)
