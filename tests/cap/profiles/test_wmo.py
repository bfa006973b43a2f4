"""WMO: each rule has something against the alert beside it, and nothing against the sound ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.cap import model as m
from alerting.cap.rules import Context, Mode
from tests.cap import made
from tests.cap.profiles.judge import brief, changed, real, said

FLOOD = m.NamedValue("OET:v1.2", "OET-079")
BASE = made.alert(
    made.info(event_code=(FLOOD,)),
    identifier="urn:oid:2.49.0.1.578.0.20260301090000.1",
    sender="urn:oid:2.49.0.0.578.0",
)


def named(identifier: str, **changes: Any) -> m.Alert:
    return replace(BASE, identifier=identifier, **changes)


def coded(*codes: m.NamedValue) -> m.Alert:
    return changed(BASE, event_code=codes)


SOUND = {
    "an alert": BASE,
    "a sender by its address": replace(BASE, sender="warnings@met.example"),
    "a sender by its domain": replace(BASE, sender="met.example"),
    "a sender without scheme": replace(BASE, sender="2.49.0.0.578.0"),
    "a long last part": named("urn:oid:2.49.0.1.578.0.79ed341b45b6ab42.001.1"),
    "letters in the last part": named("urn:oid:2.49.0.1.578.0.N_Norm002"),
    "a country of three digits": named("urn:oid:2.49.0.1.040.2.7", sender="urn:oid:2.49.0.0.040.2"),
    "a country of two digits": named("urn:oid:2.49.0.1.40.2.7", sender="urn:oid:2.49.0.0.40.2"),
    "a code of another list beside": coded(FLOOD, m.NamedValue("SAME", "FFW")),
    "two terms": coded(FLOOD, replace(FLOOD, value="OET-000")),
    "another version of the list": coded(m.NamedValue("OET:v9", "OET-999")),
    "no info": replace(BASE, info=()),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_said_against_a_sound_message(alert: m.Alert, mode: Mode) -> None:
    assert said("wmo", alert, Context(mode=mode)) == []


INFO = "/alert/info[1]"
UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("WMO-01", "warning", named("flood-1"), "/alert/identifier"),
    ("WMO-01", "warning", named("urn:oid:2.49.0.0.578.0.7"), "/alert/identifier"),
    ("WMO-01", "warning", named("urn:oid:2.49.0.1.norway.0.7"), "/alert/identifier"),
    ("WMO-01", "warning", named("urn:oid:2.49.0.1.5780.0.7"), "/alert/identifier"),
    ("WMO-01", "warning", named("urn:oid:2.49.0.1.578.2445129344"), "/alert/identifier"),
    ("WMO-01", "warning", named("2.49.0.1.578.0.7"), "/alert/identifier"),
    ("WMO-02", "warning", replace(BASE, sender="urn:oid:2.49.0.0.246.0"), "/alert/sender"),
    ("WMO-02", "warning", replace(BASE, sender="urn:oid:2.49.0.0.578.1"), "/alert/sender"),
    ("WMO-02", "warning", replace(BASE, sender="urn:oid:2.49.0.1.578.0"), "/alert/sender"),
    ("WMO-02", "warning", replace(BASE, sender="urn:oid:2.49.0.0.578"), "/alert/sender"),
    ("WMO-03", "warning", changed(BASE, expires=None), f"{INFO}/expires"),
    ("WMO-03", "warning", changed(BASE, sender_name=None), f"{INFO}/senderName"),
    ("WMO-03", "warning", changed(BASE, web=None), f"{INFO}/web"),
    ("WMO-04", "warning", coded(), f"{INFO}/eventCode"),
    ("WMO-04", "warning", coded(m.NamedValue("SAME", "FFW")), f"{INFO}/eventCode"),
    ("WMO-04", "error", coded(replace(FLOOD, value="79")), f"{INFO}/eventCode[1]/value"),
    ("WMO-04", "error", coded(replace(FLOOD, value="OET-999")), f"{INFO}/eventCode[1]/value"),
]


@pytest.mark.parametrize(("rule", "severity", "alert", "path"), UNSOUND)
def test_a_breach_is_found_where_it_is(rule: str, severity: str, alert: m.Alert, path: str) -> None:
    assert brief(said("wmo", alert)) == [(rule, severity, path)]


@pytest.mark.parametrize("identifier", ["flood-1", "urn:oid:2.49.0.0.578.0.7"])
def test_an_identifier_outside_the_tree_is_not_issued(identifier: str) -> None:
    found = said("wmo", named(identifier), Context(mode=Mode.PUBLISH))
    assert brief(found) == [("WMO-01", "error", "/alert/identifier")]


def test_a_real_alert_with_an_object_identifier(shared_path: Path) -> None:
    found = said("wmo", real(shared_path, "w-nws-webmaster-noaa-gov_9999948c"))
    assert [finding.rule for finding in found] == ["WMO-04"]


def test_a_real_alert_named_as_its_authority(shared_path: Path) -> None:
    found = said("wmo", real(shared_path, "AT_cap-zamg-ac-at_79a2369a"))
    assert ("WMO-01", "warning", "/alert/identifier") in brief(found)
    assert {finding.severity for finding in found} == {"warning"}
