"""What changed between a warning and its update, said once and in words."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.cap import model as m
from alerting.cap.difference import Change, Kind, difference
from alerting.cap.difference.change import lasting, rewording
from alerting.cap.jsonform import canonical
from alerting.cap.xml import read
from tests.cap import made

NORTH = "11,20 11,21 12,21 12,20 11,20"


def _changes(before: m.Info, after: m.Info) -> tuple[Change, ...]:
    return difference(made.alert(before), made.alert(after))


def _only(**changes: Any) -> Change:
    (change,) = _changes(made.info(), made.info(**changes))
    return change


def _moved(*areas: m.Area) -> list[str]:
    return [change.message for change in _changes(made.info(), made.info(area=areas))]


def test_a_warning_does_not_differ_from_itself() -> None:
    assert difference(made.alert(), made.alert()) == ()


def test_an_update_is_told_element_by_element() -> None:
    before = made.alert()
    after = made.alert(
        identifier="river-2026-2",
        sent=made.SENT + timedelta(hours=1),
        msg_type=m.MsgType.UPDATE,
        references=made.naming(before),
    )
    assert [change.message for change in difference(before, after)] == [
        'identifier: "river-2026-1" -> "river-2026-2"',
        "sent 1 h later: 2026-03-01T09:00:00+08:00 -> 2026-03-01T10:00:00+08:00",
        "msgType: Alert -> Update",
        'references added: "river.example,river-2026-1,2026-03-01T09:00:00+08:00"',
    ]


@pytest.mark.parametrize(
    ("severity", "kind"),
    [
        (m.Severity.EXTREME, Kind.RAISED),
        (m.Severity.MINOR, Kind.LOWERED),
        (m.Severity.UNKNOWN, Kind.CHANGED),
    ],
)
def test_severity_goes_up_or_down_and_unknown_is_no_step(severity: m.Severity, kind: Kind) -> None:
    change = _only(severity=severity)
    assert (change.kind, change.field, change.old, change.new) == (kind, "severity", "Severe", severity)
    assert change.before == change.after == ("info", 0, "severity")


def test_urgency_and_certainty_have_a_direction_too() -> None:
    assert _only(urgency=m.Urgency.FUTURE).kind is Kind.LOWERED
    assert _changes(made.info(certainty=m.Certainty.LIKELY), made.info())[0].kind is Kind.RAISED


def test_times_say_by_how_much_they_moved() -> None:
    change = _only(expires=made.SENT + timedelta(hours=33, minutes=20))
    assert change.kind is Kind.LATER
    assert change.message.startswith("expires 1 d 3 h later: 2026-03-01T15:00:00+08:00 -> ")
    assert _only(onset=made.SENT).message.startswith("onset 1 h earlier: ")
    assert _only(expires=None).kind is Kind.REMOVED
    assert (_only(expires=None).after, _only(expires=None).new) == (None, None)


def test_the_same_moment_in_another_zone_is_no_change() -> None:
    info = made.info()
    assert info.expires is not None
    assert _changes(info, replace(info, expires=info.expires.astimezone(UTC))) == ()


def test_an_absent_effective_is_the_time_of_sending() -> None:
    assert _changes(made.info(), made.info(effective=None)) == ()
    later = made.alert(made.info(effective=None), sent=made.SENT + timedelta(hours=1))
    assert [change.field for change in difference(made.alert(), later)] == ["sent"]
    late = _only(effective=made.SENT + timedelta(minutes=5))
    assert late.message.startswith("effective 5 min later")


def test_texts_that_come_and_go_are_quoted() -> None:
    assert _only(instruction=None).message == 'instruction removed: "Go to high ground."'
    assert _only(audience="Farmers").message == 'audience added: "Farmers"'
    assert _changes(made.info(), made.info(headline="  The river rises\n")) == ()


def test_of_long_texts_only_what_differs_is_quoted() -> None:
    long = "The river will flood the plain within the hour. " * 4
    said = rewording(long + "Leave now. Go north.", long + "Leave at once. Go north.")
    assert said == '"… now. …" -> "… at once. …"'
    assert rewording(long, long.replace(" ", "\n")) == "only blanks and line breaks differ"
    assert len(rewording("洪水" * 500, "洪" * 1000)) < 250


def test_codes_and_parameters_are_compared_by_name_in_any_order() -> None:
    one, two = m.NamedValue("CMAMtext", "Flood"), m.NamedValue("EAS-ORG", "WXR")
    before = made.info(parameter=(one, two))
    assert _changes(before, made.info(parameter=(two, one))) == ()
    (change,) = _changes(before, made.info(parameter=(two, m.NamedValue("CMAMtext", "Flood now"))))
    assert change.message == 'parameter CMAMtext: "Flood" -> "Flood now"'
    assert (change.before, change.after) == (("info", 0, "parameter", 0), ("info", 0, "parameter", 1))
    assert [change.message for change in _changes(made.info(), before)] == [
        'parameter added: "CMAMtext Flood"',
        'parameter added: "EAS-ORG WXR"',
    ]


def test_files_are_compared_by_their_description() -> None:
    map_, siren = m.Resource("map", "image/png", size=5), m.Resource("siren", "audio/mpeg")
    bigger = replace(map_, size=6)
    changes = _changes(made.info(resource=(map_,)), made.info(resource=(siren, bigger)))
    assert [change.message for change in changes] == ['size: "5" -> "6"', 'resource added: "siren"']
    assert changes[0].after == ("info", 0, "resource", 1, "size")


# ---- ground ----


def test_ground_that_came_and_went_is_measured() -> None:
    wider = made.area(polygon=("10,20 10,22 11,22 11,20 10,20",))
    assert _moved(wider) == ['area "River plain": 12,108 km2 added (12,108 km2 -> 24,216 km2)']
    moved = made.area(polygon=("10,20.5 10,21.5 11,21.5 11,20.5 10,20.5",))
    assert _moved(moved) == [
        'area "River plain": 6,054 km2 added, 6,054 km2 removed (12,108 km2 -> 12,108 km2)'
    ]


def test_areas_that_are_new_or_gone_are_named_and_the_whole_is_summed_up() -> None:
    delta = made.area(area_desc="Delta", polygon=(NORTH,), geocode=())
    assert _moved(made.area(), delta) == [
        "ground in all: 12,068 km2 added (12,108 km2 -> 24,176 km2)",
        'area added: "Delta" (12,068 km2)',
    ]
    back = [change.message for change in _changes(made.info(area=(made.area(), delta)), made.info())]
    assert back[-1] == 'area removed: "Delta" (12,068 km2)'


def test_an_area_cut_in_two_is_the_same_ground_in_all() -> None:
    west = made.area(area_desc="West", polygon=("10,20 10,20.5 11,20.5 11,20 10,20",), geocode=())
    east = made.area(area_desc="East", polygon=("10,20.5 10,21 11,21 11,20.5 10,20.5",), geocode=())
    assert [message for message in _moved(west, east) if message.startswith("ground")] == []


def test_the_same_border_with_other_points_is_said_to_be_the_same_ground() -> None:
    redrawn = made.area(polygon=("11,21 11,20 10,20 10,20.5 10,21 11,21",))
    assert _moved(redrawn) == ['area "River plain": drawn with other points, the same ground']


def test_a_border_that_moved_by_less_than_a_hand_is_the_same() -> None:
    rounded = made.area(polygon=("10,20 10,21 11,21 11,20.00000001 10,20",))
    assert _moved(rounded) == ['area "River plain": drawn with other points, the same ground']


def test_the_only_area_left_on_either_side_is_the_same_one_elsewhere() -> None:
    assert _moved(made.area(area_desc="Delta", polygon=(NORTH,), geocode=())) == [
        'area "Delta": areaDesc: "River plain" -> "Delta"',
        'area "Delta": geocode removed: "FIPS 12345"',
        'area "Delta": 12,068 km2 added, 12,108 km2 removed (12,108 km2 -> 12,068 km2)',
    ]


def test_areas_without_a_code_are_not_matched_by_having_none() -> None:
    def areas(*names: str, dx: int) -> tuple[m.Area, ...]:
        return tuple(
            m.Area(name, polygon=(f"0,{n + dx} 1,{n + dx} 1,{n + dx + 1} 0,{n + dx}",))
            for n, name in enumerate(names)
        )

    before, after = areas("A", "B", dx=0), areas("C", "D", dx=9)
    changes = _changes(made.info(area=before), made.info(area=after))
    assert [change.message.split(" (")[0] for change in changes[1:]] == [
        'area removed: "A"',
        'area removed: "B"',
        'area added: "C"',
        'area added: "D"',
    ]


def _comb(*, upright: bool) -> str:
    teeth: list[tuple[float, float]] = [(0, 0)]
    for n in range(400):
        teeth += [(1, n / 400), (1, (n + 0.4) / 400), (0.001, (n + 0.4) / 400), (0.001, (n + 0.9) / 400)]
    teeth += [(0, 1), (0, 0)]
    return " ".join(f"{x:.5f},{y:.5f}" if upright else f"{y:.5f},{x:.5f}" for x, y in teeth)


def test_two_combs_are_not_cut_with_each_other() -> None:
    """They cross each other 640 000 times in 30 kB: cutting them would take minutes."""
    one, other = (made.area(polygon=(_comb(upright=upright),)) for upright in (True, False))
    (change,) = _changes(made.info(area=(one,)), made.info(area=(other,)))
    assert change.message == 'area "River plain": drawn anew, with more crossings than can be measured'


def test_codes_of_an_area_are_compared_as_codes() -> None:
    renamed = made.area(geocode=(m.NamedValue("FIPS", "54321"),))
    assert _moved(renamed) == ['area "River plain": geocode FIPS: "12345" -> "54321"']


def test_ground_over_the_antimeridian_is_measured_once() -> None:
    fiji = made.area(polygon=("-18,179 -18,-179 -17,-179 -17,179 -18,179",))
    wider = made.area(polygon=("-18,178 -18,-179 -17,-179 -17,178 -18,178",))
    (change,) = _changes(made.info(area=(fiji,)), made.info(area=(wider,)))
    assert change.message.startswith('area "River plain": 11,7')


# ---- languages and segments ----


def test_infos_are_matched_by_language_whatever_their_order() -> None:
    english, french = made.info(), made.info(language="fr", headline="La crue vient")
    assert difference(made.alert(english, french), made.alert(french, english)) == ()


def test_what_all_languages_share_is_said_once() -> None:
    def both(**changes: Any) -> m.Alert:
        return made.alert(made.info(**changes), made.info(language="fr", event="Crue", **changes))

    (change,) = difference(both(), both(severity=m.Severity.EXTREME))
    assert change.languages == ("en-GB", "fr")


def test_a_language_more_is_new_and_a_language_less_is_gone() -> None:
    english, french = made.info(), made.info(language="fr", event="Crue")
    (new,) = difference(made.alert(english), made.alert(english, french))
    assert (new.kind, new.after, new.message) == (Kind.ADDED, ("info", 1), 'new: "Crue", Severe, 1 area')
    (gone,) = difference(made.alert(english, french), made.alert(english))
    assert (gone.kind, gone.before, gone.languages) == (Kind.REMOVED, ("info", 1), ("fr",))
    assert {change.kind for change in difference(made.alert(english), made.alert(french))} == {
        Kind.ADDED,
        Kind.REMOVED,
    }


def test_blocks_of_one_language_are_matched_by_what_they_are_about() -> None:
    flood = made.info()
    wind = made.info(event="Wind", area=(made.area(area_desc="Coast", polygon=(NORTH,)),))
    worse = replace(wind, severity=m.Severity.EXTREME)
    (change,) = difference(made.alert(flood, wind), made.alert(worse, flood))
    assert (change.before, change.after) == (("info", 1, "severity"), ("info", 0, "severity"))


# ---- everything ----


def _any_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _any_order(part) for key, part in value.items()}
    if isinstance(value, list):
        return sorted((_any_order(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
    return value


@st.composite
def _edited(draw: st.DrawFn) -> tuple[m.Alert, m.Alert]:
    """An alert, and the same with one element of it or of its first info taken from another."""
    alert, other = draw(made.alerts), draw(made.alerts)
    inside: bool = draw(st.booleans())  # type: ignore[arg-type] # the stubs bind the type of the first draw
    if alert.info and other.info and inside:
        name = draw(st.sampled_from([field.name for field in fields(m.Info)]))
        first = replace(alert.info[0], **{name: getattr(other.info[0], name)})
        return alert, replace(alert, info=(first, *alert.info[1:]))
    name = draw(st.sampled_from([field.name for field in fields(m.Alert)]))
    return alert, replace(alert, **{name: getattr(other, name)})


@given(_edited())
def test_no_change_is_overlooked_and_none_made_up(pair: tuple[m.Alert, m.Alert]) -> None:
    before, after = pair
    equal = _any_order(canonical(before)) == _any_order(canonical(after))
    changes = difference(before, after)
    if equal:
        assert changes == ()
    elif before.sent == after.sent:
        assert changes != ()
    for change in changes:
        assert change.message
        assert "\n" not in change.message


def test_a_span_is_said_in_its_two_largest_units() -> None:
    assert lasting(timedelta(days=1, hours=3, minutes=7)) == "1 d 3 h"
    assert lasting(-timedelta(minutes=90)) == "1 h 30 min"
    assert lasting(timedelta(0)) == "0 s"


def test_real_documents_are_compared_without_a_crash(shared_path: Path) -> None:
    alerts = [
        alert
        for file in sorted((shared_path / "cap" / "corpus" / "valid").glob("*.xml"))
        if (alert := read(file.read_bytes()).alert) is not None
    ]
    assert len(alerts) > 100
    for alert, following in pairwise(alerts):
        assert difference(alert, alert) == ()
        alike = _any_order(canonical(alert)) == _any_order(canonical(following))
        assert (difference(alert, following) == ()) is alike
