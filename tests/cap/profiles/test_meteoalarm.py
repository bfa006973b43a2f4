"""MeteoAlarm: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.cap import model as m
from alerting.cap.profiles.meteoalarm import LEVELS, TYPES
from alerting.cap.rules import Context, Mode
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, real, relaid, said

AREA = m.Area("Oberpullendorf", geocode=(m.NamedValue("EMMA_ID", "AT108"),))


def aware(level: str | None, kind: str | None) -> tuple[m.NamedValue, ...]:
    given = (("awareness_level", level), ("awareness_type", kind))
    return tuple(m.NamedValue(name, value) for name, value in given if value is not None)


YELLOW = "2; yellow; Moderate"
WIND = "1; Wind"
GERMAN = made.info(
    language="de-AT", event="Sturm", severity=m.Severity.MODERATE, parameter=aware(YELLOW, WIND), area=(AREA,)
)
ENGLISH = replace(GERMAN, language="en-GB", event="Storm")
BASE = made.alert(GERMAN, ENGLISH)
ONE = made.alert(ENGLISH)


def told(level: str | None, kind: str | None, **changes: Any) -> m.Alert:
    return changed(ONE, parameter=aware(level, kind), **changes)


SOUND = {
    "two languages": BASE,
    "English alone": ONE,
    "no region in the language": changed(ONE, language="en"),
    "the default language": changed(ONE, language=None),
    "capital colour": told("2; Yellow; Moderate", "2; Snow-Ice"),
    "no blanks": told("2;yellow;Moderate", "12;flooding"),
    "other parameters beside": changed(
        ONE, parameter=(*aware(YELLOW, WIND), m.NamedValue("impacts", "some"))
    ),
    "a name in words": told(YELLOW, "7; Coastal Event"),
    "NUTS": relaid(ONE, geocode=(m.NamedValue("NUTS3", "AT111"),)),
    "two codes": relaid(ONE, geocode=(m.NamedValue("X", "1"), m.NamedValue("WARNCELLID", "108"))),
}
SOUND |= {
    f"level {n}": told(f"{n}; {colour}; {severity}", WIND, severity=severity)
    for n, (colour, severity) in LEVELS.items()
}
SOUND |= {f"type {n}": told(YELLOW, f"{n}; {name}") for n, name in TYPES.items()}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("meteoalarm", alert, Context(mode=mode)) == []


INFO = "/alert/info[1]"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("EU-01", "error", told(None, WIND), f"{INFO}/parameter"),
    ("EU-01", "error", told("yellow", WIND), f"{INFO}/parameter[1]/value"),
    ("EU-01", "error", told("5; violet; Extreme", WIND), f"{INFO}/parameter[1]/value"),
    ("EU-01", "error", told("2; orange; Moderate", WIND), f"{INFO}/parameter[1]/value"),
    ("EU-01", "error", told("2; yellow; Severe", WIND), f"{INFO}/parameter[1]/value"),
    ("EU-01", "error", told("2; yellow", WIND), f"{INFO}/parameter[1]/value"),
    ("EU-02", "error", told(YELLOW, None), f"{INFO}/parameter"),
    ("EU-02", "error", told(YELLOW, "Wind"), f"{INFO}/parameter[2]/value"),
    ("EU-02", "error", told(YELLOW, "11; Volcano"), f"{INFO}/parameter[2]/value"),
    ("EU-02", "warning", told(YELLOW, "7; Fog"), f"{INFO}/parameter[2]/value"),
    ("EU-03", "warning", relaid(ONE, geocode=()), f"{INFO}/area[1]/geocode"),
    ("EU-03", "warning", relaid(ONE, geocode=(m.NamedValue("UGC", "X"),)), f"{INFO}/area[1]/geocode"),
    ("EU-04", "warning", made.alert(GERMAN), "/alert/info"),
    ("EU-04", "warning", made.alert(ENGLISH, ENGLISH), "/alert/info[2]/language"),
    ("EU-05", "warning", changed(ONE, severity=m.Severity.SEVERE), f"{INFO}/severity"),
    ("EU-05", "warning", changed(ONE, severity=m.Severity.UNKNOWN), f"{INFO}/severity"),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    assert brief(said("meteoalarm", alert)) == [(rule, severity, path)]


@pytest.mark.parametrize(
    "name", ["AT_cap-zamg-ac-at_79a2369a", "IE_forecasts-met-ie_c8dae21f", "IE_forecasts-met-ie_d4f5b604"]
)
def test_real_alerts_have_nothing_against_them(shared_path: Path, name: str) -> None:
    assert said("meteoalarm", real(shared_path, name)) == []


def test_a_real_alert_has_another_severity_than_its_colour(shared_path: Path) -> None:
    found = brief(said("meteoalarm", real(shared_path, "IL_ims-gov-il_915ba751")))
    assert found == [("EU-05", "warning", f"/alert/info[{n}]/severity") for n in (1, 2)]


def test_no_alert_announces_it() -> None:
    assert said("ipaws", changed(ONE, parameter=())) != []  # asked for, it runs
    assert brief(said("meteoalarm", changed(ONE, parameter=())))[0][0] == "EU-01"
