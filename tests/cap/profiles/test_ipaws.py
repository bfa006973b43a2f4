"""IPAWS: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from alerting.cap import model as m
from alerting.cap.rules import Context, Mode
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, pairs, real, relaid, said

SENT = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=-5)))
AREA = m.Area("McDuffie County", geocode=(m.NamedValue("SAME", "013189"),))
AUDIO = m.Resource("EAS Broadcast Content", "audio/x-ipaws-audio-mp3", uri="https://a.example/a.mp3")
BASE = made.alert(
    made.info(
        language="en-US",
        event="Local Area Emergency",
        event_code=pairs(SAME="LAE"),
        effective=SENT,
        onset=None,
        expires=SENT + timedelta(hours=2),
        parameter=pairs(EAS_ORG="CIV", WEAHandling="Imminent Threat", CMAMtext="Go to high ground now."),
        area=(AREA,),
    ),
    sent=SENT,
    code=("IPAWSv1.0",),
)
FIRST = replace(BASE, identifier="first", sent=SENT - timedelta(hours=1))
UPDATE = replace(BASE, identifier="second", msg_type=m.MsgType.UPDATE, references=made.naming(FIRST))
SPANISH = replace(BASE.info[0], language="es-US", event="Emergencia local")


def parameters(**named: str) -> m.Alert:
    return changed(BASE, parameter=pairs(EAS_ORG="CIV", **named))


def located(count: int) -> m.Alert:
    codes = tuple(m.NamedValue("SAME", f"0131{n:02}") for n in range(count))
    return relaid(BASE, geocode=codes)


SOUND = {
    "an alert": BASE,
    "an update": UPDATE,
    "a cancel": replace(UPDATE, msg_type=m.MsgType.CANCEL),
    "two languages": replace(BASE, info=(BASE.info[0], SPANISH)),
    "another code beside": replace(BASE, code=("X", " IPAWSv1.0 ")),
    "a numeric sender": replace(BASE, sender="309104501346800"),
    "an event code of another list": changed(
        BASE, event_code=(*pairs(SAME="NWS"), m.NamedValue("NationalWeatherService", "SCY"))
    ),
    "full texts": parameters(CMAMtext="x" * 90, CMAMlongtext="y" * 360),
    "text laid out in lines": parameters(CMAMlongtext="word\n            " * 72),
    "31 locations": located(31),
    "60 locations without EAS": changed(located(60), parameter=pairs(BLOCKCHANNEL="EAS")),
    "no originator without EAS": changed(BASE, parameter=pairs(BLOCKCHANNEL="EAS", CMAMtext="Go")),
    "a mild one that is no WEA": changed(
        BASE, severity=m.Severity.MINOR, parameter=(*BASE.info[0].parameter, *pairs(BLOCKCHANNEL="CMAS"))
    ),
    "two days without WEA": changed(BASE, expires=SENT + timedelta(days=2), parameter=pairs(EAS_ORG="WXR")),
    "audio": changed(BASE, resource=(AUDIO,)),
    "public safety": changed(
        parameters(WEAHandling="Public Safety", CMAMtext="Take care"), severity=m.Severity.MINOR
    ),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("ipaws", alert, Context(mode=mode)) == []


INFO = "/alert/info[1]"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("US-01", "error", replace(BASE, code=()), "/alert/code"),
    ("US-01", "error", replace(BASE, code=("IPAWSv1",)), "/alert/code"),
    ("US-01", "error", replace(BASE, info=()), "/alert/info"),
    ("US-01", "error", changed(BASE, event_code=()), f"{INFO}/eventCode"),
    ("US-01", "error", changed(BASE, expires=None), f"{INFO}/expires"),
    ("US-01", "error", changed(BASE, area=()), f"{INFO}/area"),
    ("US-02", "error", changed(BASE, event_code=pairs(OTHER="LAE")), f"{INFO}/eventCode"),
    ("US-02", "error", changed(BASE, event_code=pairs(SAME="LAE") + pairs(SAME="CEM")), f"{INFO}/eventCode"),
    ("US-02", "error", changed(BASE, event_code=pairs(SAME="lae")), f"{INFO}/eventCode[1]/value"),
    ("US-02", "warning", changed(BASE, event_code=pairs(SAME="XYZ")), f"{INFO}/eventCode[1]/value"),
    ("US-02", "error", changed(BASE, event_code=pairs(SAME="LAEX")), f"{INFO}/eventCode[1]/value"),
    (
        "US-02",
        "error",
        replace(BASE, info=(BASE.info[0], replace(SPANISH, category=(m.Category.FIRE,)))),
        "/alert/info[2]/category",
    ),
    (
        "US-02",
        "error",
        replace(BASE, info=(BASE.info[0], replace(SPANISH, event_code=pairs(SAME="CEM")))),
        "/alert/info[2]/eventCode",
    ),
    ("US-03", "warning", changed(replace(BASE, sent=SENT.astimezone(UTC)), effective=None), "/alert/sent"),
    (
        "US-03",
        "warning",
        changed(BASE, expires=(SENT + timedelta(hours=2)).astimezone(UTC)),
        f"{INFO}/expires",
    ),
    ("US-03", "error", changed(BASE, expires=SENT + timedelta(hours=24, seconds=1)), f"{INFO}/expires"),
    ("US-04", "warning", changed(BASE, effective=SENT + timedelta(hours=1)), f"{INFO}/effective"),
    ("US-04", "warning", changed(BASE, onset=SENT + timedelta(hours=1)), f"{INFO}/onset"),
    ("US-05", "error", replace(UPDATE, references=()), "/alert/references"),
    ("US-06", "warning", relaid(BASE, geocode=pairs(UGC="GAC189")), f"{INFO}/area[1]/geocode"),
    ("US-06", "error", relaid(BASE, geocode=pairs(SAME="13189")), f"{INFO}/area[1]/geocode[1]/value"),
    ("US-06", "error", located(32), f"{INFO}/area"),
    ("US-07", "error", changed(BASE, parameter=pairs(CMAMtext="Go")), f"{INFO}/parameter"),
    ("US-07", "error", changed(BASE, parameter=pairs(EAS_ORG="EAN")), f"{INFO}/parameter[1]/value"),
    ("US-07", "warning", changed(BASE, parameter=()), f"{INFO}/parameter"),
    ("US-08", "warning", parameters(BLOCKCHANNEL="WEA"), f"{INFO}/parameter[2]/value"),
    ("US-09", "error", parameters(CMAMtext="x" * 91), f"{INFO}/parameter[2]/value"),
    ("US-09", "error", parameters(CMAMlongtext="x" * 361), f"{INFO}/parameter[2]/value"),
    ("US-11", "error", changed(BASE, urgency=m.Urgency.FUTURE), f"{INFO}/urgency"),
    ("US-11", "error", changed(BASE, severity=m.Severity.MODERATE), f"{INFO}/severity"),
    ("US-11", "error", changed(BASE, certainty=m.Certainty.POSSIBLE), f"{INFO}/certainty"),
    (
        "US-12",
        "warning",
        changed(BASE, resource=(replace(AUDIO, mime_type="text/plain"),)),
        f"{INFO}/resource[1]/mimeType",
    ),
    (
        "US-12",
        "warning",
        changed(BASE, resource=(replace(AUDIO, resource_desc="Sound"),)),
        f"{INFO}/resource[1]/resourceDesc",
    ),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    assert brief(said("ipaws", alert)) == [(rule, severity, path)]


def test_an_update_names_all_that_is_in_force() -> None:
    other = replace(FIRST, identifier="other")
    # `other` is in force although `middle` names it: a reading node has lost the Update's say over it.
    middle = replace(
        FIRST, identifier="middle", sent=SENT - timedelta(minutes=9), references=made.naming(FIRST, other)
    )
    known = Context(known={(alert.sender, alert.identifier): alert for alert in (FIRST, other, middle)})
    part = replace(UPDATE, references=made.naming(middle, FIRST))
    assert brief(said("ipaws", part, known)) == [("US-05", "error", "/alert/references")]
    assert said("ipaws", replace(UPDATE, references=made.naming(middle, FIRST, other)), known) == []


def test_an_originator_is_wanted_before_issuing() -> None:
    found = said("ipaws", changed(BASE, parameter=()), Context(mode=Mode.PUBLISH))
    assert brief(found) == [("US-07", "error", f"{INFO}/parameter")]


@pytest.mark.parametrize(
    "name", ["ssewell-thomson-mcduffie-net_c4533689", "w-nws-webmaster-noaa-gov_9999948c"]
)
def test_real_alerts_are_not_refused(shared_path: Path, name: str) -> None:
    assert [found for found in said("ipaws", real(shared_path, name)) if found.severity == "error"] == []


def test_a_real_bulletin_without_an_event_code_is_refused(shared_path: Path) -> None:
    found = said("ipaws", real(shared_path, "wcatwc-noaa-gov_acdaf244"))
    errors = [finding for finding in found if finding.severity == "error"]
    assert brief(errors) == [("US-01", "error", f"{INFO}/eventCode")]
