from __future__ import annotations

import json

import pytest

from channels.base import Misconfigured, Reason, Status
from channels.twilio_words import answer, callback, retry_after


def error(code: int) -> str:
    return json.dumps({"code": code, "message": "about +15550001234", "status": 400})


@pytest.mark.parametrize(
    ("http", "code", "status", "reason"),
    [
        (400, 21211, Status.REJECTED, Reason.INVALID_ADDRESS),
        (400, 21408, Status.REJECTED, Reason.BLOCKED),
        (400, 21610, Status.OPTED_OUT, None),
        (400, 21611, Status.THROTTLED, Reason.QUEUE_FULL),
        (400, 21614, Status.REJECTED, Reason.INVALID_ADDRESS),
        (400, 21617, Status.REJECTED, Reason.CONTENT_REFUSED),
        (400, 21635, Status.REJECTED, Reason.LANDLINE),
        (429, 20429, Status.THROTTLED, None),
        (429, 0, Status.THROTTLED, None),
        (400, 30001, Status.THROTTLED, Reason.QUEUE_FULL),
        (500, 0, Status.UNREACHABLE, Reason.PROVIDER_ERROR),
        (502, 0, Status.AMBIGUOUS, Reason.PROVIDER_ERROR),
        (503, 20503, Status.UNREACHABLE, Reason.PROVIDER_ERROR),
        (504, 0, Status.AMBIGUOUS, Reason.TIMED_OUT),
        (418, 0, Status.UNKNOWN, Reason.OTHER),
        (400, 99999, Status.UNKNOWN, Reason.OTHER),
    ],
)
def test_a_refusal_is_read_by_its_code(http: int, code: int, status: Status, reason: Reason | None):
    read = answer(http, error(code))

    assert (read.status, read.reason, read.fatal) == (status, reason, None)
    assert read.raw == (f"{http} {code}" if code else str(http))


@pytest.mark.parametrize(
    ("http", "code"), [(401, 20003), (403, 0), (404, 20404), (400, 21703), (400, 21606), (401, 0)]
)
def test_what_no_recipient_can_help_ends_the_run(http: int, code: int):
    read = answer(http, error(code))

    assert isinstance(read.fatal, Misconfigured)
    assert read.status is Status.UNREACHABLE


def test_a_reply_that_is_not_json_is_read_by_its_http_code_alone():
    assert answer(503, "<html>down</html>").status is Status.UNREACHABLE
    assert answer(201, "<html>hello</html>").status is Status.AMBIGUOUS


def test_a_made_message_has_its_sid_as_reference():
    read = answer(201, '{"sid": "SM1", "status": "queued", "error_code": null}')

    assert (read.status, read.reference, read.raw) == (Status.ACCEPTED, "SM1", "queued")


def test_a_message_made_and_failed_at_once_has_its_reason():
    read = answer(201, '{"sid": "SM1", "status": "failed", "error_code": 30001}')

    assert (read.status, read.reason) == (Status.UNDELIVERED, Reason.QUEUE_FULL)


@pytest.mark.parametrize(
    ("word", "code", "status", "reason"),
    [
        ("sent", "", Status.ACCEPTED, None),
        ("delivered", "", Status.DELIVERED, None),
        ("undelivered", "30003", Status.UNDELIVERED, Reason.NOT_REACHABLE),
        ("undelivered", "30007", Status.UNDELIVERED, Reason.BLOCKED),
        ("failed", "30036", Status.UNDELIVERED, Reason.EXPIRED),
        ("failed", "12345", Status.UNDELIVERED, Reason.OTHER),
        ("failed", "21610", Status.OPTED_OUT, None),
        ("canceled", "", Status.UNDELIVERED, Reason.EXPIRED),
        ("teleported", "", Status.UNKNOWN, None),
    ],
)
def test_a_callback_is_read_by_its_word_and_code(word: str, code: str, status: Status, reason: Reason | None):
    assert callback(word, code) == (status, reason)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        (None, None),
        ("soon", None),
        ("-1", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_not_said(value: str | None, seconds: float | None):
    assert retry_after(value) == seconds
