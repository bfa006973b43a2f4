"""Over HTTP: contradictions come back as warnings, block the approval as a problem, and are overridden by its body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import Officers

Made = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.usefixtures("country")

OVERRIDE = {"rule": "W-03", "pointer": "/info/0/headline", "reason": "the laboratory has tested the water"}


@pytest.fixture
def submitted(client: FlaskClient, officers: Officers, warning: Made) -> TestResponse:
    body = warning()
    body["info"][0]["headline"] = "Water test results: boil your water"
    return client.post("/api/v1/alerts", json={"alert": body}, headers=officers.of("preparer"))


def approve(client: FlaskClient, officers: Officers, submitted: TestResponse, **body: Any) -> TestResponse:
    address = f"{submitted.headers['Location']}/approve"
    return client.post(address, headers=officers.of("approver"), **body)


def test_a_contradiction_comes_back_with_the_id(submitted: TestResponse) -> None:
    assert submitted.status_code == 201
    body = submitted.get_json()
    assert body["state"] == "submitted"
    (told,) = [each for each in body["warnings"] if each["rule"] == "W-03"]
    assert told["pointer"] == "/alert/info/0/headline"
    assert '"test"' in told["detail"]


def test_without_approvers_it_is_not_issued_at_once(at_once: None, submitted: TestResponse) -> None:
    assert (submitted.status_code, submitted.get_json()["state"]) == (201, "submitted")


def test_the_approval_lists_what_contradicts_until_it_is_overridden(
    client: FlaskClient, officers: Officers, submitted: TestResponse
) -> None:
    refused = approve(client, officers, submitted)
    assert refused.status_code == 409
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["type"] == "urn:alerting:problem:contradiction"
    (error,) = refused.get_json()["errors"]
    assert (error["rule"], error["pointer"], error["path"]) == (
        "W-03",
        "/info/0/headline",
        "/alert/info[1]/headline",
    )
    issued = approve(client, officers, submitted, json={"overrides": [OVERRIDE]})
    assert (issued.status_code, issued.get_json()["state"]) == (200, "issued"), issued.text


def test_the_pointer_of_the_answer_serves_as_well(
    client: FlaskClient, officers: Officers, submitted: TestResponse
) -> None:
    (told,) = [each for each in submitted.get_json()["warnings"] if each["rule"] == "W-03"]
    body = {"overrides": [OVERRIDE | {"pointer": told["pointer"]}]}
    assert approve(client, officers, submitted, json=body).status_code == 200


@pytest.mark.parametrize(
    ("overrides", "pointer"),
    [
        ([OVERRIDE | {"reason": "  "}], "/overrides/0/reason"),
        ([{"rule": "W-03", "pointer": "/info/0/headline"}], "/overrides/0/reason"),
        ([OVERRIDE | {"pointer": "/info/0/description"}], "/overrides/0/pointer"),
        ([OVERRIDE, OVERRIDE], "/overrides/1/pointer"),
        ([OVERRIDE | {"by": "me"}], "/overrides/0/by"),
        ("W-03", "/overrides"),
    ],
)
def test_overrides_that_are_wrong_are_refused_where_they_are(
    client: FlaskClient, officers: Officers, submitted: TestResponse, overrides: Any, pointer: str
) -> None:
    answer = approve(client, officers, submitted, json={"overrides": overrides})
    assert answer.status_code == 422
    assert pointer in {each["pointer"] for each in answer.get_json()["errors"]}
    shown = client.get(submitted.headers["Location"], headers=officers.of("auditor")).get_json()
    assert shown["state"] == "submitted"


def test_a_body_that_is_no_json_is_no_approval(
    client: FlaskClient, officers: Officers, submitted: TestResponse
) -> None:
    assert approve(client, officers, submitted, data=b"yes", content_type="text/plain").status_code == 415
    assert approve(client, officers, submitted, data=b"{", content_type="application/json").status_code == 400
    assert approve(client, officers, submitted, json=[]).status_code == 422


def test_an_empty_body_approves_where_nothing_contradicts(
    client: FlaskClient, officers: Officers, warning: Made
) -> None:
    bodies: list[dict[str, Any]] = [{}, {"json": {}}, {"json": {"overrides": []}}]
    for n, body in enumerate(bodies):
        made = client.post(
            "/api/v1/alerts", json={"alert": warning(f"flood-{n}")}, headers=officers.of("preparer")
        )
        assert approve(client, officers, made, **body).status_code == 200


def test_the_override_is_documented(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    operation = document["paths"]["/api/v1/alerts/{alert}/approve"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert schema == "#/components/schemas/ApproveBody"
    assert operation["requestBody"]["required"] is False
