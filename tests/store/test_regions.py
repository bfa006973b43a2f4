"""Regions are found however they are written, and around every point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from alerting.store.regions import SHORE, Finder, name_key, name_keys, scheme_key, value_key


@pytest.mark.parametrize(
    "written",
    ["ISO3166-2", "iso3166-2", "ISO 3166-2", " ISO  3166-2 ", "ISO_3166-2", "iso-3166-2"],
)
def test_one_scheme_has_one_spelling(written: str) -> None:
    assert scheme_key(written) == "ISO3166-2"


def test_an_unknown_scheme_keeps_its_words_in_capitals() -> None:
    assert scheme_key("profile:CAP-CP:Location:0.3") == "PROFILE:CAP-CP:LOCATION:0.3"
    assert value_key(" fr-75 ") == "FR-75"


def test_names_are_compared_without_regard_to_case_width_and_blanks() -> None:
    assert name_key("  Straße\u3000ＡＢＣ ") == "strasse abc"
    assert name_keys("São Paulo") == {"são paulo", "sao paulo"}
    assert name_keys("安徽省") == {"安徽省"}


def test_the_smallest_region_around_a_point_wins() -> None:
    ids = np.array([1, 2, 3])
    shapes = np.array([shapely.box(0, 0, 10, 10), shapely.box(2, 2, 4, 4), shapely.box(10, 0, 20, 10)])
    finder = Finder(ids, shapes)
    assert finder.smallest([3, 5, 5, 5], [3, 5, 15, 25]) == [2, 1, 3, None]


def test_whoever_lives_on_the_shore_does_not_fall_off_the_map() -> None:
    finder = Finder(np.array([1, 2]), np.array([shapely.box(0, 0, 1, 1), shapely.box(1 + SHORE, 0, 2, 1)]))
    near, nearer_to_the_other, far = 1 + SHORE * 0.4, 1 + SHORE * 0.6, 2 + SHORE * 1.1
    assert finder.smallest([0.5, 0.5, 0.5], [near, nearer_to_the_other, far]) == [1, 2, None]


def test_nothing_is_around_a_point_where_there_are_no_regions() -> None:
    empty = Finder(np.array([], dtype=np.int64), np.array([], dtype=np.object_))
    assert empty.smallest([1.0], [2.0]) == [None]
