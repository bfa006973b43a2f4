"""Real processes on real servers, and a provider that counts from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from alerting.authoring import keys, policy
from alerting.config import Settings
from alerting.store import engine, migrations
from alerting.store.engine import UNAVAILABLE
from bench import machine, population
from bench.parts import Parts
from bench.servers import OwnServers
from channels.sandbox.process import CountingProcess
from tests.fanout.country import Country

PEOPLE = 2_000

#: The pace of a worker in these tests, and its requests at once: what the bounds of the failure matrix are counted with.
RATE = 400.0
IN_FLIGHT = 64

#: What may be repeated of one killed worker: what was in flight, and one flush window.
BOUND = 264


@dataclass(frozen=True, slots=True)
class Web:
    """The web process: where it listens, and the key of an administrator."""

    port: int
    secret: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: bytes | dict[str, Any], secret: str = "") -> tuple[int, Any]:
        """The code and the decoded answer of a request of the API; a document of bytes is CAP."""
        kind = "application/cap+xml" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {secret or self.secret}", "Content-Type": kind}
        connection.request("POST", f"/api/v1{path}", data, headers)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return answer.status, json.loads(read)


@dataclass(slots=True)
class Cluster:
    """The parts of the service as processes, and the provider's count of what came out."""

    parts: Parts
    provider: CountingProcess
    country: Country

    def paced(self, *lanes: str, **environ: str) -> None:
        """Start workers of these lanes at RATE, and the planner and the sweep."""
        pace = {"SMS_RATE": str(RATE), "EMAIL_RATE": str(RATE), "SMS_IN_FLIGHT": str(IN_FLIGHT), **environ}
        for lane in ("plan", *lanes):
            self.parts.start(lane, "worker", lane, **pace)
        self.parts.start("sweep", "sweep", **pace)

    def web(self, *arguments: str, approvers: int = 0) -> Web:
        """A web process, gunicorn or what `arguments` say to Python, that answers; with a key."""
        now = datetime.now(UTC)
        secret = keys.new_secret()
        keys.create_first("chaos", secret=secret, now=now)
        policy.set_approvers(approvers, actor="chaos", now=now)
        port = machine.free_port()
        server = ("-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}",
                  "--log-level", "warning", "wsgi:app")  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        self.parts.python("http", *(arguments or server), PORT=str(port), PUBLIC_BASE_URL=url)
        self.until(lambda: machine.ready(port), 20)
        return Web(port, secret)

    def document(self, squares: int = 100) -> bytes:
        """A warning for so many squares of the country, and for a block of two of them."""
        return machine.warning(squares=squares, rows=1, columns=2, now=datetime.now(UTC))

    def counts(self, channel: str = "sms") -> dict[str, int]:
        """How often each recipient was reached, by the provider's own count."""
        return dict(self.provider.counts(recipients=True)[channel]["recipients"])

    def received(self, channel: str = "sms") -> int:
        return int(self.provider.counts()[channel]["received"])

    def until(self, what: Callable[[], object], seconds: float) -> float:
        """Wait until something is true; how long it took. Fails after `seconds`."""
        started = time.monotonic()
        while not self.seen(what):
            assert time.monotonic() - started < seconds, "it never came true"
            time.sleep(0.02)
        return time.monotonic() - started

    def seen(self, what: Callable[[], object]) -> object:
        """What `what` says; nothing while the database is away."""
        try:
            return what()
        except UNAVAILABLE:
            return None

    def stall(self, channel: str = "sms", seconds: float = 60.0) -> float:
        """Wait until the channel is finished; the longest time for which the provider got nothing of it."""
        ends = time.monotonic() + seconds
        before, since, longest = self.received(channel), time.monotonic(), 0.0
        while not self.seen(lambda: self.finished(channel)):
            now = time.monotonic()
            assert now < ends, "it never finished"
            received = self.received(channel)
            if received != before:
                before, since = received, now
            longest = max(longest, now - since)
            time.sleep(0.02)
        return longest

    def finished(self, channel: str = "sms") -> bool:
        """Whether every dispatch of the channel is done."""
        return bool(
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
        return {f"+4915{row[0]:09}" if channel == "sms" else f"p{row[0]}@example.org" for row in rows}

    def marked(self, channel: str = "sms") -> set[str]:
        """Recipients whose delivery says that it may have been repeated."""
        rows = self.country.rows(
            "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = :c AND maybe_repeated",
            c=channel,
        )
        return {f"+4915{row[0]:09}" if channel == "sms" else f"p{row[0]}@example.org" for row in rows}


@contextmanager
def _cluster(settings: Settings, callbacks: tuple[str, ...] = ()) -> Iterator[Cluster]:
    population.settle(settings.database_url, settings, PEOPLE)
    token = settings.twilio_auth_token
    with (
        CountingProcess(lookups=True, callbacks=callbacks, token=token) as provider,
        Parts(settings, provider.http_url, provider.smtp_url) as parts,
    ):
        yield Cluster(parts, provider, Country(settings.database_url))


@pytest.fixture
def cluster(settings: Settings) -> Iterator[Cluster]:
    """The service on the servers of the run."""
    with _cluster(settings) as running:
        yield running


@pytest.fixture
def telling(settings: Settings) -> Iterator[Cluster]:
    """The same, with a provider that calls back; whoever sends must know the address of the web process."""
    with _cluster(settings, ("sent", "delivered")) as running:
        yield running


@pytest.fixture
def own_servers(server_folder: Path) -> Iterator[OwnServers]:
    """Servers of this test alone, which may be killed; durable, for a crash must lose no commit."""
    with OwnServers(server_folder, durable=True) as servers:
        migrations.upgrade(servers.database_url)
        yield servers


@pytest.fixture
def lonely(settings: Settings, own_servers: OwnServers) -> Iterator[Cluster]:
    """The service on servers of its own."""
    url, redis_url = own_servers.database_url, own_servers.redis_url
    engine.configure(url)
    with _cluster(replace(settings, database_url=url, redis_url=redis_url)) as running:
        yield running
