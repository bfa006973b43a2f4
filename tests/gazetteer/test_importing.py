"""A region file becomes rows, whole or not at all, and again without a change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from alerting import gazetteer
from alerting.store import audit, regions
from alerting.store.engine import transaction

from .conftest import Bring, feature, square

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def ids() -> dict[str, int]:
    with transaction() as session:
        return {row.code: row.id for row in regions.listing(session, after="", limit=10_000)}


def follow_point(lat: float, lon: float) -> None:
    with transaction() as session:
        session.execute(
            text("""
                WITH s AS (INSERT INTO subscriber (language, token, source, consent_at)
                           VALUES ('en', md5(random()::text), 'api', now()) RETURNING id)
                INSERT INTO follow (subscriber, region, lat, lon, cell) SELECT id, :region, :lat, :lon, 0 FROM s
            """),
            {"region": regions.smallest_at(session, lat, lon), "lat": lat, "lon": lon},
        )


def follow_region(code: str) -> None:
    with transaction() as session:
        session.execute(
            text("""
                WITH s AS (INSERT INTO subscriber (language, token, source, consent_at)
                           VALUES ('en', md5(random()::text), 'api', now()) RETURNING id)
                INSERT INTO follow (subscriber, region) SELECT s.id, region.id FROM s, region WHERE code = :code
            """),
            {"code": code},
        )


def test_the_built_in_file_holds_the_world(database: str) -> None:
    first = gazetteer.import_builtin(actor="tester", now=NOW)
    assert first.created == 4489 + 240
    before = ids()
    again = gazetteer.import_builtin(actor="tester", now=NOW)
    assert (again.created, again.changed, again.removed) == (0, 0, 0)
    assert ids() == before
    assert gazetteer.ensure_builtin(actor="tester", now=NOW) is None
    with transaction() as session:
        anhui, china = regions.by_code(session, "cn-ah"), regions.by_code(session, "CN")
        assert anhui is not None
        assert china is not None
        assert anhui.parent == china.id
        assert anhui.name("zh-Hans") == "安徽省"
        assert regions.by_geocode(session, "ISO 3166-2", " cn-ah ") == [anhui]
        assert regions.by_geocode(session, "ISO3166-1", "CN") == [china]
        assert regions.by_name(session, "  ANHUI ") == [anhui]
        assert [found.code for found in regions.by_name(session, "parana")] == [
            "BR-PR"
        ]  # as telephones type it
        assert {found.code for found in regions.by_name(session, "georgia")} == {"GE", "US-GA"}
        paris = regions.smallest_at(session, 48.8566, 2.3522)
        assert paris is not None
        assert regions.of_ids(session, [paris])[paris].code == "FR-75"
        assert regions.smallest_at(session, 0, -30) is None
        assert audit.verify(session) is None


def test_an_import_by_a_mapping_takes_codes_names_and_schemes_from_their_properties(bring: Bring) -> None:
    done = bring(
        feature("aa-1", square(0, 0), ISO="x", nom="Un", nome="Uno", fips=["01001", "01003"], zone=7),
        code="code",
        under="AA",
        names=(("fr", "nom"), ("it", "nome")),
        geocodes=(("fips 6", "fips"), ("Zone", "zone")),
    )
    assert done == gazetteer.Imported(regions=2, created=2, changed=0, removed=0)
    with transaction() as session:
        (found,) = regions.by_geocode(session, "FIPS6-4", "01003")
        assert found.code == "AA-1"
        assert found.names == {"fr": "Un", "it": "Uno"}
        assert found.parent_code == "AA"
        assert found.box == (0, 0, 1, 1)
        assert regions.geocodes_of(session, found.id) == [
            ("FIPS6-4", "01001"),
            ("FIPS6-4", "01003"),
            ("ZONE", "7"),
        ]


def test_ids_follow_the_code_and_what_a_second_file_leaves_out_stays(bring: Bring) -> None:
    bring(feature("AA-1", square(0, 0), parent="AA", zone="7"), geocodes=(("ZONE", "zone"),))
    before = ids()
    done = bring(feature("AA-1", None, name="Renamed", other="9"), geocodes=(("OTHER", "other"),))
    assert (done.created, done.changed) == (0, 1)
    assert ids() == before
    with transaction() as session:
        (found,) = regions.by_geocode(session, "ZONE", "7")
        assert found.parent_code == "AA"
        assert found.has_geometry
        assert found.names == {"en": "Renamed"}
        assert regions.by_geocode(session, "OTHER", "9") == [found]
        assert regions.by_name(session, "Place AA-1") == []


def test_a_finer_level_takes_its_place_in_the_tree_and_the_points_that_lie_in_it(bring: Bring) -> None:
    bring(feature("AA-1", square(0, 0), parent="AA"), feature("AA-2", square(1, 0), parent="AA"))
    follow_point(0.2, 0.2)
    follow_point(0.8, 0.8)
    bring(feature("AA-1-A", square(0, 0, 0.5), parent="AA-1"))
    where = ids()
    with transaction() as session:
        assert regions.descendants(session, [where["AA"]]) == set(where.values())
        assert regions.ancestors(session, [where["AA-1-A"]]) == {where["AA-1"], where["AA"]}
        found = session.execute(text("SELECT region FROM follow ORDER BY id")).scalars().all()
        assert found == [where["AA-1-A"], where["AA-1"]]


def test_every_problem_is_named_and_nothing_is_imported(bring: Bring) -> None:
    with pytest.raises(gazetteer.Refused) as refused:
        bring(
            feature("AA-1", square(0, 0), parent="AA"),
            feature("AA-1", square(1, 0), parent="AA"),
            feature("", square(2, 0)),
            {"type": "Feature", "properties": {"code": "AA-4"}, "geometry": square(3, 0)},
            feature("AA-5", square(4, 0), time_zone="Europe/Atlantis"),
            feature("AA-6", square(5, 0), parent="AA-6"),
        )
    assert [problem.pointer for problem in refused.value.problems] == [
        "/features/2/properties/code",
        "/features/3/properties/names",
        "/features/4/properties/time_zone",
        "/features/5/properties/parent",
        "/features/1/properties/code",
    ]
    assert ids() == {}


def test_a_parent_that_nobody_knows_is_refused_unless_it_is_a_country(bring: Bring) -> None:
    with pytest.raises(gazetteer.Refused) as refused:
        bring(feature("AA-1-A", square(0, 0), parent="AA-1"), feature("AA-2", square(1, 0), parent="AA"))
    assert [problem.pointer for problem in refused.value.problems] == ["/features/0/properties/parent"]
    assert ids() == {}


def test_parents_in_a_circle_are_refused(bring: Bring) -> None:
    with pytest.raises(gazetteer.Refused) as refused:
        bring(feature("A", square(0, 0), parent="B"), feature("B", square(1, 0), parent="A"))
    assert len(refused.value.problems) == 2
    assert ids() == {}


def test_replacing_removes_what_the_file_does_not_hold(bring: Bring) -> None:
    bring(feature("AA-1", square(0, 0), parent="AA"), feature("AA-2", square(1, 0), parent="AA"))
    follow_point(0.5, 1.5)
    done = bring(feature("BB-1", square(1, 0), parent="BB"), replace_all=True)
    assert done.removed == 3
    where = ids()
    assert set(where) == {"BB", "BB-1"}
    with transaction() as session:
        assert session.execute(text("SELECT region FROM follow")).scalars().all() == [where["BB-1"]]


def test_a_region_that_somebody_follows_is_not_removed(bring: Bring) -> None:
    bring(feature("AA-1", square(0, 0), parent="AA"), feature("AA-2", square(1, 0), parent="AA"))
    follow_region("AA-2")
    with pytest.raises(gazetteer.Refused, match="AA-2, which 1 subscriptions follow"):
        bring(feature("BB-1", square(0, 0), parent="BB"), replace_all=True)
    assert set(ids()) == {"AA", "AA-1", "AA-2"}
