"""The log of requests: a line each, found by its id, without keys, tokens or people."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Officers


def test_a_request_is_one_line_of_json_with_its_id_route_and_key_name(
    client: FlaskClient, officers: Officers, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "/api/v1/regions/secret-place?token=hidden"
    answer = client.get(address, headers={**officers.of("auditor"), "X-Request-Id": "from-the-proxy-1"})
    written = capsys.readouterr().out
    line = json.loads(written.splitlines()[-1])
    assert line["request_id"] == answer.headers["X-Request-Id"] == "from-the-proxy-1"
    assert (line["method"], line["route"], line["key"]) == ("GET", "/api/v1/regions/<code>", "auditor")
    for secret in ("secret-place", "hidden", officers.secrets["auditor"]):
        assert secret not in written


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "line\tbreak-x"])
def test_a_request_id_that_could_harm_the_log_is_replaced(client: FlaskClient, given: str) -> None:
    made = client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert made != given
    assert len(made) == 32
