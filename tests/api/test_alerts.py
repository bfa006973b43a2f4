"""Warnings over HTTP, from the document to who was reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from alerting.cap import jsonform, xml
from alerting.store import audit
from alerting.store.engine import transaction
from tests.api.conftest import JSON, XML, Officers

Made = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.usefixtures("country")


def as_xml(warning: dict[str, Any]) -> bytes:
    alert = jsonform.from_json(warning).alert
    assert alert is not None
    return xml.write(alert)


def post(
    client: FlaskClient, officers: Officers, warning: dict[str, Any], who: str = "preparer", **body: Any
) -> TestResponse:
    return client.post("/api/v1/alerts", json={"alert": warning, **body}, headers=officers.of(who))


def post_xml(client: FlaskClient, officers: Officers, data: bytes, query: str = "") -> TestResponse:
    address = f"/api/v1/alerts{query}"
    return client.post(address, data=data, content_type=XML, headers=officers.of("preparer"))


def pointers(answer: TestResponse) -> set[str]:
    return {each.get("pointer", each.get("parameter")) for each in answer.get_json()["errors"]}


# ---------------------------------------------------------------------------------------------------- submit


def test_a_warning_waits_for_approval_and_tells_where_it_is(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    answer = post(client, officers, warning())
    assert answer.status_code == 201, answer.text
    body = answer.get_json()
    assert body["state"] == "submitted"
    assert answer.headers["Location"] == f"/api/v1/alerts/{body['id']}"
    assert body["page"].startswith("http://127.0.0.1:8000/w/")


def test_the_same_warning_in_xml_and_in_json_is_one(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    first = post_xml(client, officers, as_xml(warning()))
    assert first.status_code == 201, first.text
    again = post(client, officers, warning())
    assert again.status_code == 200
    assert again.get_json()["id"] == first.get_json()["id"]


def test_another_text_under_the_same_identity_is_a_conflict(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    first = post(client, officers, warning()).get_json()
    answer = post(client, officers, warning(note="changed"))
    assert answer.status_code == 409
    assert answer.get_json()["existing"] == f"/api/v1/alerts/{first['id']}"


def test_without_approvers_it_is_issued_at_once(
    client: FlaskClient, officers: Officers, warning: Made, at_once: None
) -> None:
    assert post(client, officers, warning()).get_json()["state"] == "issued"


def test_faults_of_structure_form_and_rules_come_in_one_answer(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    broken = warning(colour="red", status="Real", code="one")
    broken["info"][0]["expires"] = "tomorrow"
    broken["info"][0]["area"][0]["polygon"] = ["1,2 3,4"]
    broken["info"][1]["category"] = []
    answer = post(client, officers, broken, omit=[{"channel": "pigeon", "reason": " "}], extra=1)
    assert answer.status_code == 422
    assert pointers(answer) >= {
        "/extra",
        "/omit/0/channel",
        "/omit/0/reason",
        "/alert/colour",
        "/alert/status",
        "/alert/code",
        "/alert/info/0/expires",
        "/alert/info/0/area/0/polygon/0",
        "/alert/info/1/category",
    }
    by_pointer = [each["pointer"] for each in answer.get_json()["errors"]]
    assert len(by_pointer) == len(set(by_pointer)), "a fault is told once"


def test_errors_of_form_hide_neither_gate_nor_ground_nor_words(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    broken = warning(scope="Private")
    broken["info"][0]["expires"] = "tomorrow"
    broken["info"][0]["headline"] = "A test until [TIME]"
    broken["info"][1]["severity"] = "Huge"
    broken["info"][1]["area"] = [
        {"areaDesc": "Nowhere", "geocode": [{"valueName": "ISO3166-2", "value": "ZZ-1"}]},
        {"areaDesc": "Unread", "polygon": ["here"]},
    ]
    answer = post(client, officers, broken)
    assert answer.status_code == 422
    assert pointers(answer) >= {
        "/alert/info/0/expires",
        "/alert/info/1/severity",
        "/alert/scope",
        "/alert/info/1/area/0/geocode/0",
    }
    warned = {(each["rule"], each["pointer"]) for each in answer.get_json()["warnings"]}
    assert warned >= {("W-02", "/alert/info/0/headline"), ("W-03", "/alert/info/0/headline")}


def test_of_what_could_not_be_read_nothing_more_is_said(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    broken = warning(status="Real", references=["flood-0"], msgType="Update")
    assert pointers(post(client, officers, broken)) == {"/alert/status", "/alert/references/0"}
    data = as_xml(warning()).replace(b"<status>Actual", b"<status>Real")
    assert pointers(post_xml(client, officers, data, "?omit=sms:x&omit=email:x")) == {"/status"}


def test_findings_of_rules_name_rule_pointer_and_path(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    wrong = warning(msgType="Update")
    answer = post(client, officers, wrong)
    assert answer.status_code == 422
    finding = next(each for each in answer.get_json()["errors"] if each["rule"] == "A-06")
    assert finding["pointer"].startswith("/alert")
    in_xml = post_xml(client, officers, as_xml(wrong))
    finding = next(each for each in in_xml.get_json()["errors"] if each["rule"] == "A-06")
    assert finding["path"].startswith("/alert")
    assert not finding["pointer"].startswith("/alert")


def test_warnings_come_back_with_the_answer(client: FlaskClient, officers: Officers, warning: Made) -> None:
    talkative = warning()
    talkative["info"][0]["headline"] = "flood " * 40
    answer = post(client, officers, talkative)
    assert answer.status_code == 201
    assert "/alert/info/0/headline" in {each["pointer"] for each in answer.get_json()["warnings"]}


def test_an_area_without_ground_is_refused(client: FlaskClient, officers: Officers, warning: Made) -> None:
    nowhere = warning()
    for info in nowhere["info"]:
        info["area"] = [{"areaDesc": "Nowhere", "geocode": [{"valueName": "ISO3166-2", "value": "ZZ-1"}]}]
    answer = post(client, officers, nowhere)
    assert answer.status_code == 422
    assert any(pointer.startswith("/alert/info/0/area/0") for pointer in pointers(answer))


@pytest.mark.parametrize(
    "data", [b"", b"<alert", b"<!DOCTYPE a []><alert/>", b"{}", "<alert/>".encode("utf-16")]
)
def test_xml_that_is_no_cap_is_422_and_nothing_worse(
    client: FlaskClient, officers: Officers, data: bytes
) -> None:
    answer = post_xml(client, officers, data)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


@pytest.mark.parametrize("body", [[], None, "x", {}, {"alert": []}, {"alert": None}, {"alert": {}}])
def test_json_that_is_no_warning_is_422_and_nothing_worse(
    client: FlaskClient, officers: Officers, body: object
) -> None:
    answer = client.post(
        "/api/v1/alerts", data=json.dumps(body), content_type=JSON, headers=officers.of("preparer")
    )
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["errors"]


# ------------------------------------------------------------------------------------------------------ omit


def test_a_channel_is_left_out_with_a_reason_and_that_is_kept(
    client: FlaskClient, officers: Officers, warning: Made, at_once: None
) -> None:
    answer = post_xml(client, officers, as_xml(warning()), "?omit=sms:no%20credit&omit=web:repair%3A%20today")
    assert answer.status_code == 201, answer.text
    body = client.get(answer.headers["Location"], headers=officers.of("auditor")).get_json()
    assert body["omit"] == {"sms": "no credit", "web": "repair: today"}
    assert {each["channel"] for each in body["dispatches"]} == {"email", "rss"}
    with transaction() as session:
        audited = [each for each in audit.of(session, body["id"]) if each.detail.get("omit")]
    assert audited[0].detail["omit"] == {"sms": "no credit", "web": "repair: today"}


@pytest.mark.parametrize("query", ["?omit=sms", "?omit=sms:", "?omit=pigeon:no", "?omit=sms:a&omit=sms:b"])
def test_a_channel_is_not_left_out_for_nothing(
    client: FlaskClient, officers: Officers, warning: Made, query: str
) -> None:
    answer = post_xml(client, officers, as_xml(warning()), query)
    assert answer.status_code == 422
    assert "omit" in pointers(answer)


def test_leaving_out_every_channel_is_refused_by_its_place(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    omit = [{"channel": channel, "reason": "x"} for channel in ("sms", "email", "rss", "web")]
    assert "/omit" in pointers(post(client, officers, warning(), omit=omit))


def test_omit_of_the_query_is_not_for_json(client: FlaskClient, officers: Officers, warning: Made) -> None:
    answer = client.post(
        "/api/v1/alerts?omit=sms:x", json={"alert": warning()}, headers=officers.of("preparer")
    )
    assert "omit" in pointers(answer)


# --------------------------------------------------------------------------------------------------- approve


def test_another_key_approves_and_the_warning_is_issued(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    made = post(client, officers, warning(), who="approver").headers["Location"]
    own = client.post(f"{made}/approve", headers=officers.of("approver"))
    assert (own.status_code, own.get_json()["type"]) == (403, "urn:alerting:problem:same-person")
    other = client.post(f"{made}/approve", headers=officers.of("second"))
    assert (other.status_code, other.get_json()["state"]) == (200, "issued")
    again = client.post(f"{made}/approve", headers=officers.of("second"))
    assert again.status_code == 409


def test_approving_what_does_not_exist_is_404(client: FlaskClient, officers: Officers) -> None:
    nothing = "/api/v1/alerts/00000000-0000-4000-8000-000000000000"
    assert client.post(f"{nothing}/approve", headers=officers.of("approver")).status_code == 404
    cancel = client.post(f"{nothing}/cancel", json={"reason": "x"}, headers=officers.of("approver"))
    assert cancel.status_code == 404
    for part in ("", "/deliveries", "/deliveries?rows=true"):
        assert client.get(nothing + part, headers=officers.of("auditor")).status_code == 404
    assert client.get("/api/v1/alerts/flood", headers=officers.of("auditor")).status_code == 404


# ---------------------------------------------------------------------------------------------------- cancel


def test_a_cancel_is_a_warning_of_its_own_that_lifts_the_first(
    client: FlaskClient, officers: Officers, warning: Made, at_once: None
) -> None:
    first = post(client, officers, warning()).headers["Location"]
    body = {"reason": "the river fell", "texts": {"en": "The flood is over."}}
    made = client.post(f"{first}/cancel", json=body, headers=officers.of("approver"))
    assert made.status_code == 201, made.text
    assert made.get_json()["state"] == "issued"
    lifted = client.get(first, headers=officers.of("auditor")).get_json()
    assert lifted["state"] == "cancelled"
    assert lifted["superseded_by"] == [made.get_json()["id"]]
    cancel = client.get(made.headers["Location"], headers=officers.of("auditor")).get_json()
    assert cancel["msg_type"] == "Cancel"
    assert cancel["supersedes"] == [lifted["id"]]
    again = client.post(f"{first}/cancel", json=body, headers=officers.of("approver"))
    assert again.status_code == 409


def test_a_cancel_needs_a_reason(
    client: FlaskClient, officers: Officers, warning: Made, at_once: None
) -> None:
    first = post(client, officers, warning()).headers["Location"]
    answer = client.post(
        f"{first}/cancel", json={"reason": " ", "text": "x"}, headers=officers.of("approver")
    )
    assert pointers(answer) == {"/reason", "/text"}


def test_what_is_wrong_with_the_texts_of_a_cancel_is_told_by_their_place(
    client: FlaskClient, officers: Officers, warning: Made, at_once: None
) -> None:
    first = post(client, officers, warning()).headers["Location"]
    for text in (" ", "Es ist vorbei."):  # no text; a language that the warning does not speak
        body = {"reason": "x", "texts": {"de": text}}
        answer = client.post(f"{first}/cancel", json=body, headers=officers.of("approver"))
        assert pointers(answer) == {"/texts/de"}
        assert "path" not in answer.get_json()["errors"][0]


# ------------------------------------------------------------------------------------------------------ show


def test_a_warning_shows_its_segments_languages_people_and_addresses(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    made = post(client, officers, warning()).headers["Location"]
    client.post(f"{made}/approve", headers=officers.of("approver"))
    body = client.get(made, headers=officers.of("auditor")).get_json()
    assert (body["state"], body["event"], body["colour"]) == ("issued", "Flood", "orange")
    assert (body["submitted_by"], body["approved_by"]) == ("preparer", "approver")
    assert body["languages"] == ["en", "fr"]
    (segment,) = body["segments"]
    assert (segment["area"], segment["severity"], segment["categories"]) == ("Southland", "Severe", ["Met"])
    assert {each["channel"] for each in body["dispatches"]} == {"sms", "email", "rss", "web"}
    assert body["urls"]["cap"] == f"http://127.0.0.1:8000/cap/{body['id']}.xml"
    assert jsonform.from_json(body["alert"]).alert == jsonform.from_json(warning()).alert


def test_the_cap_document_of_an_issued_warning_is_public_and_of_a_waiting_one_is_not(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    made = post(client, officers, warning()).get_json()
    assert client.get(f"/cap/{made['id']}.xml").status_code == 404
    client.post(f"/api/v1/alerts/{made['id']}/approve", headers=officers.of("approver"))
    answer = client.get(f"/cap/{made['id']}.xml")
    assert (answer.status_code, answer.mimetype) == (200, XML)
    assert client.get(made["page"].removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_lists_are_newest_first_in_pages_and_by_state(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    for n in range(5):
        assert post(client, officers, warning(f"flood-{n}")).status_code == 201
    found, address = [], "/api/v1/alerts?limit=2&state=submitted"
    while address:
        answer = client.get(address, headers=officers.of("preparer"))
        found += [each["identifier"] for each in answer.get_json()["alerts"]]
        address = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert found == [f"flood-{n}" for n in (4, 3, 2, 1, 0)]
    issued = client.get("/api/v1/alerts?state=issued", headers=officers.of("preparer"))
    assert issued.get_json()["alerts"] == []
    assert "Link" not in issued.headers


def test_numbers_in_json_are_no_strings(client: FlaskClient, officers: Officers, warning: Made) -> None:
    wrong = warning()
    wrong["info"][0]["event"] = 7
    wrong["info"][0]["area"][0]["altitude"] = 100
    answer = client.post(
        "/api/v1/alerts",
        data=json.dumps({"alert": wrong}),
        content_type=JSON,
        headers=officers.of("preparer"),
    )
    assert pointers(answer) == {"/alert/info/0/event"}
