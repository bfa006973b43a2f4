"""The numbering of the tree answers who is below whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.gazetteer import tree


@given(st.lists(st.integers(0, 30), max_size=30))
def test_a_region_lies_below_another_exactly_when_its_number_lies_inside(above: list[int]) -> None:
    parents: dict[str, str | None] = {
        f"r{n}": f"r{a % n}" if n and a % 3 else None for n, a in enumerate(above)
    }
    numbers = tree.number(parents)
    for low, parent in parents.items():
        line, code = {low}, parent
        while code is not None:
            line.add(code)
            code = parents[code]
        for high in parents:
            inside = numbers[high][0] <= numbers[low][0] <= numbers[high][1]
            assert inside == (high in line)


def test_regions_that_are_above_themselves_are_named_and_those_below_them_are_not() -> None:
    with pytest.raises(tree.Circle) as circle:
        tree.number({"a": "b", "b": "c", "c": "a", "below": "a", "apart": None})
    assert circle.value.codes == ["a", "b", "c"]


def test_a_country_is_named_in_every_language_of_the_service() -> None:
    names = tree.country_names("CN", "PRC")
    assert names == {
        "en": "China",
        "zh-Hans": "中国",
        "zh-Hant": "中國",
        "es": "China",
        "fr": "Chine",
        "ar": "الصين",
    }
    assert tree.country_names("QX", "Quixotia") == {"en": "Quixotia"}
