"""CAP in JSON: the same alerts, the same findings, and one digest for the same warning."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.findings import ERROR, WARNING
from alerting.cap.jsonform import digest, from_json, to_json
from alerting.cap.xml import read, write
from tests.cap import made


@given(made.alerts)
def test_json_carries_all_that_xml_does(alert: m.Alert) -> None:
    data = json.loads(json.dumps(to_json(alert)))
    assert from_json(data).alert == alert
    through_xml = read(write(alert)).alert
    assert through_xml is not None
    assert digest(through_xml) == digest(alert)


def test_keys_are_caps_and_what_repeats_is_an_array() -> None:
    data = to_json(made.alert(references=made.naming(made.alert())))
    assert data["msgType"] == "Alert"
    assert data["references"] == ["river.example,river-2026-1,2026-03-01T09:00:00+08:00"]
    assert data["addresses"] == []
    assert "note" not in data
    info = data["info"][0]
    assert info["category"] == ["Met"]
    assert info["area"][0]["polygon"] == [made.SQUARE]
    assert info["area"][0]["geocode"] == [{"valueName": "FIPS", "value": "12345"}]


def _set(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            data = data[step]
        if value is None:
            del data[last]
        else:
            data[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("colour", "red", "X-04"),
        ("info/0/colour~a", "red", "X-04"),
        ("sender", None, "A-02"),
        ("sender", 7, "X-03"),
        ("sent", "2026-03-01T01:00:00Z", "A-03"),
        ("status", "actual", "A-05"),
        ("code", "one", "X-03"),
        ("note", "bell\x07", "X-01"),
        ("references", ["a,b"], "A-11"),
        ("info", {}, "X-03"),
        ("info/0", "flood", "X-03"),
        ("info/0/category", [], "I-05"),
        ("info/0/category/0", "Weather", "I-05"),
        ("info/0/event", None, "X-07"),
        ("info/0/expires", "soon", "A-03"),
        ("info/0/web", "a:%zz", "I-15"),
        ("info/0/area/0/altitude", "high", "G-07"),
        ("info/0/area/0/altitude", True, "X-03"),
        ("info/0/area/0/geocode/0/value", None, "I-09"),
        ("info/0/resource", [{"resourceDesc": "a", "mimeType": "a/b", "size": "9"}], "R-02"),
    ],
)
def test_what_is_wrong_is_found_by_pointer(path: str, value: object, rule: str) -> None:
    data = to_json(made.alert())
    _set(path, value)(data)
    document = from_json(data)
    assert document.alert is None
    (finding,) = document.findings
    assert (finding.rule, finding.severity) == (rule, ERROR)
    assert finding.pointer.startswith(f"/{path.replace('~', '~0')}")


def test_everything_wrong_is_said_at_once() -> None:
    data = to_json(made.alert())
    for change in (_set("sent", "now"), _set("info/0/urgency", "Now"), _set("other", 1), _set("scope", None)):
        change(data)
    assert [finding.pointer for finding in from_json(data).findings] == [
        "/info/0/urgency",
        "/other",
        "/scope",
        "/sent",
    ]


@pytest.mark.parametrize("data", [None, [], "alert", 7, {}])
def test_what_is_no_alert_is_a_finding(data: object) -> None:
    document = from_json(data)
    assert document.alert is None
    assert document.findings


def test_numbers_and_nulls_are_taken_for_what_they_mean() -> None:
    data = to_json(made.alert())
    data["note"] = None
    data["info"][0]["area"][0] |= {"altitude": 100, "ceiling": 200.5}
    alert = from_json(data).alert
    assert alert is not None
    assert alert.note is None
    assert (alert.info[0].area[0].altitude, alert.info[0].area[0].ceiling) == ("100", "200.5")


def test_utc_with_a_plus_is_a_warning_here_too() -> None:
    data = to_json(made.alert())
    data["sent"] = "2026-03-01T01:00:00+00:00"
    (finding,) = from_json(data).findings
    assert (finding.rule, finding.severity, finding.pointer) == ("A-03", WARNING, "/sent")


# ---- one warning, one digest ----

ALERT = made.alert(made.info(language=None, area=(made.area(altitude="100"),)))
INFO = ALERT.info[0]


@pytest.mark.parametrize(
    "same",
    [
        replace(ALERT, sent=made.SENT.astimezone(UTC)),
        replace(ALERT, info=(replace(INFO, expires=INFO.expires and INFO.expires.astimezone(UTC)),)),
        replace(ALERT, info=(replace(INFO, language="en-us"),)),
        replace(ALERT, info=(replace(INFO, effective=None),)),
        replace(ALERT, info=(replace(INFO, event=" Flood\n"),)),
        replace(ALERT, info=(replace(INFO, area=(made.area(altitude="100.0"),)),)),
        replace(
            ALERT,
            info=(
                replace(INFO, area=(made.area(altitude="100", polygon=(made.SQUARE.replace(" ", "\n"),)),)),
            ),
        ),
        replace(ALERT, note=""),
    ],
)
def test_what_means_the_same_has_the_same_digest(same: m.Alert) -> None:
    assert digest(same) == digest(ALERT)


@pytest.mark.parametrize(
    "other",
    [
        replace(ALERT, sent=made.SENT + timedelta(seconds=1)),
        replace(ALERT, status=m.Status.TEST),
        replace(ALERT, info=(replace(INFO, event="flood"),)),
        replace(ALERT, info=(replace(INFO, language="fr"),)),
        replace(ALERT, info=(INFO, INFO)),
        replace(ALERT, info=(replace(INFO, area=(made.area(polygon=()),)),)),
    ],
)
def test_what_means_something_else_has_another_digest(other: m.Alert) -> None:
    assert digest(other) != digest(ALERT)


def test_to_json_shares_nothing_with_the_alert() -> None:
    data = to_json(ALERT)
    before = copy.deepcopy(data)
    data["info"][0]["category"].append("Fire")
    assert to_json(ALERT) == before
