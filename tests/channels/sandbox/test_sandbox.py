"""The sandbox as its users see it: an API, an SMTP server, callbacks, a script and an inbox."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from twilio.rest import Client

from channels.base import InboundEvent, Reason, ReceiptEvent, Status, Webhook
from channels.sandbox.script import Rule, ScriptError, parse
from channels.sandbox.server import PortTaken, Sandbox, SandboxConfig
from channels.twilio_sms import TwilioConfig, TwilioSms

ROOT = Path(__file__).resolve().parents[3]
SID = "AC" + "0" * 32
SERVICE = "MG" + "0" * 32
MESSAGES = f"/2010-04-01/Accounts/{SID}/Messages.json"
GOOD = {"To": "+15550000001", "Body": "Flood", "MessagingServiceSid": SERVICE}
AUTHORIZATION = {"Authorization": "Basic " + b64encode(f"{SID}:token".encode()).decode()}


def ask(
    url: str, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return (
            response.status,
            {k.lower(): v for k, v in response.getheaders()},
            json.loads(text) if is_json else text,
        )
    finally:
        connection.close()


def post_text(
    sandbox: Sandbox, form: dict[str, str], auth: dict[str, str] = AUTHORIZATION
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **auth}
    status, _, document = ask(sandbox.http_url, "POST", MESSAGES, urlencode(form), headers)
    return status, document


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(SID, "token", callbacks=("sent", "delivered"))) as running:
        yield running


@contextmanager
def webhook_server(answer: int = 200) -> Iterator[tuple[str, list[Webhook]]]:
    """A web server that notes the requests it gets."""
    seen: list[Webhook] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = f"http://{self.headers['Host']}{self.path}"
            seen.append(
                Webhook(
                    url,
                    "POST",
                    {name.lower(): value for name, value in self.headers.items()},
                    dict(parse_qsl(body.decode(), keep_blank_values=True)),
                    dict(parse_qsl(urlsplit(self.path).query)),
                )
            )
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ---- the API ----


def test_twilios_own_client_can_send_and_fetch_a_text(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    from twilio.http.http_client import TwilioHttpClient

    class Here(TwilioHttpClient):  # type: ignore[misc]
        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
            return super().request(
                method, url.replace("https://api.twilio.com", sandbox.http_url), *args, **more
            )

    client = Client(SID, "token", http_client=Here(pool_connections=False))
    made = client.messages.create(to="+15550000001", body="Flood", messaging_service_sid=SERVICE)
    fetched = client.messages(made.sid).fetch()

    assert made.status == "accepted"
    assert (fetched.sid, fetched.body, fetched.to) == (made.sid, "Flood", "+15550000001")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"Body": ""}, 21602),
        ({"MessagingServiceSid": ""}, 21603),
        ({"To": "12"}, 21211),
        ({"MessagingServiceSid": "MG1"}, 21705),
        ({"Body": "x" * 1601}, 21617),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"StatusCallback": "/status"}, 21609),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(sandbox: Sandbox, change: dict[str, str], code: int):
    form = {name: value for name, value in {**GOOD, **change}.items() if value}
    status, document = post_text(sandbox, form)

    assert (status, document["code"]) == (400, code)
    assert sandbox.received("sms") == []


def test_a_wrong_token_and_a_foreign_account_are_refused(sandbox: Sandbox):
    status, document = post_text(sandbox, GOOD, auth={"Authorization": "Basic eDp5"})
    assert (status, document["code"]) == (401, 20003)
    foreign = MESSAGES.replace("AC0", "AC1")
    status, _, document = ask(sandbox.http_url, "POST", foreign, urlencode(GOOD), AUTHORIZATION)
    assert (status, document["code"]) == (404, 20404)
    status, _, document = ask(
        sandbox.http_url, "GET", MESSAGES.replace(".json", "/SM1.json"), headers=AUTHORIZATION
    )
    assert (status, document["code"]) == (404, 20404)


# ---- the script ----


def test_a_script_throttles_refuses_and_is_used_up(sandbox: Sandbox):
    rules = [
        {"channel": "sms", "http": 429, "code": 20429, "retry_after": 2, "times": 1},
        {"channel": "sms", "to": "+15550000001", "http": 400, "code": 21610},
    ]
    assert ask(sandbox.http_url, "POST", "/sandbox/script", json.dumps(rules))[0] == 200
    headers = {"Content-Type": "application/x-www-form-urlencoded", **AUTHORIZATION}
    status, sent, document = ask(sandbox.http_url, "POST", MESSAGES, urlencode(GOOD), headers)

    assert (status, sent["retry-after"], document["code"]) == (429, "2", 20429)
    assert [post_text(sandbox, GOOD)[1]["code"] for _ in range(2)] == [21610, 21610]
    assert post_text(sandbox, {**GOOD, "To": "+15550000002"})[0] == 201


def test_latency_holds_a_reply_back(sandbox: Sandbox):
    sandbox.misbehave(Rule("sms", latency=0.15))
    started = time.monotonic()
    post_text(sandbox, GOOD)

    assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"channel": "sms"}, "list"),
        ([{"channel": "fax"}], "channel"),
        ([{"channel": "sms", "htpp": 429}], "htpp"),
        ([{"channel": "sms", "http": "429"}], "http"),
        ([{"channel": "sms", "drop": 1}], "drop"),
        ([{"channel": "sms", "times": True}], "times"),
        ([{"channel": "email", "stage": "helo"}], "stage"),
        (["sms"], "rule 0"),
    ],
)
def test_a_script_that_is_none_is_refused_by_name(sandbox: Sandbox, rules: object, word: str):
    with pytest.raises(ScriptError, match=word):
        parse(rules)
    status, _, document = ask(sandbox.http_url, "POST", "/sandbox/script", json.dumps(rules))
    assert status == 400
    assert word in document["error"]


def test_every_finding_of_a_script_is_told_at_once():
    with pytest.raises(ScriptError, match=r"rule 0.*rule 1"):
        parse([{"channel": "fax"}, {"channel": "sms", "code": "x"}])


# ---- callbacks and texts from citizens ----


def test_callbacks_verify_with_the_channel_and_tell_the_scripted_end(sandbox: Sandbox):
    sandbox.misbehave(Rule("sms", to="+15550000002", final="undelivered", error_code=30003))
    channel = TwilioSms(TwilioConfig(SID, "token", SERVICE))
    with webhook_server() as (url, seen):
        for n in (1, 2):
            status, _ = post_text(
                sandbox,
                {
                    **GOOD,
                    "To": f"+1555000000{n}",
                    "StatusCallback": f"{url}/webhooks/sms/status?delivery=7.{n}",
                },
            )
            assert status == 201
        wait_for(lambda: len(seen) == 4)

    events = [event for request in seen for event in channel.events(request)]
    told = {(e.delivery, e.status, e.reason) for e in events if isinstance(e, ReceiptEvent)}
    assert told == {
        ("7.1", Status.ACCEPTED, None),
        ("7.1", Status.DELIVERED, None),
        ("7.2", Status.ACCEPTED, None),
        ("7.2", Status.UNDELIVERED, Reason.NOT_REACHABLE),
    }


@pytest.mark.parametrize("opt_out", [None, "STOP"])
def test_a_citizens_text_is_posted_signed_to_the_webhook(sandbox: Sandbox, opt_out: str | None):
    channel = TwilioSms(TwilioConfig(SID, "token", SERVICE))
    with webhook_server() as (url, seen):
        given = {"from": "+15550000009", "body": "stop", "url": f"{url}/webhooks/sms/inbound"}
        if opt_out is not None:
            given["opt_out"] = opt_out
        status, _, document = ask(sandbox.http_url, "POST", "/sandbox/inbound", json.dumps(given))

    assert (status, document["status"]) == (200, 200)
    (event,) = channel.events(seen[0])
    assert isinstance(event, InboundEvent)
    assert (event.sender, event.text, event.opt_out) == ("+15550000009", "stop", opt_out)


@pytest.mark.parametrize("body", ["", "[]", '{"from": "+1"}', '{"from": "+1", "body": "x"}'])
def test_an_inbound_text_without_what_it_needs_is_refused(sandbox: Sandbox, body: str):
    assert ask(sandbox.http_url, "POST", "/sandbox/inbound", body)[0] == 400


# ---- the inbox ----


def test_the_inbox_counts_each_recipient_and_shows_both_channels_escaped(sandbox: Sandbox):
    for _ in range(2):
        post_text(sandbox, {**GOOD, "Body": "<script>alert(1)</script> تحذير"})
    with smtplib.SMTP("127.0.0.1", urlsplit(sandbox.smtp_url).port or 0) as smtp:
        mail = "Subject: =?utf-8?q?Cr=C3=BCe?= <b>\r\nMessage-ID: <7.1@example.org>\r\n\r\nMove & go"
        smtp.sendmail("w@example.org", ["p@example.org"], mail)

    _, _, document = ask(sandbox.http_url, "GET", "/inbox.json?limit=1")
    assert (document["sms"], document["email"]) == (2, 1)
    assert document["distinct"] == {"sms": 1, "email": 1}
    assert document["repeated"] == {"sms": {"+15550000001": 2}, "email": {}}
    assert [(m["subject"], m["text"]) for m in document["messages"]] == [("Crüe <b>", "Move & go")]
    _, headers, page = ask(sandbox.http_url, "GET", "/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; تحذير" in page
    assert "<script" not in page
    assert "Move &amp; go" in page
    assert "default-src 'none'" in headers["content-security-policy"]


def test_reset_forgets_messages_counts_and_rules(sandbox: Sandbox):
    post_text(sandbox, GOOD)
    sandbox.misbehave(Rule("sms", http=500))
    assert ask(sandbox.http_url, "POST", "/sandbox/reset")[0] == 200

    assert post_text(sandbox, GOOD)[0] == 201
    assert sandbox.counts("sms") == {"+15550000001": 1}


# ---- the process ----


def test_a_taken_port_is_named(sandbox: Sandbox):
    port = urlsplit(sandbox.http_url).port or 0
    with pytest.raises(PortTaken, match=str(port)):
        Sandbox(SandboxConfig(SID, "token", http_port=port)).start()


def test_the_command_says_when_it_listens_and_ends_on_sigterm():
    command = [sys.executable, "-m", "channels.sandbox", "--account-sid", SID, "--callbacks"]
    environment = {**os.environ, "TWILIO_AUTH_TOKEN": "token"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ask(ready["http_url"], "GET", "/inbox.json")[0] == 200
        assert ready["pid"] == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_command_names_a_taken_port(sandbox: Sandbox):
    port = str(urlsplit(sandbox.smtp_url).port)
    command = [sys.executable, "-m", "channels.sandbox", "--account-sid", SID, "--smtp-port", port]
    environment = {**os.environ, "TWILIO_AUTH_TOKEN": "token"}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=20, check=False
    )

    assert ended.returncode == 1
    assert port in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_query_of_a_callback_survives(sandbox: Sandbox):
    with webhook_server() as (url, seen):
        post_text(sandbox, {**GOOD, "StatusCallback": f"{url}/s?a=1&delivery=7.1"})
        wait_for(lambda: len(seen) == 2)

    assert parse_qs(urlsplit(seen[0].url).query) == {"a": ["1"], "delivery": ["7.1"]}
