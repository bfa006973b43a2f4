"""Event terms over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Officers


def ask(client: FlaskClient, officers: Officers, query: str) -> Any:
    answer = client.get(f"/api/v1/events{query}", headers=officers.of("preparer"))
    assert answer.status_code == 200, answer.text
    return answer.get_json()["events"]


def test_a_term_has_its_code_names_categories_and_an_instruction_with_its_source(
    client: FlaskClient, officers: Officers
) -> None:
    (found,) = ask(client, officers, "?q=OET-079")
    (instruction,) = found.pop("instructions")
    assert found == {
        "scheme": "OET",
        "code": "OET-079",
        "value_name": "OET:v1.2",
        "names": [{"language": "en", "name": "flash flood"}],
        "groups": ["flood"],
        "categories": ["Met"],
        "response_types": ["Evacuate", "Avoid"],
        "oet": "OET-079",
        "severity": None,
    }
    assert instruction["source"] == "https://www.ready.gov/floods"
    assert set(instruction) == {"language", "text", "source", "publisher", "licence"}


def test_a_search_keeps_its_order_its_scheme_its_language_and_its_limit(
    client: FlaskClient, officers: Officers
) -> None:
    assert [each["code"] for each in ask(client, officers, "?q=tor")][:2] == ["TOR", "OET-196"]
    assert len(ask(client, officers, "?q=flood&limit=2")) == 2
    assert {each["scheme"] for each in ask(client, officers, "?q=flood&scheme=SAME")} == {"SAME"}
    grades = ask(client, officers, "?scheme=CN-GRADE&language=zh-Hans")
    assert [(each["code"], each["severity"], each["value_name"]) for each in grades] == [
        ("I", "Extreme", None),
        ("II", "Severe", None),
        ("III", "Moderate", None),
        ("IV", "Minor", None),
    ]
    assert ask(client, officers, "?q=nothing+like+it") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?scheme=XXX", "scheme"),
        ("?language=no+tag", "language"),
        ("?limit=0", "limit"),
        ("?limit=501", "limit"),
        ("?word=flood", "word"),
        (f"?q={'x' * 101}", "q"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    client: FlaskClient, officers: Officers, query: str, parameter: str
) -> None:
    answer = client.get(f"/api/v1/events{query}", headers=officers.of("auditor"))
    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.get_json()["errors"]] == [parameter]
