"""What a caller is told when something is wrong: problem+json, everything at once, and nothing of our inside."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from alerting.api import subscribers
from alerting.api.access import public
from alerting.api.problems import flatten
from alerting.config import Settings
from alerting.store import engine
from tests.api.conftest import JSON, Officers

PROBLEM = "application/problem+json"


def test_an_unknown_address_is_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, PROBLEM)
    body = answer.get_json()
    assert body["status"] == 404
    assert body["title"] == "Not Found"
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_a_wrong_method_names_the_right_ones(client: FlaskClient, officers: Officers) -> None:
    answer = client.put("/api/v1/alerts", headers=officers.of("administrator"))
    assert (answer.status_code, answer.mimetype) == (405, PROBLEM)
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_a_body_that_is_too_large_is_413(client: FlaskClient, officers: Officers) -> None:
    answer = client.post(
        "/api/v1/alerts",
        data=b"x" * (4 * 1024 * 1024 + 1),
        content_type="application/cap+xml",
        headers=officers.of("preparer"),
    )
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


@pytest.mark.parametrize("media_type", ["application/cap+xml", JSON, "text/csv"])
def test_a_body_in_chunks_that_is_too_large_is_413_and_not_cut_off(
    client: FlaskClient, officers: Officers, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "LARGEST_IMPORT", 1024)
    imported = media_type == "text/csv"
    answer = client.post(
        "/api/v1/subscribers/import" if imported else "/api/v1/alerts",
        input_stream=BytesIO(b"phone,regions\n" + (b"+1,XA\n" * 1000 if imported else b"x" * 5_000_000)),
        content_type=media_type,
        headers=officers.of("registrar" if imported else "preparer"),
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


@pytest.mark.parametrize(
    ("address", "role"), [("/api/v1/alerts", "preparer"), ("/api/v1/keys", "administrator")]
)
def test_another_media_type_is_415_and_names_those_that_are_taken(
    client: FlaskClient, officers: Officers, address: str, role: str
) -> None:
    answer = client.post(address, data="a=b", content_type="text/plain", headers=officers.of(role))
    assert (answer.status_code, answer.mimetype) == (415, PROBLEM)
    assert JSON in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"name": "a",', "line 1"),
        (b'{"name": "a", "name": "b", "role": "auditor"}', "says twice: name"),
        (b'{"name": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"name": NaN}', "NaN"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "JSON"),
        (b'{"name": ["\\u0000"]}', "U+0000"),
        (b'{"\\ud800": 1}', "surrogate"),
    ],
)
def test_a_body_that_is_not_clear_json_is_400(
    client: FlaskClient, officers: Officers, body: bytes, said: str
) -> None:
    answer = client.post("/api/v1/keys", data=body, content_type=JSON, headers=officers.of("administrator"))
    assert answer.status_code == 400
    assert said in answer.get_json()["detail"] or "deeply" in answer.get_json()["detail"]


@pytest.mark.parametrize("address", ["/api/v1/regions/%00", "/api/v1/regions?q=%00", "/api/v1/regions?%00=1"])
def test_an_address_that_no_database_can_hold_is_400(
    client: FlaskClient, officers: Officers, address: str
) -> None:
    assert client.get(address, headers=officers.of("auditor")).status_code == 400


def test_every_wrong_key_of_a_body_is_named_by_its_pointer(client: FlaskClient, officers: Officers) -> None:
    body = {"name": "", "role": "king", "crown": 1}
    answer = client.post("/api/v1/keys", json=body, headers=officers.of("administrator"))
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.get_json()["errors"]} == {"/name", "/role", "/crown"}


def test_an_unknown_name_in_a_query_is_refused_by_name(client: FlaskClient, officers: Officers) -> None:
    answer = client.get("/api/v1/alerts?limit=0&color=red", headers=officers.of("auditor"))
    assert answer.status_code == 422
    assert {each["parameter"] for each in answer.get_json()["errors"]} == {"limit", "color"}


def test_pointers_are_escaped_as_the_rfc_says() -> None:
    assert flatten({"a/b": {"~": ["wrong"]}}) == [("/a~1b/~0", "wrong")]


def test_an_unforeseen_error_tells_the_caller_nothing_but_the_request_id(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.get("/fails")
    @public
    def fails() -> str:
        raise RuntimeError("no such row: +15550100200")

    answer = app.test_client().get("/fails")
    assert (answer.status_code, answer.mimetype) == (500, PROBLEM)
    assert "15550100200" not in answer.text
    assert "Traceback" not in answer.text
    log = capsys.readouterr().out
    assert "15550100200" not in log
    line = next(each for each in map(json.loads, log.splitlines()) if each["event"] == "failed")
    assert line["request_id"] == answer.get_json()["request_id"]
    assert line["error"] == ["builtins.RuntimeError"]


def test_a_database_that_is_away_is_503_and_worth_another_try(
    client: FlaskClient, officers: Officers, settings: Settings
) -> None:
    engine.configure("postgresql://nobody:secret@127.0.0.1:9/none")
    answer = client.get("/api/v1/alerts", headers=officers.of("auditor"))
    assert (answer.status_code, answer.mimetype) == (503, PROBLEM)
    assert answer.headers["Retry-After"] == "2"
    assert "secret" not in answer.text


def test_a_browser_outside_the_api_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert client.get("/nothing").mimetype == PROBLEM
