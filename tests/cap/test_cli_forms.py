"""`alerting cap check`, `convert` and `diff` over profiles, versions, wrappers and forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerting.cap.jsonform import from_json, to_json
from alerting.cap.profiles import PROFILES
from alerting.cap.xml import read, write
from alerting.cli import main
from tests.cap import made, made_files


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the folder where the command runs."""
    made_files.write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cap(*words: str, **options: Any) -> Result:
    return CliRunner().invoke(main, ["cap", *words], **options)


# ---- check ----


def test_help_and_the_error_for_an_unknown_profile_list_the_profiles() -> None:
    refused = cap("check", "river.xml", "--profile", "nowhere")
    assert refused.exit_code == 2
    assert all(name in refused.stderr for name in PROFILES)
    assert all(name in cap("check", "--help").output for name in PROFILES)


def test_a_profile_adds_its_rules() -> None:
    assert cap("check", "river.xml").exit_code == 0
    checked = cap("check", "river.xml", "--profile", "ipaws", "--profile", "china", "--format", "json")
    assert checked.exit_code == 1
    rules = {finding["rule"][:2] for finding in json.loads(checked.stdout)[0]["findings"]}
    assert {"US", "CN"} <= rules


def test_another_version_is_refused_strictly_and_taken_tolerantly() -> None:
    assert cap("check", "old.xml").exit_code == 1
    checked = cap("check", "old.xml", "--tolerant", "--format", "json")
    assert checked.exit_code == 0
    (entry,) = json.loads(checked.stdout)
    assert {mend["rule"] for mend in entry["mended"]} == {"T-02", "T-04"}
    assert all(mend.keys() == {"rule", "path", "pointer", "message"} for mend in entry["mended"])


def test_alerts_of_a_wrapper_share_an_object_and_are_numbered(files: Path) -> None:
    feed = made_files.feed().replace(b"https://river.example/flood", b"river.example", 1)
    (files / "feed.xml").write_bytes(feed.replace(b"<contact>river.example</contact>", b""))
    checked = cap("check", "--tolerant", "--format", "json", "feed.xml", "river.xml")
    feed_entry, river_entry = json.loads(checked.stdout)
    assert {finding["alert"] for finding in feed_entry["findings"] if finding["rule"] == "I-16"} == {0, 1}
    assert [mend["alert"] for mend in feed_entry["mended"] if mend["rule"] == "T-20"] == [0]
    assert river_entry == {"file": "river.xml", "findings": [], "mended": []}
    assert "feed.xml: alert 1: warning I-16" in cap("check", "--tolerant", "feed.xml").output


def test_a_file_without_any_alert_is_an_error_in_every_mode(files: Path) -> None:
    for data in (b"", b"[]", b"{}", b"<feed/>", b"hello", b"[" * 100_000, b"[{}" + b",{}" * 10_000 + b"]"):
        (files / "none").write_bytes(data)
        assert cap("check", "none").exit_code == 1, data[:20]
        assert cap("check", "none", "--tolerant").exit_code == 1, data[:20]


def test_a_name_that_no_file_can_have_ends_with_2() -> None:
    assert cap("check", "a\0b").exit_code == 2


def test_a_signature_that_was_not_verified_is_a_warning() -> None:
    cap("sign", "river.xml", "--key", "key.pem", "--output", "signed.xml")
    checked = cap("check", "signed.xml")
    assert checked.exit_code == 0
    assert "warning S-02" in checked.output


def test_what_a_document_holds_cannot_steer_the_terminal(files: Path) -> None:
    (files / "x").write_text('{"\\u001b[31m\\u0007\\ud800": 1}', encoding="utf-8")
    for form in ("text", "json"):
        checked = cap("check", "x", "--format", form)
        assert checked.exit_code == 1
        assert not {"\x1b", "\x07"} & set(checked.output), "click itself takes some of them out"


def test_output_that_cannot_hold_a_letter_gets_an_escape(files: Path) -> None:
    (files / "x").write_text('{"ключ": 1}', encoding="utf-8")
    checked = CliRunner(charset="ascii").invoke(main, ["cap", "check", "x"])
    assert checked.exit_code == 1
    assert "/\\u043a\\u043b\\u044e\\u0447" in checked.output


# ---- convert ----


def test_cap_1_1_becomes_strict_cap_1_2() -> None:
    converted = cap("convert", "old.xml")
    assert converted.exit_code == 0
    assert "old.xml: mended T-02" in converted.stderr
    alert = read(converted.stdout_bytes).alert
    assert alert is not None
    assert write(alert) == converted.stdout_bytes
    assert (alert.sent, alert.info) == (made.alert().sent, made.alert().info)


def test_xml_and_json_are_converted_into_each_other(files: Path) -> None:
    assert cap("convert", "river.xml", "--to", "json", "--output", "river.json").exit_code == 0
    assert from_json(json.loads((files / "river.json").read_bytes())).alert == made.alert()
    assert cap("convert", "river.json").stdout_bytes == write(made.alert())


def test_geojson_has_the_features_of_all_alerts() -> None:
    converted = cap("convert", "feed.xml", "--to", "geojson")
    assert converted.exit_code == 0
    features = json.loads(converted.stdout)["features"]
    assert [feature["properties"]["identifier"] for feature in features] == [
        "river-2026-1",
        "river-2026-2",
        "river-2026-2",
    ]


