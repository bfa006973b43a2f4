"""A term is found by its code and by what somebody types, best match first."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.cap import vocabulary
from alerting.cap.vocabulary import SCHEMES, search, term
from alerting.cap.vocabulary.catalogue import every_term


def codes(query: str, **options: object) -> list[str]:
    return [found.code for found in search(query, **options)]  # type: ignore[arg-type] # the tests name them well


def test_an_exact_code_comes_before_everything() -> None:
    assert codes("tor")[0] == "TOR"
    assert codes("tor")[1:3] == ["OET-196", "tornado"]
    assert codes("tornado")[:3] == ["tornado", "tornado", "OET-196"]
    assert codes("OET-079") == ["OET-079"]
    assert codes("oet 079") == ["OET-079"]


def test_an_exact_name_comes_before_a_beginning_and_a_beginning_before_a_word() -> None:
    assert codes("storm", scheme="OET")[:5] == ["OET-187", "OET-188", "OET-189", "OET-109", "OET-066"]
    assert codes("weather", scheme="OET")[:2] == ["OET-216", "OET-044"]


def test_a_word_of_a_name_comes_before_one_of_a_group() -> None:
    found = codes("storm", scheme="OET")
    assert found.index("OET-202") < found.index("OET-051")
    assert codes("thunderstorm", scheme="OET") == ["OET-194", "OET-122"]


def test_among_equal_matches_the_shorter_comes_first() -> None:
    assert codes("ice", scheme="OET")[:3] == ["OET-107", "OET-110", "OET-109"]


def test_every_word_must_begin_a_word_in_any_order() -> None:
    assert codes("flood flash", scheme="SAME") == ["FFA", "FFW", "FFS"]
    assert codes("warn flash flo", scheme="SAME") == ["FFW"]
    assert codes("ood", scheme="OET") == []
    assert codes("flash unheard", scheme="SAME") == []


def test_a_code_in_humps_is_found_by_its_words() -> None:
    assert codes("wnd frc", scheme="CAP-AU") == ["HurricFrcWnd"]
    assert codes("flashflood", scheme="CAP-AU") == ["flashFlood"]


@pytest.mark.parametrize("query", ["tempête", "TEMPETE", "vent  de TempÊte", "ｖｅｎｔ"])
def test_case_accents_and_width_do_not_count(query: str) -> None:
    assert codes(query, language="fr") == ["storm"]


def test_chinese_is_found_anywhere_in_a_name() -> None:
    assert codes("卫生") == ["public-health"]
    assert codes("重大") == ["II", "I"]
    assert codes("红") == ["I"]
    assert codes("洩洪") == ["ReservoirDis"]


def test_an_example_of_a_class_finds_the_class() -> None:
    assert codes("台风") == ["natural-disaster"]
    assert codes("食品") == ["public-health"]


def test_language_keeps_the_terms_that_have_a_name_in_it() -> None:
    assert codes("", language="fr-CA") == ["snowfall", "storm", "thunderstorm"]
    assert codes("", language="zh-TW") == ["ReservoirDis"]
    assert len(search("", language="zh-CN")) == 8
    assert len(search("", language="zh")) == 9
    assert codes("neige", language="en") == []


def test_codes_are_found_in_every_language_that_the_term_has() -> None:
    assert codes("snowfall", language="fr") == ["snowfall"]
    assert codes("FFW", language="fr") == []


def test_an_empty_query_lists_a_scheme_in_order() -> None:
    assert codes(" ", scheme="CN-GRADE") == ["I", "II", "III", "IV"]
    assert codes("", scheme="OET", limit=2) == ["OET-000", "OET-001"]


def test_a_term_is_known_by_the_value_name_of_a_real_document_too() -> None:
    flash_flood = term("OET", "OET-079")
    assert flash_flood is not None
    assert flash_flood is term("oet:V1.2", "oet-079")
    names = ("AUeventLIST1.0", "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0:AUeventLIST:1.0")
    for name in names:
        assert term(name, "bushFire") is term("CAP-AU", "bushFire") is not None
    assert term("profile:CAP-CP:Event:0.4", "thunderstorm") is term("CAP-CP", "thunderstorm") is not None


def test_a_code_or_a_scheme_that_is_not_there_is_no_term() -> None:
    assert term("SAME", "XXX") is None
    assert term("XXX", "TOR") is None
    assert term("SAME", "") is None


def test_what_cannot_be_asked_is_told() -> None:
    with pytest.raises(ValueError, match="use one of OET, SAME"):
        search("flood", scheme="XXX")
    with pytest.raises(ValueError, match="language tag"):
        search("flood", language="no such tag")
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="1 to 1000"):
            search("flood", limit=limit)


@given(st.text(max_size=40))
def test_any_text_can_be_asked_and_answers_the_same_twice(query: str) -> None:
    assert search(query) == search(query)
    assert len(search(query, limit=3)) <= 3


@given(st.sampled_from(every_term()))
def test_every_term_is_found_first_by_its_code_in_its_scheme_and_by_each_of_its_names(
    wanted: vocabulary.Term,
) -> None:
    assert search(wanted.code, scheme=wanted.scheme)[0] == wanted
    assert term(wanted.scheme, wanted.code) == wanted
    for language, name in wanted.names:
        assert wanted in search(name, scheme=wanted.scheme, language=language)


def test_every_scheme_has_terms() -> None:
    for scheme in SCHEMES:
        assert search("", scheme=scheme)


def test_importing_it_loads_no_framework() -> None:
    code = (
        "import sys, alerting.cap.vocabulary\n"
        "sys.exit(' '.join({'django', 'flask', 'sqlalchemy', 'marshmallow', 'redis'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
