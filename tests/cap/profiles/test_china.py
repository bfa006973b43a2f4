"""China: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.cap import model as m
from alerting.cap.profiles.china_codes import BEIJING, GRADES, is_region, message_id
from alerting.cap.rules import Context, Mode
from alerting.cap.vocabulary import term
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, real, relaid, said

SENT = datetime(2026, 3, 1, 9, 0, tzinfo=BEIJING)
IDENTIFIER = "13060041600000_20260301085959_0"
REGION = m.NamedValue("CPEAS Geographic Code", "130602000000")
AREA = m.Area("新市区", geocode=(REGION,))
CHINESE = made.info(
    language="zh-CN",
    event="雷电",
    severity=m.Severity.MODERATE,
    headline="保定市气象台发布雷电黄色预警[Ⅲ级/较重]",
    area=(AREA,),
)
BASE = made.alert(CHINESE, identifier=IDENTIFIER, sender="Baoding_Meteorological_Observatory")
FIRST = replace(BASE, identifier="13060041600000_20260301065959_0", sent=SENT - timedelta(hours=2))
UPDATE = replace(BASE, msg_type=m.MsgType.UPDATE, references=made.naming(FIRST))
CANCEL = changed(replace(UPDATE, msg_type=m.MsgType.CANCEL), headline="保定市气象台解除雷电黄色预警")


def graded(headline: str, severity: m.Severity = m.Severity.MODERATE) -> m.Alert:
    return changed(BASE, headline=headline, severity=severity)


def coded(value: str, *categories: m.Category) -> m.Alert:
    return changed(
        BASE, category=categories or (m.Category.MET,), event_code=(m.NamedValue("eventType", value),)
    )


def timed(**changes: Any) -> m.Alert:
    return changed(BASE, **changes)


SOUND = {
    "an alert": BASE,
    "an update": UPDATE,
    "a cancel": CANCEL,
    "a serial": replace(BASE, identifier=IDENTIFIER[:-1] + "9"),
    "the nation": replace(BASE, identifier="00000041600000_20260301085959_0"),
    "an inner unit": replace(BASE, identifier="13060041600101_20260301085959_0"),
    "English": graded("Baoding Observatory issues lightning yellow warning [Level III/Heavy]"),
    "Latin numerals": graded("发布暴雨蓝色预警[IV/一般]", m.Severity.MINOR),
    "red": graded("发布台风红色预警[Ⅰ级/特别重大]", m.Severity.EXTREME),
    "orange": graded("发布大雾橙色预警信号[II级/严重]", m.Severity.SEVERE),
    "colour alone": graded("发布雷电黄色预警信号"),
    "number alone": graded("发布雷电预警[Ⅲ级/较重]"),
    "a grade that is raised": graded("暴雨黄色预警升级为橙色预警"),
    "an event code": coded("11B17"),
    "a fire in town": coded("21A01", m.Category.FIRE),
    "the class in words": changed(BASE, parameter=(m.NamedValue("class", "自然灾害"),)),
    "a shape beside": relaid(BASE, polygon=(made.SQUARE,)),
    "a county": relaid(BASE, geocode=(replace(REGION, value="110101000000"),)),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("china", alert, Context(mode=mode)) == []


def named(identifier: str) -> m.Alert:
    return replace(BASE, identifier=identifier)


def linked(**changes: Any) -> m.Alert:
    return replace(UPDATE, references=(replace(UPDATE.references[0], **changes),))


INFO = "/alert/info[1]"
CODE = f"{INFO}/area[1]/geocode[1]/value"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("CN-01", "error", named("baoding-1"), "/alert/identifier"),
    ("CN-01", "error", named("1306004160000_20260301085959_0"), "/alert/identifier"),
    ("CN-01", "error", named("13060041600000_20260301085959_00"), "/alert/identifier"),
    ("CN-01", "error", named("99060041600000_20260301085959_0"), "/alert/identifier"),
    ("CN-01", "error", named("13060000000000_20260301085959_0"), "/alert/identifier"),
    ("CN-01", "error", named("13060041600000_20261301085959_0"), "/alert/identifier"),
    ("CN-01", "warning", named("13060041600000_20260301090001_0"), "/alert/identifier"),
    ("CN-01", "warning", named("13060041600000_20260301085959"), "/alert/identifier"),
    ("CN-02", "error", replace(BASE, sent=SENT.astimezone(UTC)), "/alert/sent"),
    ("CN-02", "error", timed(effective=SENT.astimezone(UTC)), f"{INFO}/effective"),
    ("CN-02", "error", timed(onset=SENT.astimezone(UTC)), f"{INFO}/onset"),
    ("CN-02", "error", timed(expires=(SENT + timedelta(hours=6)).astimezone(UTC)), f"{INFO}/expires"),
    ("CN-03", "error", changed(BASE, category=(m.Category.MET, m.Category.SECURITY)), f"{INFO}/category"),
    ("CN-03", "error", coded("51A01"), f"{INFO}/eventCode[1]/value"),
    ("CN-03", "error", coded("31A01"), f"{INFO}/eventCode[1]/value"),
    (
        "CN-03",
        "error",
        changed(BASE, parameter=(m.NamedValue("class", "社会安全事件"),)),
        f"{INFO}/parameter[1]/value",
    ),
    ("CN-04", "warning", graded("保定市气象台发布雷电预警"), f"{INFO}/headline"),
    ("CN-04", "error", graded("雷电黄色预警[Ⅱ级/严重]"), f"{INFO}/headline"),
    ("CN-04", "error", graded("雷电黄色预警[Ⅲ级/较重]", m.Severity.SEVERE), f"{INFO}/severity"),
    ("CN-04", "error", graded("暴雨红色预警"), f"{INFO}/severity"),
    ("CN-04", "error", graded("lightning warning [Level I]"), f"{INFO}/severity"),
    ("CN-05", "error", relaid(BASE, geocode=()), f"{INFO}/area[1]/geocode"),
    ("CN-05", "warning", relaid(BASE, geocode=(), polygon=(made.SQUARE,)), f"{INFO}/area[1]/geocode"),
    ("CN-05", "error", relaid(BASE, geocode=(replace(REGION, value="130602"),)), CODE),
    ("CN-05", "error", relaid(BASE, geocode=(replace(REGION, value="130602000001"),)), CODE),
    ("CN-05", "error", relaid(BASE, geocode=(replace(REGION, value="990602000000"),)), CODE),
    ("CN-06", "error", replace(UPDATE, references=()), "/alert/references"),
    ("CN-06", "error", linked(identifier="first"), "/alert/references"),
    ("CN-06", "error", linked(identifier="13060041600000_20260301095959_0"), "/alert/references"),
    ("CN-06", "warning", linked(identifier="11010041600000_20260301065959_0"), "/alert/references"),
    ("CN-06", "warning", linked(sent=SENT), "/alert/references"),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    assert brief(said("china", alert)) == [(rule, severity, path)]


def test_an_update_names_the_first_message_of_the_warning() -> None:
    second = replace(UPDATE, identifier="13060041600000_20260301075959_0", sent=SENT - timedelta(hours=1))
    context = Context(known={(alert.sender, alert.identifier): alert for alert in (FIRST, second)})
    third = replace(UPDATE, references=made.naming(second))
    assert brief(said("china", third, context)) == [("CN-06", "error", "/alert/references")]
    assert said("china", replace(UPDATE, references=made.naming(FIRST, second)), context) == []
    assert said("china", UPDATE, context) == []


def test_the_fields_of_an_identifier() -> None:
    found = message_id(IDENTIFIER)
    assert found is not None
    assert len(IDENTIFIER) == 31
    assert (found.region, found.agency, found.unit, found.extension) == ("130600", "416", "000", "00")
    assert found.time == SENT - timedelta(seconds=1)
    assert found.serial == "0"
    assert message_id(IDENTIFIER.replace("_", "-")) is None


@pytest.mark.parametrize("code", ["110000", "130602", "659004", "710000", "820000", "100000"])
def test_regions_begin_with_a_province(code: str) -> None:
    assert is_region(code)


@pytest.mark.parametrize("code", ["", "13060", "1306020", "160000", "990000", "13060x"])
def test_what_is_no_region(code: str) -> None:
    assert not is_region(code)


def test_the_grades_are_those_of_the_vocabulary() -> None:
    for grade, roman in zip(GRADES, ("I", "II", "III", "IV"), strict=True):
        listed = term("CN-GRADE", roman)
        assert listed is not None
        assert listed.severity is grade.severity
        assert any(name.startswith(grade.colour) for _, name in listed.names)


def test_a_real_message_of_the_cma_is_warned_of_and_not_refused(shared_path: Path) -> None:
    alert = real(shared_path, "CN_baoding-meteorological-obser_adcbd5a5")
    for mode in Mode:
        assert brief(said("china", alert, Context(mode=mode))) == [
            ("CN-01", "warning", "/alert/identifier"),
            ("CN-06", "warning", "/alert/references"),
        ]
