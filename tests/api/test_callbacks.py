"""Status callbacks over HTTP, on the service's own server with all its threads: written when answered, or not answered 204."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from alerting.api import callbacks
from alerting.api.access import access_of
from alerting.cli.stack import answers, gunicorn_arguments
from alerting.config import Settings
from alerting.store import engine, receipts
from alerting.store.engine import transaction
from alerting.tracking.writer import Writer
from bench.callbacks import Count, callback, post
from bench.machine import free_port
from bench.parts import Parts

BASE = "http://127.0.0.1:8000"
STATUS = "/webhooks/sms/status?delivery=7.42"


# ---- a real server ----


@dataclass(frozen=True, slots=True)
class Served:
    """The application in gunicorn, as `alerting up` starts it."""

    settings: Settings
    process: subprocess.Popen[bytes]

    def callback(self, number: int, word: str = "delivered", *, token: str = "", sid: int = 0) -> bytes:
        origin = f"http://127.0.0.1:{self.settings.port}"
        return callback(token or self.settings.twilio_auth_token, origin, f"7.{number}", sid, word)

    def post(self, requests: list[bytes], seconds: float = 30, connections: int = 24) -> Count:
        return asyncio.run(post(self.settings.port, requests, seconds, connections))


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    settings = replace(settings, port=free_port())
    environ = Parts(settings, settings.twilio_api_base_url, settings.smtp_url).environ(
        PUBLIC_BASE_URL=f"http://127.0.0.1:{settings.port}", LOG_LEVEL="ERROR"
    )
    command = [sys.executable, "-m", "gunicorn", *gunicorn_arguments(settings), "alerting:create_app()"]
    with subprocess.Popen(command, env=environ, start_new_session=True) as process:
        deadline = time.monotonic() + 30
        while not answers(settings.port, "/healthz"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Served(settings, process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def rows() -> list[tuple[str, int]]:
    with transaction() as session:
        found = session.execute(text("SELECT event_id, n FROM receipt ORDER BY id"))
        return [(event, n) for event, n in found]


def test_every_answer_of_many_threads_is_a_row_and_a_doubled_one_is_no_second(served: Served) -> None:
    once = [served.callback(n) for n in range(150)]
    count = served.post(once + once[::3])
    assert (count.answered, count.refused, count.broken) == (200, 0, 0)
    found = rows()
    assert sorted(n for _, n in found) == list(range(150))
    with transaction() as session:
        transactions = session.execute(text("SELECT count(DISTINCT xmin::text) FROM receipt")).scalar_one()
    assert transactions < 150  # some were written together


def test_forged_callbacks_among_good_ones_are_refused_and_leave_nothing(served: Served) -> None:
    good = [served.callback(n) for n in range(30)]
    forged = [served.callback(n, token="f" * 32) for n in range(100, 110)]
    assert served.post(forged, connections=10).refused == 10
    assert served.post(good).answered == 30
    assert served.post([good[0].replace(b"delivery=7.0", b"delivery=7.9")], connections=1).refused == 1
    assert sorted(n for _, n in rows()) == list(range(30))


def test_what_was_answered_before_a_kill_is_written(served: Served) -> None:
    requests = [served.callback(n) for n in range(20_000)]

    def some_rows() -> None:
        while len(rows()) < 50:
            time.sleep(0.01)

    async def killed() -> Count:
        posting = asyncio.create_task(post(served.settings.port, requests, 20, 24))
        await asyncio.to_thread(some_rows)
        os.killpg(served.process.pid, signal.SIGKILL)
        return await posting

    count = asyncio.run(killed())
    assert count.answered > 0
    assert count.broken > 0
    answered = {number for request in count.whose for number in re.findall(rb"delivery=7\.(\d+)", request)}
    assert len(answered) == count.answered
    assert {int(number) for number in answered} <= {n for _, n in rows()}


def test_a_server_that_is_told_to_end_answers_what_it_has_taken(served: Served) -> None:
    with engine.engine().connect() as connection:  # as the reader does: nobody may write meanwhile
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": receipts.WRITING})

        async def ended() -> Count:
            posting = asyncio.create_task(post(served.settings.port, [served.callback(1)], 5, 1))
            await asyncio.sleep(0.5)
            assert not posting.done()
            served.process.terminate()
            await asyncio.sleep(0.5)
            assert rows() == []
            connection.rollback()
            return await posting

        count = asyncio.run(ended())
    assert (count.answered, len(rows())) == (1, 1)


# ---- the layer ----


def signed(settings: Settings, path: str, form: dict[str, str]) -> dict[str, str]:
    validator = RequestValidator(settings.twilio_auth_token)
    return {"X-Twilio-Signature": validator.compute_signature(settings.public_base_url + path, form)}


FORM = {"MessageSid": "SM1", "MessageStatus": "delivered"}


def test_while_the_database_is_away_nothing_is_answered_204(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    engine.configure("postgresql://127.0.0.1:9/nowhere")
    answer = client.post(STATUS, data=FORM, headers=signed(settings, STATUS, FORM))
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    engine.configure(settings.database_url)
    assert rows() == []
    assert client.post(STATUS, data=FORM, headers=signed(settings, STATUS, FORM)).status_code == 204
    assert rows() == [("SM1:delivered", 42)]


def test_more_than_can_be_written_is_answered_503(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: Writer[receipts.Receipt, int] = Writer(lambda groups: [0 for _ in groups], most_waiting=0)
    monkeypatch.setattr("alerting.tracking.receipts._writer", full)
    answer = client.post(STATUS, data=FORM, headers=signed(settings, STATUS, FORM))
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:alerting:problem:busy")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_layer_answers_only_where_a_route_for_providers_stands(app: Flask) -> None:
    layer = app.wsgi_app
    while not isinstance(layer, callbacks.Callbacks):
        layer = layer._app  # type: ignore[attr-defined]
    assert layer._channels
    urls = app.url_map.bind("localhost")
    for path in layer._channels:
        endpoint, _ = urls.match(path, method="POST")
        assert endpoint == "webhooks.status"
        assert access_of(app.view_functions[endpoint]) == "webhook"


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"method": "GET"}, 405),
        ({"path": "/webhooks/pigeon/status"}, 404),
        ({"content_type": "application/json", "data": b"{}"}, 403),
        ({"data": b"a=%ff"}, 403),
        ({"data": b"a=\xff"}, 403),
        ({"data": b""}, 403),
    ],
)
def test_what_is_no_plain_callback_is_answered_by_the_route(
    client: FlaskClient, environ: dict[str, object], status: int
) -> None:
    given = {"path": STATUS, "method": "POST", "content_type": callbacks.FORM, "data": b"a=b", **environ}
    answer = client.open(**given)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert "X-Request-Id" in answer.headers
    assert rows() == []


def test_a_callback_with_a_character_that_no_database_takes_is_kept_without_it(
    client: FlaskClient, settings: Settings
) -> None:
    form = {**FORM, "MessageSid": "SM\0x", "Odd": "a\0b"}
    assert client.post(STATUS, data=form, headers=signed(settings, STATUS, form)).status_code == 204
    with transaction() as session:
        raw = session.execute(text("SELECT raw FROM receipt")).scalar_one()
    assert raw["Odd"] == "a\ufffdb"


@given(
    st.lists(st.tuples(st.text("aB%+=é ñ☂&;", max_size=5), st.text("aB%+=é ñ☂&;", max_size=5)), max_size=6)
)
def test_a_form_is_read_as_the_standard_library_reads_it(pairs: list[tuple[str, str]]) -> None:
    written = (
        "&".join(f"{name}={value}" for name, value in pairs).encode("ascii", "xmlcharrefreplace").decode()
    )
    try:
        expected = dict(reversed(parse_qsl(written, keep_blank_values=True, errors="strict")))
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            callbacks._first(written)
        return
    assert callbacks._first(written) == expected


def test_a_body_of_another_length_or_in_chunks_is_left_to_the_route() -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": callbacks.FORM,
        "CONTENT_LENGTH": "3",
        "wsgi.input": BytesIO(b"a=b"),
    }
    assert callbacks._form(environ) == b"a=b"
    for change in (
        {"CONTENT_LENGTH": str(callbacks.LARGEST + 1)},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-3"},
        {"CONTENT_LENGTH": "٣"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"REQUEST_METHOD": "PUT"},
    ):
        assert callbacks._form({**environ, "wsgi.input": BytesIO(b"a=b"), **change}) is None
