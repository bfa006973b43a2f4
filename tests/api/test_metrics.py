"""/metrics: who may read it, what it says when something is away, and that requests of every process add up."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from alerting import create_app
from alerting.config import ConfigurationError, Settings
from alerting.metrics import Exposition, Traffic
from alerting.store import engine
from tests.api.conftest import Officers
from tests.conftest import ROOT
from tests.metrics.conftest import Look

TOKEN = "a token of the tests"[2:].replace(" ", "-")
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def scraped(settings: Settings) -> Iterator[Flask]:
    """The application with a METRICS_TOKEN."""
    made = create_app(replace(settings, metrics_token=TOKEN))
    yield made
    engine.dispose()


def test_officers_and_auditors_may_read_and_others_not(client: FlaskClient, officers: Officers) -> None:
    allowed = {name for name in officers.secrets if client.get("/metrics", headers=officers.of(name)).status_code == 200}  # fmt: skip
    assert allowed == {"administrator", "approver", "second", "auditor"}
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=BEARER).status_code == 401  # no token is set


def test_the_token_opens_the_figures_and_nothing_else(scraped: Flask) -> None:
    client = scraped.test_client()
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer \xe9"}).status_code == 401
    assert client.get("/api/v1/alerts", headers=BEARER).status_code == 401


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN must have at least 16"):
        Settings.from_env({"METRICS_TOKEN": "short"})


def test_without_a_database_the_token_still_opens_and_the_figures_say_what_is_away(
    settings: Settings,
) -> None:
    away = replace(settings, metrics_token=TOKEN, redis_url="redis://127.0.0.1:9/0")
    client = create_app(away).test_client()
    engine.configure("postgresql://somebody:hidden@127.0.0.1:9/x")
    try:
        answer = client.get("/metrics", headers=BEARER)
    finally:
        engine.dispose()
    look = Look(answer.text)
    assert answer.status_code == 200
    assert look.has("alerting_postgresql_up")
    assert (look("alerting_postgresql_up"), look("alerting_redis_up"), look("alerting_scrape_complete")) == (
        0,
        0,
        0,
    )
    assert not look.has("alerting_batches")
    assert "hidden" not in answer.text


def test_requests_are_counted_by_route_never_by_address(scraped: Flask) -> None:
    client = scraped.test_client()
    for path in (
        "/healthz",
        "/healthz",
        "/api/v1/alerts",
        "/feeds/all.atom",
        "/w/k3x9qa",
        "/nowhere/+15550001234",
    ):
        client.get(path)
    client.open("/healthz", method="SECRET")
    text = client.get("/metrics", headers=BEARER).text
    look = Look(text)
    assert look("alerting_http_requests_total", method="GET", route="/healthz", status="200") == 2
    assert look("alerting_http_requests_total", method="GET", route="/feeds/", status="200") == 1
    assert look("alerting_http_requests_total", method="GET", route="other", status="404") == 1
    assert look("alerting_http_requests_total", method="other") == 1
    assert look("alerting_http_requests_total", status="401") == 1
    assert look("alerting_http_requests_total") == 7
    assert "15550001234" not in text
    assert "k3x9qa" not in text
    assert "SECRET" not in text


def test_a_scraper_in_a_hurry_gets_the_same_answer_again(settings: Settings) -> None:
    clock = [100.0]
    traffic = Traffic()
    exposition = Exposition(settings.redis_url, traffic, clock=lambda: clock[0])

    def requests() -> float:
        return Look(exposition.text(now=datetime.now(UTC)).decode())("alerting_http_requests_total")

    traffic.count("GET", "/x", 200, serving=False)
    assert requests() == 1
    traffic.count("GET", "/x", 200, serving=False)
    clock[0] += 1.9
    assert requests() == 1
    clock[0] += 0.2
    assert requests() == 2


def test_counts_wait_for_a_database_that_is_away(settings: Settings) -> None:
    traffic = Traffic()
    traffic.count("GET", "/x", 200, serving=False)
    engine.configure("postgresql://127.0.0.1:9/x")
    traffic.write()
    engine.configure(settings.database_url)
    text = Exposition(settings.redis_url, traffic).text(now=datetime.now(UTC)).decode()
    assert Look(text)("alerting_http_requests_total") == 1


def test_counts_that_a_database_refuses_wait_and_break_no_scrape(settings: Settings) -> None:
    def run(statement: str) -> None:
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(statement)

    traffic = Traffic()
    traffic.count("GET", "/x", 200, serving=False)
    run("ALTER TABLE metric ADD CONSTRAINT refused CHECK (name <> 'http')")
    traffic.write()
    run("ALTER TABLE metric DROP CONSTRAINT refused")
    traffic.write()
    text = Exposition(settings.redis_url, traffic).text(now=datetime.now(UTC)).decode()
    assert Look(text)("alerting_http_requests_total") == 1


# ---- several processes ----


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[int]:
    """The port of two web processes."""
    port = free_port()
    variables = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "ADDRESS_KEYS": "k1:" + b64encode(bytes(32)).decode(),
        "ADDRESS_MAC_KEY": b64encode(bytes(32)).decode(),
        "METRICS_TOKEN": TOKEN,
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        f"--bind=127.0.0.1:{port}",
        "--workers=2",
        "--worker-class=gthread",
    ]
    command += [
        "--threads=2",
        "--keep-alive=0",
        "--log-level=warning",
        "--no-control-socket",
        "alerting:create_app()",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stdout=log, stderr=log)
        try:
            eventually(lambda: answered(port, "/healthz")[0] == 200, 30)
            yield port
        finally:
            process.terminate()
            process.wait(15)


def answered(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def eventually(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.slow
def test_what_two_processes_answered_adds_up_whichever_is_asked(server: int, settings: Settings) -> None:
    for _ in range(60):
        assert answered(server, "/robots.txt")[0] in {200, 404}

    def seen() -> float:
        status, text = answered(server, "/metrics", BEARER)
        assert status == 200
        look = Look(text)
        return (
            look("alerting_http_requests_total")
            - look("alerting_http_requests_total", route="/metrics")
            - look("alerting_http_requests_total", route="/healthz")
        )

    # Each process keeps an answer for two seconds, and its own counts for as long.
    eventually(lambda: {seen() for _ in range(6)} == {60}, 15)
