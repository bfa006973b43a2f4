"""CAP-CP: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.cap import model as m
from alerting.cap.rules import Context, Mode
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, real, relaid, said

EVENT = m.NamedValue("profile:CAP-CP:Event:0.4", "thunderstorm")
PLACE = m.NamedValue("profile:CAP-CP:Location:0.3", "3537001")
AREA = m.Area("Windsor", polygon=(made.SQUARE,), geocode=(PLACE,))
ENGLISH = made.info(language="en-CA", event="thunderstorm", event_code=(EVENT,), area=(AREA,))
FRENCH = replace(
    ENGLISH,
    language="fr-CA",
    event="orage",
    headline="Orage",
    description="Un orage",
    instruction="Abritez-vous",
)
BASE = made.alert(ENGLISH, FRENCH, code=("profile:CAP-CP:0.4",))
FIRST = replace(BASE, identifier="first", sent=made.SENT - timedelta(hours=1))
UPDATE = replace(BASE, identifier="second", msg_type=m.MsgType.UPDATE, references=made.naming(FIRST))


def both(alert: m.Alert, **changes: Any) -> m.Alert:
    return changed(changed(alert, 0, **changes), 1, **changes)


def parameter(name: str, value: str, alert: m.Alert = BASE) -> m.Alert:
    return changed(alert, parameter=(m.NamedValue(name, value),))


def area(*codes: m.NamedValue, **changes: Any) -> m.Alert:
    return relaid(BASE, geocode=codes, **changes)


MINOR = "profile:CAP-CP:0.4:MinorChange"
SOREM = "layer:SOREM:1.0:Broadcast_Immediately"
SOUND = {
    "an alert": BASE,
    "version 1.0": replace(BASE, code=("layer:SOREM:1.0", "profile:CAP-CP:1.0")),
    "an update": UPDATE,
    "a cancel": replace(UPDATE, msg_type=m.MsgType.CANCEL),
    "an acknowledgement without info": replace(UPDATE, msg_type=m.MsgType.ACK, info=()),
    "a SAME code beside": both(BASE, event_code=(EVENT, m.NamedValue("SAME", "SVA"))),
    "a long event": both(BASE, event_code=(replace(EVENT, value="freezeRain"),)),
    "a province": area(replace(PLACE, value="35")),
    "a division": area(replace(PLACE, value="3537")),
    "a CLC beside": area(PLACE, m.NamedValue("layer:EC-MSC-SMC:1.0:CLC", "041420")),
    "a minor change": parameter(MINOR, "text", UPDATE),
    "must carry": parameter(SOREM, "Yes"),
    "must not carry": parameter("layer:SOREM:2.0:WirelessImmediate", "no"),
    "a circle": relaid(BASE, polygon=(), circle=("42,-83 5",)),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("cap-cp", alert, Context(mode=mode)) == []


INFO = "/alert/info[1]"
AREA_1 = f"{INFO}/area[1]"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("CA-01", "error", replace(BASE, code=("layer:SOREM:1.0",)), "/alert/code"),
    (
        "CA-02",
        "error",
        changed(BASE, 1, event_code=(replace(EVENT, value="wind"),)),
        "/alert/info[2]/eventCode",
    ),
    ("CA-03", "error", replace(BASE, info=()), "/alert/info"),
    ("CA-03", "error", replace(UPDATE, msg_type=m.MsgType.CANCEL, info=()), "/alert/info"),
    ("CA-04", "warning", changed(BASE, language=None), f"{INFO}/language"),
    ("CA-04", "warning", replace(BASE, info=(ENGLISH,)), "/alert/info"),
    ("CA-04", "warning", replace(BASE, info=(FRENCH,)), "/alert/info"),
    (
        "CA-05",
        "error",
        replace(BASE, info=(replace(ENGLISH, event_code=()), replace(FRENCH, event_code=()))),
        "",
    ),
    (
        "CA-05",
        "error",
        both(BASE, event_code=(m.NamedValue("SAME", "SVA"),)),
        "",
    ),
    ("CA-05", "error", both(BASE, event_code=(replace(EVENT, value="Thunder storm"),)), "/value"),
    ("CA-06", "error", area(m.NamedValue("UGC", "ONC001")), f"{AREA_1}/geocode"),
    ("CA-06", "error", area(), f"{AREA_1}/geocode"),
    ("CA-06", "error", area(replace(PLACE, value="353700")), f"{AREA_1}/geocode[1]/value"),
    (
        "CA-06",
        "warning",
        area(PLACE, m.NamedValue("layer:EC-MSC-SMC:1.0:CLC", "41420")),
        f"{AREA_1}/geocode[2]/value",
    ),
    ("CA-07", "error", changed(BASE, area=()), f"{INFO}/area"),
    ("CA-08", "error", replace(UPDATE, references=()), "/alert/references"),
    ("CA-09", "warning", changed(BASE, expires=None), f"{INFO}/expires"),
    ("CA-09", "warning", changed(BASE, sender_name=" "), f"{INFO}/senderName"),
    ("CA-09", "warning", changed(BASE, response_type=()), f"{INFO}/responseType"),
    ("CA-09", "warning", changed(BASE, instruction=None), f"{INFO}/instruction"),
    ("CA-10", "warning", parameter(MINOR, "small", UPDATE), f"{INFO}/parameter[1]/value"),
    ("CA-10", "warning", parameter(MINOR, "text"), f"{INFO}/parameter[1]"),
    ("CA-11", "warning", relaid(BASE, polygon=()), AREA_1),
    ("CA-12", "error", parameter(SOREM, "maybe"), f"{INFO}/parameter[1]/value"),
    ("CA-12", "error", parameter("layer:SOREM:2.0:WirelessImmediate", ""), f"{INFO}/parameter[1]/value"),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    found = brief(said("cap-cp", alert))
    if rule == "CA-05":  # one event for both languages, so that one mistake stands in both
        step = "eventCode[1]" if path else "eventCode"
        assert found == [(rule, severity, f"/alert/info[{n}]/{step}{path}") for n in (1, 2)]
    else:
        assert found == [(rule, severity, path)]


@pytest.mark.parametrize(
    "name", ["cap-ec-gc-ca_c98c9012", "cap-pac-canada-ca_ef945b2a", "cap-pac-ec-gc-ca_da58d327"]
)
def test_real_alerts_of_canada_are_not_refused(shared_path: Path, name: str) -> None:
    assert [found for found in said("cap-cp", real(shared_path, name)) if found.severity == "error"] == []


def test_a_swedish_alert_that_says_it_is_canadian_is_refused(shared_path: Path) -> None:
    found = said("cap-cp", real(shared_path, "www-krisinformation-se_87ef1a69"))
    assert {finding.rule for finding in found if finding.severity == "error"} == {"CA-05", "CA-06"}
