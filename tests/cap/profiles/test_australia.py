"""CAP-AU: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.cap import model as m
from alerting.cap.profiles import announced
from alerting.cap.rules import Context, Mode
from alerting.cap.xml import read
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, real, relaid, said

CODE = "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0"
FIRE = m.NamedValue(f"{CODE}:AUeventLIST:1.0", "bushFire")
PLACE = m.NamedValue("http://www.iso.org/iso/country_codes.html", "AU-NSW")
AREA = m.Area("Blue Mountains", polygon=(made.SQUARE,), geocode=(PLACE,))
BASE = made.alert(
    made.info(
        language="en-AU", category=(m.Category.FIRE,), event="Bushfire", event_code=(FIRE,), area=(AREA,)
    ),
    sender="warnings@agency.example",
    code=(CODE,),
)
FIRST = replace(BASE, identifier="first", sent=made.SENT - timedelta(hours=1))
UPDATE = replace(BASE, identifier="second", msg_type=m.MsgType.UPDATE, references=made.naming(FIRST))
CANCEL = changed(replace(UPDATE, msg_type=m.MsgType.CANCEL), effective=None)
OTHER = replace(
    BASE.info[0], language="vi", event="Cháy rừng", headline="Cháy rừng", description="", instruction="Đi"
)
TWICE = replace(BASE, info=(BASE.info[0], BASE.info[0]))


def event(code: str, name: str, **changes: Any) -> m.Alert:
    return changed(BASE, event_code=(replace(FIRE, value=code),), event=name, **changes)


SOUND = {
    "an alert": BASE,
    "an update": UPDATE,
    "a cancel": CANCEL,
    "an acknowledgement without info": replace(UPDATE, msg_type=m.MsgType.ACK, info=()),
    "an error without info": replace(UPDATE, msg_type=m.MsgType.ERROR, info=()),
    "the list by its address": changed(
        BASE, event_code=(replace(FIRE, value_name="https://govshare.gov.au/xmlui/handle/10772/6495"),)
    ),
    "tier I": event("fire", "Fire"),
    "tier I over a tier II code": event("bushFire", "Fire"),
    "the event in small letters": event("airQuality", "air quality"),
    "another language": replace(BASE, info=(BASE.info[0], OTHER)),
    "a code of another list beside": changed(BASE, event_code=(FIRE, m.NamedValue("SAME", "FRW"))),
    "the shorter name of a list of places": relaid(
        BASE, geocode=(m.NamedValue(f"{CODE}:ISO3166-2", "AU-NSW"),)
    ),
    "a circle": relaid(BASE, polygon=(), circle=("-33,150 0",)),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("cap-au", alert, Context(mode=mode)) == []


INFO = "/alert/info[1]"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("AU-01", "error", replace(BASE, code=()), "/alert/code"),
    ("AU-01", "error", replace(BASE, code=("CAP-AU",)), "/alert/code"),
    ("AU-01", "error", replace(BASE, info=()), "/alert/info"),
    ("AU-01", "error", changed(BASE, area=()), f"{INFO}/area"),
    ("AU-01", "error", replace(UPDATE, references=()), "/alert/references"),
    ("AU-02", "error", changed(TWICE, 1, category=(m.Category.MET,)), "/alert/info[2]/category"),
    (
        "AU-02",
        "error",
        changed(TWICE, 1, event_code=(FIRE, m.NamedValue("SAME", "FRW"))),
        "/alert/info[2]/eventCode",
    ),
    ("AU-02", "error", changed(TWICE, 1, event="Fire"), "/alert/info[2]/event"),
    ("AU-03", "error", changed(BASE, event_code=()), f"{INFO}/eventCode"),
    ("AU-03", "error", changed(BASE, event_code=(m.NamedValue("SAME", "FRW"),)), f"{INFO}/eventCode"),
    ("AU-03", "error", changed(BASE, event_code=(FIRE, replace(FIRE, value="fire"))), f"{INFO}/eventCode"),
    ("AU-03", "error", event("bigFire", "Bushfire"), f"{INFO}/eventCode[1]/value"),
    ("AU-03", "error", event("bushFire", "Flood"), f"{INFO}/event"),
    ("AU-04", "error", changed(CANCEL, effective=made.SENT), f"{INFO}/effective"),
    ("AU-05", "warning", replace(BASE, sender="agency.example"), "/alert/sender"),
    ("AU-05", "warning", replace(BASE, status=m.Status.TEST), "/alert/status"),
    ("AU-05", "warning", changed(BASE, expires=None), f"{INFO}/expires"),
    ("AU-05", "warning", changed(BASE, sender_name=None), f"{INFO}/senderName"),
    ("AU-05", "warning", changed(BASE, response_type=()), f"{INFO}/responseType"),
    ("AU-05", "warning", changed(BASE, instruction=""), f"{INFO}/instruction"),
    ("AU-05", "warning", relaid(BASE, polygon=()), f"{INFO}/area[1]"),
    ("AU-05", "warning", relaid(BASE, geocode=()), f"{INFO}/area[1]/geocode"),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    assert brief(said("cap-au", alert)) == [(rule, severity, path)]


def test_no_real_alert_of_australia_is_refused(shared_path: Path) -> None:
    judged = 0
    for file in (shared_path / "cap" / "corpus" / "valid").glob("AU_*.xml"):
        alert = read(file.read_bytes()).alert
        if alert is not None and announced(alert):
            judged += 1
            assert [f for f in said("cap-au", alert) if f.severity == "error"] == [], file.name
    assert judged >= 34


def test_the_weather_bureau_leaves_out_what_is_recommended(shared_path: Path) -> None:
    found = said("cap-au", real(shared_path, "cap-message-bom-gov-au_f1da32cf"))
    assert [finding.path for finding in found] == [
        f"{INFO}/area[1]",
        f"{INFO}/instruction",
        f"{INFO}/responseType",
    ]
