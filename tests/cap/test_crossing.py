"""Polygons made to cross as often as they can are told apart before anything is cut, and overlaps are found."""

from __future__ import annotations

import math
import time

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from alerting.cap.area import ground
from alerting.cap.crossing import overlapping, scribbled, tangled
from alerting.cap.limits import LIMITS
from alerting.cap.rules import check
from tests.cap import made

TEETH = 4_000


def comb(*, lying: bool) -> list[tuple[float, float]]:
    """A ring whose teeth run from 0 to 10 in one direction."""
    teeth = [((n % 2) * 10.0, n / TEETH * 10) for n in range(TEETH)]
    ring = [*teeth, (-1.0, 10.0), (-1.0, 0.0), teeth[0]]
    return ring if lying else [(y, x) for x, y in ring]


def written(ring: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.5f},{y:.5f}" for x, y in ring)


def test_two_combs_are_tangled_and_neither_is_alone() -> None:
    one, other = Polygon(comb(lying=True)), Polygon(comb(lying=False))
    assert tangled([one, other])
    assert not tangled([one])


def test_a_coast_is_not_tangled() -> None:
    turns = [2 * math.pi * n / 40_000 for n in range(40_000)]
    coast = Polygon(
        [((5 + math.sin(40 * a)) * math.cos(a), (5 + math.sin(40 * a)) * math.sin(a)) for a in turns]
    )
    assert not tangled([coast])


def test_tangled_polygons_have_no_ground_and_are_reported_at_once() -> None:
    area = made.area(polygon=(written(comb(lying=True)), written(comb(lying=False))))
    began = time.process_time()
    assert ground(area) is None
    findings = check(made.alert(made.info(area=(area,))))
    assert time.process_time() - began < 2
    assert [finding.rule for finding in findings if finding.rule.startswith("G")] == ["G-09"]


def test_a_ring_that_crosses_itself_too_often_has_no_ground() -> None:
    crossed = [*comb(lying=True)[:TEETH], *comb(lying=False)[:TEETH], comb(lying=True)[0]]
    assert ground(made.area(polygon=(written(crossed),))) is None


def zigzag(points: int) -> list[tuple[float, float]]:
    """A ring that goes to and fro first in one direction, then across what it drew."""
    there = [(10.0 + n % 2, 10 + n / points) for n in range(points)]
    across = [(10 + n / points, 10.0 + n % 2) for n in range(points)]
    return [*there, *across, there[0]]


def test_a_scribble_of_few_points_has_no_ground_and_costs_nothing() -> None:
    """Six hundred points cross 90 000 times: mending that takes 14 s."""
    assert scribbled(Polygon(zigzag(299)))
    began = time.process_time()
    assert ground(made.area(polygon=(written(zigzag(299)),))) is None
    assert time.process_time() - began < 1


def test_many_scribbles_cost_no_more_than_one() -> None:
    turned = [written([(x + n / 1000, y) for x, y in zigzag(150)]) for n in range(150)]
    began = time.process_time()
    assert ground(made.area(polygon=tuple(turned))) is None
    assert time.process_time() - began < 2


def test_very_many_crossing_polygons_have_no_ground() -> None:
    bow = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]
    bows = [written([(x, y + n / 10) for x, y in bow]) for n in range(800)]
    assert ground(made.area(polygon=tuple(bows))) is None
    assert ground(made.area(polygon=tuple(bows[:200]))) is not None


def test_a_star_and_a_chain_of_bows_are_no_scribbles() -> None:
    star = [(math.sin(4 * math.pi * n / 5), math.cos(4 * math.pi * n / 5)) for n in range(6)]
    assert not scribbled(Polygon(star))
    bows = [(n, (n % 2) * 1.0) for n in range(1_000)] + [(n, 1.0 - n % 2) for n in reversed(range(1_000))]
    assert not scribbled(Polygon([*bows, bows[0]]))


def test_more_circles_than_the_limit_have_no_ground() -> None:
    """Each of them costs milliseconds; the same circle in every language is one."""
    many = tuple(f"1,{n / 10} 2" for n in range(LIMITS.circles + 1))
    assert ground(made.area(circle=many)) is None
    assert ground(made.area(circle=many[1:] * 3)) is not None
    found = check(made.alert(made.info(area=(made.area(circle=many),))))
    assert [(each.rule, each.path) for each in found if each.rule == "G-10"] == [("G-10", "/alert/info")]


def test_overlaps_are_found_and_borders_are_none() -> None:
    boxes: list[BaseGeometry] = [shapely.box(n, 0, n + 1, 1) for n in range(12)]
    assert list(overlapping(boxes, 1_000)) == []
    assert list(overlapping([*boxes, shapely.box(3.5, 0.2, 3.6, 0.3)], 1_000)) == [12]


def test_comparing_has_a_bound() -> None:
    """Nested corners: every box holds the next, and no two polygons share ground."""
    corners: list[BaseGeometry] = [
        Polygon([(a, a), (50, a), (50, a + 0.001), (a + 0.001, a + 0.001), (a + 0.001, 50), (a, 50)])
        for a in (n * 0.003 for n in range(6_000))
    ]
    assert not tangled(corners)
    began = time.process_time()
    assert list(overlapping(corners, 1_000)) == []
    assert time.process_time() - began < 3
