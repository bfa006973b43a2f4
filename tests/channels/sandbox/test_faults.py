"""How both modes of the sandbox misbehave, by one script."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from channels.sandbox.process import CountingProcess
from channels.sandbox.script import Script, parse
from channels.sandbox.server import Sandbox, SandboxConfig

SID, SERVICE = "AC" + "0" * 32, "MG" + "0" * 32
MESSAGES = f"/2010-04-01/Accounts/{SID}/Messages.json"
AUTHORIZATION = {
    "Authorization": "Basic " + b64encode(f"{SID}:token".encode()).decode(),
    "Content-Type": "application/x-www-form-urlencoded",
}
TO = "+15550000001"

Misbehave = Callable[..., None]


class Provider:
    """Either mode, seen from outside."""

    def __init__(self, http_url: str, smtp_url: str, taken: Callable[[str], int]) -> None:
        self.http, self.smtp, self.taken = urlsplit(http_url).netloc, urlsplit(smtp_url).netloc, taken

    def misbehave(self, *rules: Mapping[str, object]) -> None:
        status, _, answer = self.ask("POST", "/sandbox/script", json.dumps(rules))
        assert (status, answer) == (200, {"rules": len(rules)})

    def ask(
        self, method: str, path: str, body: str | None = None, timeout: float = 5
    ) -> tuple[int, Mapping[str, str], Any]:
        connection = HTTPConnection(self.http, timeout=timeout)
        try:
            connection.request(method, path, body, AUTHORIZATION)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read())
        finally:
            connection.close()

    def text(self, to: str = TO, timeout: float = 5, **more: str) -> tuple[int, Mapping[str, str], Any]:
        form = {"To": to, "Body": "Flood", "MessagingServiceSid": SERVICE, **more}
        return self.ask("POST", MESSAGES, urlencode(form), timeout)

    def listed(self, **query: str) -> Any:
        return self.ask("GET", f"{MESSAGES}?{urlencode(query)}")[2]

    @contextmanager
    def mail(self) -> Iterator[socket.socket]:
        host, _, port = self.smtp.partition(":")
        with socket.create_connection((host, int(port)), 2) as connection:
            connection.settimeout(0.5)
            yield connection


@pytest.fixture(params=["inbox", "counting"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    if request.param == "inbox":
        with Sandbox(SandboxConfig(SID, "token", callbacks=("sent", "delivered"))) as sandbox:
            yield Provider(sandbox.http_url, sandbox.smtp_url, lambda c: sum(sandbox.counts(c).values()))
        return
    with CountingProcess(lookups=True, callbacks=("sent", "delivered"), token="token") as process:
        yield Provider(
            process.http_url, process.smtp_url, lambda channel: int(process.counts()[channel]["received"])
        )


def said(connection: socket.socket, line: str) -> bytes:
    connection.sendall(line.encode() + b"\r\n")
    reply = connection.recv(1000)
    while not re.search(rb"^[0-9]{3} .*\r\n\Z", reply, re.MULTILINE):  # the last line of several
        reply += connection.recv(1000)
    return reply


def test_a_lost_reply_is_one_to_a_text_that_was_taken(provider: Provider):
    provider.misbehave({"channel": "sms", "drop": True, "times": 1})
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        provider.text()
    assert provider.taken("sms") == 1
    assert provider.text()[0] == 201


def test_a_hanging_request_is_never_answered_and_taken_only_where_the_rule_says_so(provider: Provider):
    provider.misbehave(
        {"channel": "sms", "hang": True, "times": 1},
        {"channel": "sms", "hang": True, "drop": True, "times": 1},
    )
    for taken in (0, 1):
        with pytest.raises(TimeoutError):
            provider.text(timeout=0.3)
        assert provider.taken("sms") == taken
    assert provider.text()[0] == 201


def test_a_storm_has_its_code_its_retry_after_and_its_end(provider: Provider):
    provider.misbehave({"channel": "sms", "http": 429, "code": 20429, "retry_after": 2, "times": 2})
    for _ in range(2):
        status, headers, answer = provider.text()
        assert (status, headers["Retry-After"], answer["code"]) == (429, "2", 20429)
    assert provider.text()[0] == 201
    assert provider.taken("sms") == 1


def test_a_late_answer_is_late(provider: Provider):
    provider.misbehave({"channel": "sms", "latency": 0.2, "times": 1})
    started = time.monotonic()
    assert provider.text()[0] == 201
    assert time.monotonic() - started >= 0.2


def test_a_share_of_the_messages_is_met_by_a_seeded_generator():
    def met() -> list[bool]:
        script = Script(parse([{"channel": "sms", "http": 500, "share": 0.3}]))
        return [bool(script.matching("sms", str(n))) for n in range(1000)]

    assert met() == met()
    assert 250 < sum(met()) < 350


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data"])
def test_a_mail_server_hangs_where_the_script_says(provider: Provider, stage: str):
    provider.misbehave({"channel": "email", "hang": True, "stage": stage, "times": 1})
    lines = {"mail": "MAIL FROM:<w@x.org>", "rcpt": "RCPT TO:<p@x.org>", "data": "DATA", "end": "hello\r\n."}
    with provider.mail() as connection:
        if stage != "connect":
            assert connection.recv(100).startswith(b"220")
            assert said(connection, "EHLO x").startswith(b"250")
            for name, line in lines.items():
                if name == stage != "data" or name == "end":
                    connection.sendall(line.encode() + b"\r\n")
                    break
                assert said(connection, line)[:1] in b"23"
        with pytest.raises(TimeoutError):
            connection.recv(100)
    assert provider.taken("email") == 0


@pytest.mark.parametrize("hang", [False, True])
def test_a_mail_whose_last_reply_is_lost_was_taken(provider: Provider, hang: bool):
    provider.misbehave({"channel": "email", "drop": True, "hang": hang, "times": 1})
    with provider.mail() as connection:
        connection.recv(100)
        for line in ("EHLO x", "MAIL FROM:<w@x.org>", "RCPT TO:<p@x.org>", "DATA"):
            said(connection, line)
        connection.sendall(b"hello\r\n.\r\n")
        if hang:
            with pytest.raises(TimeoutError):
                connection.recv(100)
        else:
            with pytest.raises(ConnectionError):
                raise ConnectionError if not connection.recv(100) else AssertionError
    assert provider.taken("email") == 1


def test_texts_are_listed_by_recipient_and_date_in_pages_the_newest_first(provider: Provider):
    provider.misbehave({"channel": "sms", "to": "+15550000002", "queued": True})
    sids = [provider.text()[2]["sid"] for _ in range(3)]
    provider.text("+15550000002")
    page = provider.listed(To=TO, PageSize="2")
    assert [text["sid"] for text in page["messages"]] == [sids[2], sids[1]]
    assert page["messages"][0]["body"] == "Flood"
    assert (page["page"], page["page_size"], page["start"], page["end"]) == (0, 2, 0, 1)
    rest = provider.ask("GET", page["next_page_uri"])[2]
    assert [text["sid"] for text in rest["messages"]] == [sids[0]]
    assert (rest["next_page_uri"], rest["page"]) == (None, 1)
    assert provider.listed(**{"To": TO, "DateSent>": "2999-01-01"})["messages"] == []
    assert len(provider.listed(**{"To": TO, "DateSent>": "2020-01-01T00:00:00Z"})["messages"]) == 3
    (waiting,) = provider.listed(To="+15550000002")["messages"]
    assert (waiting["status"], waiting["date_sent"]) == ("queued", None)
    assert provider.listed(**{"To": "+15550000002", "DateSent>": "2020-01-01"})["messages"] == []
    assert provider.ask("GET", f"{MESSAGES}?DateSent%3E=soon")[0] == 400
    one = provider.ask("GET", f"{MESSAGES.removesuffix('.json')}/{sids[1]}.json")
    assert (one[0], one[2]["sid"], one[2]["to"]) == (200, sids[1], TO)
    assert provider.ask("GET", f"{MESSAGES.removesuffix('.json')}/SMnone.json")[0] == 404


def test_a_look_up_meets_what_refuses_everybody_and_uses_up_nothing_else(provider: Provider):
    provider.misbehave(
        {"channel": "sms", "drop": True, "times": 1}, {"channel": "sms", "http": 503, "times": 1}
    )
    assert provider.ask("GET", f"{MESSAGES}?To=%2B15550000001")[0] == 503
    assert provider.listed(To=TO)["messages"] == []
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        provider.text()


def test_callbacks_come_late_doubled_and_backwards_and_are_signed(provider: Provider):
    seen: list[tuple[float, str, bool]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            signed = RequestValidator("token").validate(
                f"{url}{self.path}", form, self.headers["X-Twilio-Signature"]
            )
            seen.append((time.monotonic(), form["MessageStatus"], signed))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    provider.misbehave(
        {"channel": "sms", "to": TO, "callback_delay": 0.3, "callback_times": 2, "callback_reversed": True}
    )
    provider.text(StatusCallback=f"{url}/status?delivery={quote_plus('7.1')}")
    started = time.monotonic()
    while len(seen) < 4:
        assert time.monotonic() - started < 5
        time.sleep(0.01)
    server.shutdown()
    server.server_close()
    assert sorted(word for _, word, _ in seen) == ["delivered", "delivered", "sent", "sent"]
    assert all(signed for _, _, signed in seen)
    assert min(at for at, _, _ in seen) - started >= 0.25


def test_deliveries_are_counted_by_their_own_names():
    with CountingProcess(lookups=True) as process:
        provider = Provider(process.http_url, process.smtp_url, lambda _: 0)
        for _ in range(2):
            provider.text(StatusCallback="https://w.example/status?delivery=7.1")
        with provider.mail() as connection:
            connection.recv(100)
            for line in ("EHLO x", "MAIL FROM:<w@x.org>", "RCPT TO:<p@x.org>", "DATA"):
                said(connection, line)
            assert said(connection, "Message-ID: <8.3@w.example>\r\n\r\nhello\r\n.").startswith(b"250")
        assert process.deliveries() == {"7.1": 2, "8.3": 1}
        process.reset()
        assert process.deliveries() == {}


def test_without_being_asked_the_counting_mode_keeps_no_text():
    with CountingProcess() as process:
        provider = Provider(process.http_url, process.smtp_url, lambda _: 0)
        provider.text()
        assert provider.ask("GET", f"{MESSAGES}?To=%2B15550000001")[0] == 404
        assert process.lookups() == {"asked": 0, "found": 0, "unanswered": 0}
        with pytest.raises(ValueError, match="unknown field 'hangs'"):
            process.misbehave({"channel": "sms", "hangs": True})