def test_a_feed_is_no_warning_and_is_judged_as_a_feed() -> None:
    (feed,) = json.loads(cap("check", "feed.xml", "--format", "json").stdout)
    found = {(finding["rule"], finding["path"]) for finding in feed["findings"]}
    assert {("F-01", "/feed/id"), ("F-04", "/feed/entry[2]/id")} <= found
    assert "X-02" in {rule for rule, _ in found}


def test_geojson_with_fewer_points_and_nothing_else() -> None:
    drawn = cap("convert", "river.xml", "--to", "geojson", "--points", "4")
    assert drawn.exit_code == 0
    assert json.loads(drawn.stdout)["features"][0]["geometry"]["type"] == "Polygon"
    refused = cap("convert", "river.xml", "--points", "4")
    assert (refused.exit_code, "--to geojson" in refused.stderr) == (2, True)


def test_several_alerts_are_an_array_in_json_that_is_read_back(files: Path) -> None:
    assert cap("convert", "feed.xml", "--to", "json", "--output", "both.json").exit_code == 0
    both = [to_json(made.alert()), to_json(made_files.update())]
    assert json.loads((files / "both.json").read_bytes()) == both
    assert cap("convert", "both.json", "--number", "1").stdout_bytes == write(made_files.update())


def test_xml_of_several_alerts_needs_a_number() -> None:
    refused = cap("convert", "feed.xml")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds 2 alerts" in refused.stderr
    assert cap("convert", "feed.xml", "--number", "0").stdout_bytes == write(made.alert())
    beyond = cap("convert", "feed.xml", "--number", "2")
    assert beyond.exit_code == 2
    assert "the file holds 2" in beyond.stderr


def test_errors_of_the_rules_are_told_and_the_document_is_written() -> None:
    converted = cap("convert", "wrong.xml", "--to", "json")
    assert converted.exit_code == 1
    assert "error I-15" in converted.stderr
    assert json.loads(converted.stdout)["identifier"] == "river-2026-1"


def test_faults_of_cap_1_2_are_mended_only_when_asked(files: Path) -> None:
    broken = write(made.alert()).replace(b"+08:00</sent>", b"Z</sent>").replace(b"T09:00", b"T01:00", 1)
    (files / "broken.xml").write_bytes(broken)
    refused = cap("convert", "broken.xml")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "error A-03 /alert/sent" in refused.stderr
    mended = cap("convert", "broken.xml", "--tolerant")
    assert mended.exit_code == 0
    assert read(mended.stdout_bytes).alert is not None


def test_a_signature_is_not_carried_over_and_that_is_said() -> None:
    cap("sign", "river.xml", "--key", "key.pem", "--output", "signed.xml")
    converted = cap("convert", "signed.xml")
    assert converted.stdout_bytes == write(made.alert())
    assert "the signature is left out" in converted.stderr


def test_a_place_that_cannot_be_written_ends_with_2(files: Path) -> None:
    for place in (str(files), str(files / "none" / "x"), "a\0b"):
        refused = cap("convert", "river.xml", "--output", place)
        assert refused.exit_code == 2
        assert "cannot be written" in refused.stderr


# ---- diff ----


def test_diff_ends_with_0_for_the_same_and_1_for_another() -> None:
    assert cap("diff", "river.xml", "river.xml").exit_code == 0
    assert cap("diff", "river.xml", "old.xml").exit_code == 0, "the same moment in UTC, the same warning"
    changed = cap("diff", "river.xml", "river-2.xml")
    assert changed.exit_code == 1
    assert "  severity raised: Severe -> Extreme\n" in changed.stdout


def test_diff_in_json_points_into_both_documents() -> None:
    changed = cap("diff", "river.xml", "river-2.xml", "--format", "json")
    severity = next(change for change in json.loads(changed.stdout) if change["field"] == "severity")
    assert severity == {
        "kind": "raised",
        "field": "severity",
        "before": "/info/0/severity",
        "after": "/info/0/severity",
        "old": "Severe",
        "new": "Extreme",
        "languages": ["en-GB"],
        "message": "severity raised: Severe -> Extreme",
    }


def test_diff_says_when_the_second_does_not_act_on_the_first() -> None:
    assert cap("diff", "river.xml", "river-2.xml").stderr == ""
    backwards = cap("diff", "river-2.xml", "river.xml")
    assert backwards.stderr == "note: river-2026-1 does not act on river-2026-2\n"


@pytest.mark.parametrize("file", ["none", "feed.xml", "key.pem"])
def test_diff_of_what_holds_no_alert_or_several_ends_with_2(file: str) -> None:
    refused = cap("diff", "river.xml", file)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert file in refused.stderr


def test_the_dash_is_the_standard_input_everywhere() -> None:
    data = write(made.alert())
    assert cap("convert", "-", input=data).stdout_bytes == data
    assert cap("diff", "-", "river.xml", input=data).exit_code == 0
    assert cap("sign", "-", "--key", "key.pem", input=data).exit_code == 0
    assert cap("verify", "-", "--anchors", "anchors.pem", input=data).output == "-: unsigned\n"
