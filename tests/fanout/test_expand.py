"""Expansion: everybody concerned once, nobody else, whatever happens in between."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest
import shapely
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerting.fanout import expand, failover
from alerting.store import expansion
from alerting.store.outbox import Dispatch
from bench import population
from tests.fanout.country import Country


def expand_all(size: int = 50, percent: float = 10) -> int:
    ranges = 0
    while expand.expand_next(lambda _: size, now=datetime.now(UTC), percent=percent):
        ranges += 1
    return ranges


def concerned(country: Country, channel: str) -> set[object]:
    """Address ids that the warning concerns, worked out the slow way: by region number and by shapely alone."""
    shape = population.polygon(4, 6)
    found = set()
    for address, region, lat, lon in country.rows(
        """SELECT a.id, f.region, f.lat, f.lon FROM address a JOIN follow f USING (subscriber)
           WHERE a.channel = :channel AND a.state = 'active'""",
        channel=channel,
    ):
        square = int(region) - 2  # type: ignore[call-overload]
        box = shapely.box(*(_corner := (10 + square % 10, 40 + square // 10)), _corner[0] + 1, _corner[1] + 1)
        by_code = square < 30
        if lat is None:
            inside = by_code or shapely.intersection(box, shape).area > 1e-3
        else:
            inside = by_code or bool(shapely.intersects_xy(shape, np.array([lon]), np.array([lat]))[0])
        if inside:
            found.add(address)
    return found


def test_everybody_concerned_is_planned_once_on_each_channel(country: Country) -> None:
    country.warn()
    expand_all()
    for channel in ("sms", "email"):
        planned = country.rows(
            "SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = :c",
            c=channel,
        )
        assert {row[0] for row in planned} == concerned(country, channel)
        assert len(planned) == len({row[0] for row in planned}) > 100


def test_the_walk_in_small_ranges_plans_the_same_people(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expansion, "FEW", 1)
    monkeypatch.setattr(expand, "RANGES", (7, 31))
    monkeypatch.setattr(expand, "MOST_RANGES", 1)
    country.warn()
    assert expand_all() > 50
    planned = {
        row[0]
        for row in country.rows(
            "SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms'"
        )
    }
    assert planned == concerned(country, "sms")


def test_thin_ranges_are_taken_together(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "FEW", 1)
    monkeypatch.setattr(expand, "RANGES", (7, 31))
    country.warn()
    assert expand_all() < 50
    assert country.tally_differs() == []
    planned = {
        row[0]
        for row in country.rows(
            "SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms'"
        )
    }
    assert planned == concerned(country, "sms")


def test_a_few_followers_in_a_nation_are_one_range(country: Country) -> None:
    country.warn()
    # Two segments, regions and points of each, two channels: the two segments' points by code have no cells to look up.
    assert expand_all() <= 12


def test_the_first_ranges_of_a_few_are_short_and_the_channels_take_turns(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "RANGES", (10, 20, 1_000))
    country.warn()
    highest = {"sms": [0], "email": [0]}
    for _ in range(8):  # the two feeds' dispatches are among them
        expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10)
        for channel, planned in country.rows("SELECT channel, planned FROM dispatch WHERE alert IS NOT NULL"):
            if channel in highest and planned != highest[str(channel)][-1]:
                highest[str(channel)].append(int(str(planned)))
    for first, second, third in (found[1:4] for found in highest.values()):
        assert 0 < first <= 10
        assert first < second <= first + 20
        assert third > second + 20
    expand_all()
    planned_sms = country.rows(
        "SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms'"
    )
    assert {row[0] for row in planned_sms} == concerned(country, "sms")


def test_the_tally_equals_the_rows_and_every_row_has_a_batch(country: Country) -> None:
    country.warn()
    expand_all(size=7)
    assert country.tally_differs() == []
    assert country.one("SELECT count(*) FROM batch WHERE n_to - n_from >= 7") == 0
    assert (
        country.one("""SELECT count(*) FROM delivery v WHERE
               (SELECT count(*) FROM batch b WHERE b.dispatch = v.dispatch AND v.n BETWEEN b.n_from AND b.n_to) <> 1""")
        == 0
    )


def test_a_stopped_or_dead_address_is_not_planned(country: Country) -> None:
    country.run(
        "UPDATE address SET state = CASE WHEN id % 2 = 0 THEN 'stopped' ELSE 'dead' END WHERE id <= 300"
    )
    country.warn()
    expand_all()
    assert country.one("SELECT count(*) FROM delivery WHERE address <= 300") == 0
    assert country.one("SELECT count(*) FROM delivery") > 100  # type: ignore[operator]


def test_the_floor_of_a_subscription_is_kept_and_unknown_severity_passes_it(country: Country) -> None:
    country.run("UPDATE follow SET floor = 4 WHERE subscriber <= 300")
    country.run("ALTER TABLE segment DISABLE TRIGGER segment_never_updated")
    country.warn()
    country.run("UPDATE segment SET severity = 3")
    expand._grounds.cache_clear()
    expand_all()
    assert country.one("SELECT count(*) FROM delivery WHERE address <= 300") == 0
    country.warn()
    country.run("UPDATE segment SET severity = 0")
    expand_all()
    assert country.one("SELECT count(*) FROM delivery WHERE address <= 300") > 50  # type: ignore[operator]
    country.run("ALTER TABLE segment ENABLE TRIGGER segment_never_updated")


def test_only_the_hazards_that_were_asked_for(country: Country) -> None:
    country.run(
        "UPDATE follow SET hazards = CASE WHEN subscriber % 2 = 0 THEN '{Met,Fire}'::text[] ELSE '{Fire}' END"
    )
    country.warn()
    expand_all()
    assert country.one("SELECT count(*) FROM delivery WHERE address % 2 = 1") == 0
    assert country.one("SELECT count(*) FROM delivery WHERE address % 2 = 0") > 50  # type: ignore[operator]


def test_people_of_the_exercise_list_hear_nothing_public(country: Country) -> None:
    country.run("UPDATE subscriber SET audience = 'exercise' WHERE id <= 300")
    country.warn()
    expand_all()
    assert country.one("SELECT count(*) FROM delivery WHERE address <= 300") == 0


def test_more_people_than_approved_put_the_dispatch_on_hold(country: Country) -> None:
    country.warn()
    country.run("UPDATE dispatch SET approved = 50")
    expand_all(percent=10)
    assert country.rows("SELECT DISTINCT state FROM dispatch") == [("held",)]
    assert country.one("SELECT count(*) FROM audit WHERE act = 'dispatch.held'") == 2


def test_as_many_people_as_approved_do_not(country: Country) -> None:
    country.warn()
    country.run("UPDATE dispatch SET approved = 400")
    expand_all(percent=0)
    assert country.rows("SELECT DISTINCT state FROM dispatch") == [("open",)]


def test_the_most_urgent_is_expanded_first(country: Country) -> None:
    minor, extreme = country.warn(priority=40), country.warn(priority=1)
    assert expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10)
    started: dict[UUID, int] = dict(country.rows("SELECT alert, max(ranges) FROM dispatch GROUP BY 1"))  # type: ignore[arg-type]
    assert started == {minor: 0, extreme: 1}


def test_those_reached_before_are_told_once_more_by_a_cancel(country: Country) -> None:
    country.warn()
    expand_all()
    country.run("UPDATE delivery SET status = 'accepted' WHERE n % 3 = 0")
    old = [row[0] for row in country.rows("SELECT id FROM dispatch WHERE channel = 'sms'")]
    cancel = country.warn()
    country.run(
        """UPDATE dispatch SET cursor_segment = 32767, recipients_of = :old, replaces = :old
           WHERE alert = :cancel AND channel = 'sms'""",
        cancel=cancel,
        old=old,
    )
    country.run(
        "UPDATE dispatch SET state = 'done' WHERE alert = :cancel AND channel = 'email'", cancel=cancel
    )
    expand_all()
    told = country.rows(
        "SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.alert = :a ORDER BY 1",
        a=cancel,
    )
    reached = country.rows(
        "SELECT address FROM delivery WHERE dispatch = ANY(:old) AND status = 'accepted' ORDER BY 1", old=old
    )
    assert told == reached != []


def test_a_cancel_waits_while_a_lease_of_the_cancelled_warning_stands(country: Country) -> None:
    first = country.warn()
    expand_all()
    country.run(
        """UPDATE batch SET state = 'leased', token = gen_random_uuid(), lease_until = now() + interval '10 s'
           WHERE id = (SELECT min(id) FROM batch)"""
    )
    second = country.warn()
    country.run(
        """UPDATE dispatch SET replaces = ARRAY(SELECT id FROM dispatch WHERE alert = :first) WHERE alert = :second""",
        first=first,
        second=second,
    )
    assert not expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10)
    country.run("UPDATE batch SET state = 'ready', token = NULL")
    assert expand.expand_next(lambda _: 50, now=datetime.now(UTC), percent=10)


def test_the_database_refuses_a_public_dispatch_of_an_exercise(country: Country) -> None:
    alert = country.warn()
    with pytest.raises(IntegrityError, match="dispatch_gate"):
        country.run(
            "UPDATE dispatch SET status = 'Exercise', workspace = 'exercise' WHERE alert = :a", a=alert
        )


def test_the_database_refuses_a_second_message_to_one_address(country: Country) -> None:
    country.warn()
    expand_all()
    with pytest.raises(IntegrityError, match="delivery_address_key"):
        country.run(
            """INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
               SELECT dispatch, n + 100000, address, segment, region, language, status FROM delivery LIMIT 1"""
        )


def test_whoever_was_only_told_that_it_no_longer_applies_is_not_told_of_its_end(country: Country) -> None:
    country.warn()
    expand_all()
    country.run(
        "UPDATE delivery SET status = 'accepted', segment = CASE WHEN n % 2 = 0 THEN -1 ELSE segment END"
    )
    old = [row[0] for row in country.rows("SELECT id FROM dispatch WHERE channel = 'sms'")]
    cancel = country.warn()
    country.run(
        "UPDATE dispatch SET cursor_segment = 32767, recipients_of = :old WHERE alert = :a AND channel = 'sms'",
        a=cancel,
        old=old,
    )
    country.run("UPDATE dispatch SET state = 'done' WHERE alert = :a AND channel = 'email'", a=cancel)
    expand_all()
    told = country.one(
        "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.alert = :a", a=cancel
    )
    assert (
        told
        == country.one("SELECT count(*) FROM delivery WHERE dispatch = ANY(:old) AND segment >= 0", old=old)
        != 0
    )


def test_a_warning_that_cannot_be_planned_is_held_and_stops_no_other(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    country.warn(squares=3)
    bad = country.one("SELECT max(id) FROM dispatch")
    real = expand._plan_range  # the one place that fails

    def planned(session: Session, dispatch: Dispatch, size: int, *, now: datetime, percent: float) -> None:
        if dispatch.id == bad:
            raise KeyError("a ground that nobody understands")
        real(session, dispatch, size, now=now, percent=percent)

    monkeypatch.setattr(expand, "_plan_range", planned)
    while expand.expand_next(lambda _: 1_000, now=datetime.now(UTC), percent=10):
        pass
    assert country.rows("SELECT id FROM dispatch WHERE state = 'held'") == [(bad,)]
    assert country.one("SELECT count(*) FROM dispatch WHERE state = 'planning'") == 0
    why = country.one("SELECT detail->>'why' FROM audit WHERE act = 'dispatch.held'")
    assert why == "its recipients cannot be worked out: KeyError"
    failover.hold("sms", int(str(bad)), "again", now=datetime.now(UTC))
    assert country.one("SELECT count(*) FROM audit WHERE act = 'dispatch.held'") == 1
