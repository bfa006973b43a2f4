"""Who was reached, over HTTP: numbers, and rows with masked addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from alerting.store.engine import transaction
from tests.api.conftest import Officers

NUMBERS = [f"+1201555010{n}" for n in range(5)]


@pytest.fixture
def reached(
    client: FlaskClient,
    officers: Officers,
    country: None,
    at_once: None,
    warning: Callable[..., dict[str, Any]],
) -> str:
    """The address of an issued warning of which five texts have gone out, three of them delivered."""
    rows = "phone,regions\n" + "".join(f"{number},XA-S\n" for number in NUMBERS)
    client.post(
        "/api/v1/subscribers/import", data=rows, content_type="text/csv", headers=officers.of("registrar")
    )
    made = client.post("/api/v1/alerts", json={"alert": warning()}, headers=officers.of("preparer"))
    with transaction() as session:
        sms = session.execute(
            text("UPDATE dispatch SET state = 'done', planned = 5 WHERE channel = 'sms' RETURNING id")
        ).scalar_one()
        session.execute(
            text("""
                INSERT INTO delivery (dispatch, n, address, segment, region, language, status, at)
                SELECT :sms, row_number() OVER (ORDER BY id), id, 0, (SELECT id FROM region WHERE code = 'XA-S'), 'en',
                       CASE WHEN row_number() OVER (ORDER BY id) <= 3 THEN 'delivered' ELSE 'rejected' END
                         ::delivery_status, now()
                FROM address
            """),
            {"sms": sms},
        )
        session.execute(
            text("INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3")
        )
    place: str = made.headers["Location"]
    return place


def test_numbers_by_channel_region_and_status(client: FlaskClient, officers: Officers, reached: str) -> None:
    body = client.get(f"{reached}/deliveries", headers=officers.of("auditor")).get_json()
    counted = {(each["channel"], each["region"], each["status"]): each["n"] for each in body["tallies"]}
    assert counted == {("sms", "XA-S", "delivered"): 3, ("sms", "XA-S", "rejected"): 2}
    assert {each["region_name"] for each in body["tallies"]} == {"Southland"}
    assert body["finished"] is False


def test_a_warning_shows_the_sums_of_each_channel(
    client: FlaskClient, officers: Officers, reached: str
) -> None:
    body = client.get(reached, headers=officers.of("auditor")).get_json()
    sms = next(each for each in body["dispatches"] if each["channel"] == "sms")
    assert (sms["state"], sms["planned"], sms["tallies"]) == ("done", 5, {"delivered": 3, "rejected": 2})


def test_rows_come_in_pages_each_once_and_masked(
    client: FlaskClient, officers: Officers, reached: str
) -> None:
    found, address = [], f"{reached}/deliveries?rows=true&limit=2"
    while address:
        answer = client.get(address, headers=officers.of("auditor"))
        assert answer.status_code == 200, answer.text
        found += answer.get_json()["rows"]
        address = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
        for number in NUMBERS:
            assert number not in answer.text
    assert [row["n"] for row in found] == [1, 2, 3, 4, 5]
    assert {row["region"] for row in found} == {"XA-S"}
    assert all(row["to"] for row in found)


@pytest.mark.parametrize("cursor", ["MQ", "LTEuMQ", "MS4", "x" * 40])
def test_a_foreign_cursor_of_rows_is_refused(
    client: FlaskClient, officers: Officers, reached: str, cursor: str
) -> None:
    query = {"rows": "true", "cursor": cursor}
    answer = client.get(f"{reached}/deliveries", query_string=query, headers=officers.of("auditor"))
    assert answer.status_code == 422
