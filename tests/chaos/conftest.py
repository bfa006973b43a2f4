"""Real processes on real servers, and a provider that counts from outside."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from alerting import pidfiles
from alerting.config import Settings
from bench import population
from channels.sandbox.process import CountingProcess
from tests.fanout.country import Country

PEOPLE = 2_000


@dataclass(slots=True)
class Cluster:
    """The parts of the service as processes, and the provider's count of what came out."""

    settings: Settings
    provider: CountingProcess
    country: Country
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environ(self, **more: str) -> dict[str, str]:
        settings = self.settings
        return {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "ADDRESS_KEYS": ",".join(
                f"{name}:{base64.b64encode(key).decode()}" for name, key in settings.address_keys
            ),
            "ADDRESS_MAC_KEY": base64.b64encode(settings.address_mac_key).decode(),
            "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
            "TWILIO_MESSAGING_SERVICE_SID": settings.twilio_messaging_service_sid,
            "TWILIO_API_BASE_URL": self.provider.http_url,
            "SMTP_URL": self.provider.smtp_url,
            **more,
        }

    def start(self, name: str, *command: str, **environ: str) -> subprocess.Popen[bytes]:
        """Run `alerting COMMAND` in a session of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "alerting.cli", *command],
            env=self.environ(**environ),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.running[name] = process
        return process

    def script(self, name: str, code: str) -> subprocess.Popen[bytes]:
        """Run Python code in a session of its own."""
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=self.environ(), start_new_session=True, stdin=subprocess.DEVNULL
        )
        self.running[name] = process
        return process

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part and to everything that it has forked."""
        identity = pidfiles.identify(self.running[name].pid)
        assert identity is not None
        for one in pidfiles.session_of(identity):
            pidfiles.send(one, number)
        if number is signal.SIGKILL:
            self.running.pop(name).wait(10)

    def counts(self, channel: str = "sms") -> dict[str, int]:
        """How often each recipient was reached, by the provider's own count."""
        return dict(self.provider.counts(recipients=True)[channel]["recipients"])

    def received(self, channel: str = "sms") -> int:
        return int(self.provider.counts()[channel]["received"])

    def until(self, what: Callable[[], object], seconds: float) -> float:
        """Wait until something is true; how long it took. Fails after `seconds`."""
        started = time.monotonic()
        while not what():
            assert time.monotonic() - started < seconds, "it never came true"
            time.sleep(0.02)
        return time.monotonic() - started

    def finished(self, channel: str = "sms") -> bool:
        """Whether every dispatch of the channel is done."""
        return (
            self.country.one(
                "SELECT count(*) FROM dispatch WHERE channel = :c AND state NOT IN ('done', 'withdrawn')",
                c=channel,
            )
            == 0
        )

    def everybody(self, channel: str = "sms") -> set[str]:
        """Everybody who can be reached on the channel."""
        ids = self.country.rows("SELECT id FROM address WHERE channel = :c", c=channel)
        return {f"+4915{row[0]:09}" if channel == "sms" else f"p{row[0]}@example.org" for row in ids}

    def planned(self, channel: str = "sms") -> set[str]:
        """The recipients that were planned, as the provider names them."""
        rows = self.country.rows(
            "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = :c",
            c=channel,
        )
        return {f"+4915{row[0]:09}" for row in rows}

    def marked(self) -> set[str]:
        """Recipients whose delivery says that it may have been repeated."""
        rows = self.country.rows(
            "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND maybe_repeated"
        )
        return {f"+4915{row[0]:09}" for row in rows}


@pytest.fixture
def cluster(settings: Settings) -> Iterator[Cluster]:
    population.settle(settings.database_url, settings, PEOPLE)
    with CountingProcess() as provider:
        found = Cluster(settings, provider, Country(settings.database_url))
        yield found
        for name in list(found.running):
            found.signal(name, signal.SIGKILL)
