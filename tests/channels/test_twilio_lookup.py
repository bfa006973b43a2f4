"""Asking Twilio whether it has a text whose reply was lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from channels.base import Content, Message, Reason, SendResult, Status
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox, SandboxConfig
from channels.twilio_sms import TwilioConfig, TwilioSms

SID, SERVICE = "AC" + "0" * 32, "MG" + "0" * 32
SINCE = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
TEXT = Content("Flood: leave  the river banks\nnow", "en")
TO = "+15550000001"

Lists = Callable[[dict[str, list[str]]], tuple[int, Any]]


@pytest.fixture
def twilio() -> Iterator[tuple[TwilioSms, list[Lists], list[str]]]:
    """The channel at an API that lists what the test says and notes what it was asked; a POST is accepted."""
    lists: list[Lists] = []
    asked: list[str] = []

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            self.answer(*lists[-1](parse_qs(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            asked.append("POST")
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(201, {"sid": "SMnew", "status": "accepted"})

        def answer(self, code: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    channel = TwilioSms(TwilioConfig(SID, "token", SERVICE, f"http://127.0.0.1:{server.server_port}"))
    yield channel, lists, asked
    channel.close()
    server.shutdown()
    server.server_close()


def listed(**fields: object) -> dict[str, object]:
    return {
        "sid": "SMold",
        "to": TO,
        "body": "Flood: leave the river banks now",
        "status": "sent",
        "error_code": None,
        "date_created": format_datetime(SINCE + timedelta(seconds=5)),
        **fields,
    }


def send(channel: TwilioSms, since: datetime | None = SINCE) -> SendResult:
    results: SimpleQueue[SendResult] = SimpleQueue()
    run = channel.open(iter([Message(1, "7.1", TO, TEXT, doubt_since=since)]), results)
    assert run.done.wait(10)
    return results.get()


def test_a_text_that_twilio_has_takes_its_status_and_sid_and_is_not_sent(
    twilio: tuple[TwilioSms, list[Lists], list[str]],
):
    channel, lists, asked = twilio
    lists.append(lambda _: (200, {"messages": [listed()]}))
    assert send(channel) == SendResult(1, Status.ACCEPTED, None, "SMold", "found sent", found=True)
    (question,) = asked
    assert parse_qs(urlsplit(question).query) == {
        "To": [TO],
        "PageSize": ["50"],
        "DateSent>": ["2026-11-22T12:29:00Z"],
    }


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"status": "delivered"}, Status.DELIVERED, None),
        ({"status": "queued"}, Status.ACCEPTED, None),
        ({"status": "undelivered", "error_code": 30003}, Status.UNDELIVERED, Reason.NOT_REACHABLE),
        ({"status": "failed", "error_code": 21610}, Status.OPTED_OUT, None),
        ({"status": "of tomorrow"}, Status.UNKNOWN, None),
        ({"body": "Sent from your Twilio trial account - Flood: leave the river banks now"}, Status.ACCEPTED, None),
    ],
)  # fmt: skip
def test_what_became_of_a_found_text_is_read_as_a_callback_would_be(
    twilio: tuple[TwilioSms, list[Lists], list[str]],
    fields: dict[str, object],
    status: Status,
    reason: Reason | None,
):
    channel, lists, _ = twilio
    lists.append(lambda _: (200, {"messages": [listed(**fields)]}))
    result = send(channel)
    assert (result.status, result.reason, result.found) == (status, reason, True)


def test_of_several_texts_that_fit_the_one_that_got_furthest_counts(
    twilio: tuple[TwilioSms, list[Lists], list[str]],
):
    channel, lists, _ = twilio
    several = [listed(status="failed"), listed(sid="SMbest", status="delivered"), listed()]
    lists.append(lambda _: (200, {"messages": several}))
    assert send(channel).reference == "SMbest"


@pytest.mark.parametrize(
    "fields",
    [
        {"body": "Flood: all clear"},
        {"to": "+15550000002"},
        {"date_created": format_datetime(SINCE - timedelta(minutes=2))},
    ],
    ids=["another text", "another number", "older than the warning"],
)
def test_what_is_not_this_message_is_sent_after_a_second_question_without_the_date(
    twilio: tuple[TwilioSms, list[Lists], list[str]], fields: dict[str, object]
):
    channel, lists, asked = twilio
    lists.append(lambda _: (200, {"messages": [listed(**fields)]}))
    assert send(channel) == SendResult(1, Status.ACCEPTED, None, "SMnew", "accepted")
    assert ["DateSent" in question for question in asked] == [True, False, False]
    assert asked[-1] == "POST"


def test_a_text_that_waits_in_twilios_queue_has_no_date_of_sending_and_is_found_all_the_same(
    twilio: tuple[TwilioSms, list[Lists], list[str]],
):
    channel, lists, _ = twilio
    lists.append(lambda query: (200, {"messages": [] if "DateSent>" in query else [listed(status="queued")]}))
    assert send(channel).found


@pytest.mark.parametrize(
    ("code", "document", "status"),
    [
        (429, {}, Status.THROTTLED),
        (403, {"code": 20403}, Status.THROTTLED),
        (503, {}, Status.UNREACHABLE),
        (200, {"no": "list"}, Status.UNREACHABLE),
        (200, [], Status.UNREACHABLE),
    ],
)
def test_without_an_answer_nothing_is_sent_and_it_is_tried_again(
    twilio: tuple[TwilioSms, list[Lists], list[str]], code: int, document: Any, status: Status
):
    channel, lists, asked = twilio
    lists.append(lambda _: (code, document))
    result = send(channel)
    assert (result.status, result.retry_after, result.found) == (status, 7.0, False)
    assert "POST" not in asked


def test_a_message_without_doubt_asks_nothing(twilio: tuple[TwilioSms, list[Lists], list[str]]):
    channel, _, asked = twilio
    assert send(channel, None).reference == "SMnew"
    assert asked == ["POST"]


def test_the_sandbox_answers_as_twilio_does():
    with Sandbox(SandboxConfig(SID, "token")) as sandbox:
        channel = TwilioSms(TwilioConfig(SID, "token", SERVICE, sandbox.http_url))
        began = datetime.now(UTC)
        sandbox.misbehave(Rule("sms", drop=True, times=1))
        assert send(channel, None).status is Status.AMBIGUOUS
        found = send(channel, began)
        assert (found.found, found.reference) == (True, sandbox.received("sms")[0].reference)
        assert not send(channel, began + timedelta(hours=1)).found
        channel.close()


def test_no_number_stays_in_the_clients_memory_after_a_look_up(
    twilio: tuple[TwilioSms, list[Lists], list[str]],
):
    channel, lists, _ = twilio
    lists.append(lambda _: (200, {"messages": [listed()]}))
    send(channel)
    assert channel._http is not None
    assert not any(TO[1:] in str(key) for key in channel._http._heads)
