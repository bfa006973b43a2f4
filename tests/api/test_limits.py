"""How many requests one caller may make, and that Redis away refuses none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from alerting import create_app
from alerting.api import limits
from alerting.config import Settings
from tests.api.conftest import Officers


def test_too_many_requests_of_one_key_are_429_with_retry_after(
    app: Flask, client: FlaskClient, officers: Officers
) -> None:
    app.config["RATELIMIT"] = "3 per minute"
    answers = [client.get("/api/v1/alerts", headers=officers.of("auditor")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].mimetype == "application/problem+json"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert client.get("/api/v1/alerts", headers=officers.of("approver")).status_code == 200


def test_callers_without_a_good_key_are_counted_by_their_address(app: Flask, client: FlaskClient) -> None:
    app.config["RATELIMIT"] = "3 per minute"
    assert [client.get("/api/v1/alerts").status_code for _ in range(4)] == [401, 401, 401, 429]


def test_health_and_webhooks_are_never_limited(app: Flask, client: FlaskClient) -> None:
    app.config["RATELIMIT"] = "1 per minute"
    assert {client.get("/healthz").status_code for _ in range(3)} == {200}
    assert {client.post("/webhooks/sms/status").status_code for _ in range(3)} == {403}


def test_with_redis_away_requests_are_served_and_still_counted(
    settings: Settings, officers: Officers
) -> None:
    app = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0"))
    app.config["RATELIMIT"] = "3 per minute"
    client = app.test_client()
    answers = [client.get("/api/v1/alerts", headers=officers.of("auditor")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


@pytest.mark.usefixtures("country", "at_once")
def test_with_redis_away_a_warning_is_issued_without_waiting_long(
    settings: Settings, officers: Officers, warning: Callable[..., dict[str, Any]]
) -> None:
    client = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0")).test_client()
    began = time.monotonic()
    answer = client.post("/api/v1/alerts", json={"alert": warning()}, headers=officers.of("preparer"))
    assert (answer.status_code, answer.get_json()["state"]) == (201, "issued")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),
        ("unix:///run/redis.sock?db=1", "redis+unix:///run/redis.sock?db=1"),
        ("redis+sentinel://:pw@a:26379,b:26379/main/2", "redis+sentinel://:pw@a:26379,b:26379/main"),
        ("redis+sentinel://a:26379/main", "redis+sentinel://a:26379/main"),
    ],
)
def test_every_redis_url_that_the_service_takes_is_one_for_the_limits(written: str, read: str) -> None:
    assert limits._storage(written) == read
