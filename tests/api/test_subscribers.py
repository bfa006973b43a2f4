"""Subscribers over HTTP: everything wrong at once, addresses masked, lists in and out."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Officers

pytestmark = pytest.mark.usefixtures("country")

PHONE, MAILBOX = "+12015550123", "lethe@example.com"


def _somebody(**changes: Any) -> dict[str, Any]:
    return {
        "language": "fr",
        "addresses": [{"channel": "sms", "address": PHONE}, {"channel": "email", "address": MAILBOX}],
        "follows": [{"region": "XA-S", "floor": "moderate", "hazards": ["Met"]}, {"lat": 1.0, "lon": 11.0}],
        **changes,
    }


def test_a_subscription_is_made_shown_masked_and_erased(client: FlaskClient, officers: Officers) -> None:
    headers = officers.of("registrar")
    made = client.post("/api/v1/subscribers", json=_somebody(), headers=headers)
    assert made.status_code == 201, made.text
    place = made.headers["Location"]
    assert place == f"/api/v1/subscribers/{made.get_json()['id']}"

    shown = client.get(place, headers=headers)
    assert {each["floor"] for each in shown.get_json()["follows"]} == {"moderate", "any"}
    listed = client.get("/api/v1/subscribers", headers=officers.of("auditor"))
    assert len(listed.get_json()["subscribers"]) == 1
    for text in (made.text, shown.text, listed.text):
        assert PHONE not in text
        assert MAILBOX not in text

    assert client.delete(place, headers=headers).status_code == 204
    assert client.delete(place, headers=headers).status_code == 404
    assert client.get(place, headers=headers).status_code == 404


def test_the_same_address_again_adds_and_answers_200(client: FlaskClient, officers: Officers) -> None:
    headers = officers.of("registrar")
    first = client.post("/api/v1/subscribers", json=_somebody(), headers=headers).get_json()
    again = client.post("/api/v1/subscribers", json=_somebody(follows=[{"region": "XA-N"}]), headers=headers)
    assert again.status_code == 200
    assert again.get_json()["id"] == first["id"]


def test_every_fault_of_the_structure_is_named_at_once(client: FlaskClient, officers: Officers) -> None:
    body = _somebody(
        addresses=[{"channel": "pigeon", "address": "x"}],
        follows=[{"region": "XA", "lat": 1.0}, {"lat": 91, "lon": 0}, {"floor": "huge", "region": "XA"}],
        colour="red",
    )
    answer = client.post("/api/v1/subscribers", json=body, headers=officers.of("registrar"))
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.get_json()["errors"]} == {
        "/addresses/0/channel",
        "/follows/0/region",
        "/follows/1/lat",
        "/follows/2/floor",
        "/colour",
    }


def test_faults_of_structure_hide_none_that_only_the_use_case_knows(
    client: FlaskClient, officers: Officers
) -> None:
    body = _somebody(
        addresses=[{"channel": "pigeon", "address": "x"}, {"channel": "sms", "address": "12"}, "me"],
        follows=[{"floor": "huge", "region": "ZZ"}, {"region": "ZZ"}, {"region": "XA"}],
        language="!!",
        consent_at="2999-01-01T00:00:00Z",
    )
    answer = client.post("/api/v1/subscribers", json=body, headers=officers.of("registrar"))
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.get_json()["errors"]] == [
        "/addresses/0/channel",
        "/addresses/2",
        "/follows/0/floor",
        "/language",
        "/addresses/1/address",
        "/follows/1/region",
        "/consent_at",
    ]
    assert client.post("/api/v1/subscribers", json=[], headers=officers.of("registrar")).status_code == 422
    assert client.get("/api/v1/subscribers", headers=officers.of("registrar")).get_json()["subscribers"] == []


def test_what_only_the_use_case_knows_is_named_by_pointer_too(
    client: FlaskClient, officers: Officers
) -> None:
    body = _somebody(
        addresses=[{"channel": "sms", "address": "12"}], follows=[{"region": "ZZ"}], language="!!"
    )
    answer = client.post("/api/v1/subscribers", json=body, headers=officers.of("registrar"))
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.get_json()["errors"]} == {
        "/language",
        "/addresses/0/address",
        "/follows/0/region",
    }


def test_a_list_is_imported_row_by_row_and_exported_again(client: FlaskClient, officers: Officers) -> None:
    rows = "external_id,phone,language,regions\na,+12015550124,en,XA-S\nb,nonsense,en,XA-S\n"
    headers = officers.of("registrar")
    answer = client.post("/api/v1/subscribers/import", data=rows, content_type="text/csv", headers=headers)
    report = answer.get_json()
    assert answer.status_code == 200, answer.text
    assert (report["rows"], report["created"], report["refused"]) == (2, 1, 1)
    assert [(each["line"], each["column"]) for each in report["findings"]] == [(3, "phone")]
    assert "nonsense" not in answer.text

    exported = client.get("/api/v1/subscribers/export", headers=headers)
    assert exported.mimetype == "text/csv"
    assert exported.headers["Cache-Control"] == "no-store"
    assert "+12015550124" in exported.text


def test_a_file_with_another_heading_is_refused_whole(client: FlaskClient, officers: Officers) -> None:
    answer = client.post(
        "/api/v1/subscribers/import",
        data="telegraph\nx\n",
        content_type="text/csv",
        headers=officers.of("registrar"),
    )
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["line"] == 1


def test_an_import_of_another_type_is_415(client: FlaskClient, officers: Officers) -> None:
    answer = client.post("/api/v1/subscribers/import", json={}, headers=officers.of("registrar"))
    assert answer.status_code == 415


def test_pages_of_subscribers(client: FlaskClient, officers: Officers) -> None:
    rows = "phone,regions\n" + "".join(f"+1201555012{n},XA\n" for n in range(5))
    client.post(
        "/api/v1/subscribers/import", data=rows, content_type="text/csv", headers=officers.of("registrar")
    )
    found, address = [], "/api/v1/subscribers?limit=2"
    while address:
        answer = client.get(address, headers=officers.of("auditor"))
        found += [each["id"] for each in answer.get_json()["subscribers"]]
        address = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert len(found) == len(set(found)) == 5
