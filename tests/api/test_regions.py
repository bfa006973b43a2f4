"""Regions over HTTP."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Officers

pytestmark = pytest.mark.usefixtures("country")


def test_a_walk_over_the_pages_meets_each_region_once(client: FlaskClient, officers: Officers) -> None:
    found, address = [], "/api/v1/regions?limit=2"
    while address:
        answer = client.get(address, headers=officers.of("preparer"))
        found += [each["code"] for each in answer.get_json()["regions"]]
        link = answer.headers.get("Link", "")
        address = link.partition("<")[2].partition(">")[0]
        assert not address or "limit=2" in address
    assert found == ["XA", "XA-N", "XA-S"]


def test_children_of_a_region(client: FlaskClient, officers: Officers) -> None:
    answer = client.get("/api/v1/regions?parent=xa", headers=officers.of("registrar"))
    assert [each["code"] for each in answer.get_json()["regions"]] == ["XA-N", "XA-S"]


def test_a_parent_that_does_not_exist_is_an_error_and_no_empty_list(
    client: FlaskClient, officers: Officers
) -> None:
    answer = client.get("/api/v1/regions?parent=ZZ", headers=officers.of("registrar"))
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["parameter"] == "parent"


@pytest.mark.parametrize(("begins", "codes"), [("pays du n", ["XA-N"]), ("xa-s", ["XA-S"]), ("zz", [])])
def test_search_by_the_first_letters_of_a_name_or_code(
    client: FlaskClient, officers: Officers, begins: str, codes: list[str]
) -> None:
    answer = client.get("/api/v1/regions", query_string={"q": begins}, headers=officers.of("auditor"))
    assert [each["code"] for each in answer.get_json()["regions"]] == codes


def test_one_region_with_its_names_and_box(client: FlaskClient, officers: Officers) -> None:
    body = client.get("/api/v1/regions/XA-N", headers=officers.of("auditor")).get_json()
    assert body["names"] == {"en": "Northland", "fr": "Pays du Nord"}
    assert (body["parent"], body["box"], body["has_geometry"]) == ("XA", [10, 2, 14, 4], True)
    assert client.get("/api/v1/regions/ZZ", headers=officers.of("auditor")).status_code == 404


@pytest.mark.parametrize("cursor", ["%%%", "_w", "AA", "A"])
def test_a_foreign_cursor_is_refused(client: FlaskClient, officers: Officers, cursor: str) -> None:
    answer = client.get("/api/v1/regions", query_string={"cursor": cursor}, headers=officers.of("auditor"))
    assert answer.status_code == 422
