"""One rig per addressed channel: the real adapter against the real sandbox, and how to make that pair misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Protocol

import pytest

from channels.base import Channel, Content, Message, Run, SendResult, Status
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox, SandboxConfig
from channels.smtp_email import SmtpConfig, SmtpEmail
from channels.twilio_sms import TwilioConfig, TwilioSms

SID = "AC" + "0" * 32
SERVICE = "MG" + "0" * 32
TEXT = Content("Flood warning. Move to higher ground.", "en")
LETTER = Content(
    "Flood warning.\n.\nMove to higher ground.", "en", subject="Flood", html="<p>Flood warning.</p>"
)


class Rig(Protocol):
    """What the contract suite needs to know of a channel."""

    name: str
    throttled: Rule
    server_error: Rule
    lost_reply: Rule
    refused: tuple[Rule, Status]
    hanging: Status  # what a message becomes to which nothing is ever answered

    def channel(self, in_flight: int = 8, read_timeout: float = 10.0) -> Channel: ...
    def at_closed_port(self) -> Channel: ...
    def misconfigured(self) -> Channel: ...
    def to(self, n: int) -> str: ...


class SmsRig:
    name = "sms"
    throttled = Rule("sms", http=429, code=20429, retry_after=7, times=1)
    server_error = Rule("sms", http=503, code=20503, times=1)
    lost_reply = Rule("sms", drop=True, times=1)
    refused = (Rule("sms", http=400, code=21610, times=1), Status.OPTED_OUT)
    hanging = Status.AMBIGUOUS

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def channel(self, in_flight: int = 8, read_timeout: float = 10.0) -> Channel:
        return TwilioSms(
            TwilioConfig(
                SID, "token", SERVICE, self.sandbox.http_url, in_flight=in_flight, read_timeout=read_timeout
            )
        )

    def at_closed_port(self) -> Channel:
        return TwilioSms(TwilioConfig(SID, "token", SERVICE, "http://127.0.0.1:1"))

    def misconfigured(self) -> Channel:
        return TwilioSms(TwilioConfig(SID, "wrong", SERVICE, self.sandbox.http_url))

    def to(self, n: int) -> str:
        return f"+1555{n:07d}"


class EmailRig:
    name = "email"
    throttled = Rule("email", reply="452 4.3.1 later", times=1)
    server_error = Rule("email", reply="451 4.3.0 disk", times=1)
    lost_reply = Rule("email", drop=True, times=1)
    refused = (Rule("email", reply="550 5.1.1 gone", times=1), Status.REJECTED)
    hanging = Status.UNREACHABLE  # the sandbox hangs at RCPT: no body has left

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def channel(self, in_flight: int = 8, read_timeout: float = 10.0) -> Channel:
        config = SmtpConfig(
            self.url(),
            "Warnings <w@example.org>",
            connections=max(in_flight // 2, 1),
            read_timeout=read_timeout,
        )
        return SmtpEmail(config)

    def at_closed_port(self) -> Channel:
        return SmtpEmail(SmtpConfig("smtp://127.0.0.1:1", "w@example.org"))

    def misconfigured(self) -> Channel:
        return SmtpEmail(SmtpConfig(self.url("user", "wrong"), "w@example.org"))

    def to(self, n: int) -> str:
        return f"p{n}@example.org"

    def url(self, user: str = "user", password: str = "right") -> str:
        return self.sandbox.smtp_url.replace("://", f"://{user}:{password}@")


class Trial:
    """One rig with its sandbox, and the channels that a test opened, closed at its end."""

    def __init__(self, rig: Rig, sandbox: Sandbox) -> None:
        self.rig = rig
        self.sandbox = sandbox
        self.opened: list[Channel] = []

    def channel(self, in_flight: int = 8, read_timeout: float = 10.0) -> Channel:
        return self.keep(self.rig.channel(in_flight, read_timeout))

    def keep(self, channel: Channel) -> Channel:
        self.opened.append(channel)
        return channel

    def message(self, n: int, validity: float | None = 600.0) -> Message:
        content = TEXT if self.rig.name == "sms" else LETTER
        return Message(n, f"7.{n}", self.rig.to(n), content, validity)

    def messages(self, count: int) -> Iterator[Message]:
        return (self.message(n) for n in range(count))

    def send(self, channel: Channel, messages: Iterable[Message]) -> tuple[Run, dict[int, SendResult]]:
        """Run to the end; the results by key, each exactly once."""
        results: SimpleQueue[SendResult] = SimpleQueue()
        run = channel.open(iter(messages), results)
        assert run.done.wait(30)
        return run, drained(results)

    def received(self) -> list[str]:
        return [message.to for message in self.sandbox.received(self.rig.name)]


def drained(results: SimpleQueue[SendResult]) -> dict[int, SendResult]:
    found: dict[int, SendResult] = {}
    while not results.empty():
        result = results.get()
        assert result.key not in found, "a second result for one message"
        found[result.key] = result
    return found


def wait_for(condition: threading.Event | object, *, timeout: float = 10.0) -> None:
    """Wait until a callable is true."""
    assert callable(condition)
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


@pytest.fixture(scope="session")
def contract_sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(SID, "token", smtp_login=("user", "right"))) as sandbox:
        yield sandbox


@pytest.fixture(params=[SmsRig, EmailRig], ids=["sms", "email"])
def trial(request: pytest.FixtureRequest, contract_sandbox: Sandbox) -> Iterator[Trial]:
    contract_sandbox.reset()
    made = Trial(request.param(contract_sandbox), contract_sandbox)
    yield made
    for channel in made.opened:
        channel.close()
