"""The bodies of docs/api.md are taken by the service as they stand there."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from tests.api.conftest import Officers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"<!-- tested: (\w+) (\S+) (\w+) -->\n```json\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.usefixtures("country", "at_once")


def _examples() -> dict[str, tuple[str, str, Any]]:
    found = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    return {path: (method, role, json.loads(body)) for method, path, role, body in found}


def test_every_body_of_the_page_is_taken(client: FlaskClient, officers: Officers) -> None:
    examples = _examples()
    assert len(examples) == 5
    place = ""
    # The page's warning was sent on a morning of its own.
    with time_machine.travel(datetime(2026, 11, 2, 8, 31, tzinfo=UTC), tick=True):
        for path, (method, role, body) in examples.items():
            address = path.replace("/api/v1/alerts/{id}", place)
            answer = client.open(address, method=method, json=body, headers=officers.of(role))
            assert answer.status_code in {200, 201}, (path, answer.text)
            if path == "/api/v1/alerts":
                place = answer.headers["Location"]
                assert answer.get_json()["warnings"] == []


def test_every_other_json_of_the_page_is_json() -> None:
    for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        json.loads(block)
