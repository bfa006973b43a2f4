"""One machine for all fan-out rows: durable PostgreSQL and Valkey, a million people, a counting provider.

Owns the servers and the template database, seeded once for a run of the bench; each sample gets a fresh clone. Invariant:
fsync and synchronous_commit are on, and the provider has its own process.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import psycopg
from psycopg import sql

from alerting import embedded
from alerting.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Info,
    MsgType,
    NamedValue,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)  # fmt: skip
from alerting.cap.xml import write
from alerting.config import Settings
from alerting.store import engine
from alerting.store.migrations import upgrade
from bench import population
from bench.parts import Parts
from bench.servers import OwnServers
from channels.sandbox.process import CountingProcess

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
TEMPLATE = "bench_population"


@dataclass(slots=True)
class Machine:
    """The servers, and settings that lead to a fresh clone of the population."""

    servers: embedded.Servers
    samples: int = 0

    def fresh(self) -> Settings:
        """Settings of a database in which nobody has been warned yet."""
        self.samples += 1
        name = f"bench_{os.getpid()}_{self.samples}"
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
            connection.execute("CHECKPOINT")
        settings = settings_of(self.servers, name)
        _read_once(settings.database_url)
        return settings

    def drop(self, settings: Settings) -> None:
        """Throw a sample's database away."""
        engine.dispose()
        name = settings.database_url.rpartition("/")[2]
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _read_once(url: str) -> None:
    """Read the people through their indexes: a copy made a second ago lies on disk, those of a running service in memory."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        connection.execute("SELECT sum(length(cipher)) FROM address WHERE id > 0")
        connection.execute("SELECT count(*) FROM address WHERE subscriber > 0 AND channel <> ''")
        connection.execute("SELECT max(language) FROM subscriber WHERE id > 0")
        connection.execute("SELECT sum(floor) FROM follow WHERE region > 0 AND subscriber > 0")
        connection.execute("SELECT sum(lat) FROM follow WHERE cell > 0")


def settings_of(servers: embedded.Servers | OwnServers, database: str) -> Settings:
    """Settings for a database of these servers; the providers are set by whoever has them."""
    return Settings(
        database_url=servers.database_url.rpartition("/")[0] + "/" + database,
        redis_url=servers.redis_url,
        secret_key="bench",  # noqa: S106  # of a database that is thrown away
        address_keys=(("k1", bytes(range(32))),),
        address_mac_key=bytes(range(32, 64)),
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="0" * 32,
        twilio_messaging_service_sid="MG" + "0" * 32,
    )


@contextmanager
def machine() -> Iterator[Machine]:
    """Start the servers, fill the template, and stop everything at the end."""
    with tempfile.TemporaryDirectory(prefix="alerting-bench-") as folder:
        Path(folder).chmod(0o711)
        servers = embedded.start(Path(folder) / "data", {})
        try:
            started = time.monotonic()
            with psycopg.connect(servers.database_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            settings = settings_of(servers, TEMPLATE)
            upgrade(settings.database_url)
            population.settle(settings.database_url, settings, PEOPLE)
            print(f"population: {PEOPLE} people in {time.monotonic() - started:.0f} s")
            yield Machine(servers)
        finally:
            servers.stop()


def warning(*, squares: int, rows: int, columns: int, now: datetime) -> bytes:
    """A CAP document of two segments in six languages: `squares` regions by geocode, and a polygon over a block."""
    by_code = Area("Riverside", geocode=tuple(NamedValue("BENCH", f"XX-{i:02}") for i in range(squares)))
    shape = population.polygon(rows, columns)
    ring = [*shape.exterior.coords]
    by_polygon = Area("The north-east", polygon=(" ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in ring),))
    infos = tuple(
        Info(
            category=(Category.MET,), event="Flood", urgency=Urgency.IMMEDIATE, severity=severity,
            certainty=Certainty.OBSERVED, language=language, response_type=(ResponseType.EVACUATE,),
            expires=(now + timedelta(hours=6)).replace(microsecond=0), sender_name="Riverside authority",
            headline=population.TEXTS[language].partition(".")[0][:120], description=f"{language}: the river rises.",
            instruction=f"{language}: leave the river banks now.", area=(area,),
        )
        for severity, area in ((Severity.EXTREME, by_code), (Severity.SEVERE, by_polygon))
        for language in population.LANGUAGES
    )  # fmt: skip
    return write(
        Alert(
            identifier=f"bench-{time.time_ns()}", sender="bench@warn.example", sent=now.replace(microsecond=0),
            status=Status.ACTUAL, msg_type=MsgType.ALERT, scope=Scope.PUBLIC, info=infos,
        )
    )  # fmt: skip


@contextmanager
def service(
    settings: Settings, provider: CountingProcess, **environ: str
) -> Iterator[tuple[Parts, int, str]]:
    """The whole service on one machine: web, planner, one SMS and one e-mail worker, sweep; (parts, port, key).

    Yields when every worker listens and the web server is ready.
    """
    from redis import Redis

    from alerting.authoring import keys, policy

    engine.configure(settings.database_url)
    secret = keys.new_secret()
    keys.create_first("bench", secret=secret, now=datetime.now(UTC))
    policy.set_approvers(0, actor="bench", now=datetime.now(UTC))
    with Redis.from_url(settings.redis_url) as redis:
        redis.flushdb()
        with Parts(settings, provider.http_url, provider.smtp_url) as parts:
            port = free_port()
            parts.python("http", "-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}",
                         "--log-level", "warning", "wsgi:app", PUBLIC_BASE_URL=f"http://127.0.0.1:{port}", **environ)  # fmt: skip
            for lane in ("plan", "sms", "email", "web"):
                parts.start(lane, "worker", lane, PUBLIC_BASE_URL=f"http://127.0.0.1:{port}", **environ)
            parts.start("sweep", "sweep", **environ)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if all(
                    redis.scard(f"rq:workers:{lane}") for lane in ("plan", "sms", "email", "web")
                ) and ready(port):
                    break
                time.sleep(0.1)
            time.sleep(2)  # the first jobs, which found nothing, end
            yield parts, port, secret


def post(port: int, secret: str, document: bytes) -> None:
    """Issue a document by the API; raises when it was not issued."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/cap+xml"}
    connection.request("POST", "/api/v1/alerts", document, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 201:
        raise RuntimeError(f"the API answered {answer.status}: {body[:2000]!r}")


def fresh_with(machine: Machine, provider: CountingProcess) -> Settings:
    """Settings of a fresh clone with the counting provider."""
    return with_provider(machine.fresh(), provider)


def with_provider(settings: Settings, provider: CountingProcess) -> Settings:
    """The same settings with the counting provider."""
    return replace(settings, twilio_api_base_url=provider.http_url, smtp_url=provider.smtp_url)


def busy() -> float:
    """CPU seconds that this machine has spent since it started, all processes together."""
    fields = [
        int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    ]
    user, nice, system = fields[:3]
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def received(provider: CountingProcess) -> int:
    """Messages that the provider has taken, on both channels."""
    counts = provider.counts()
    return int(counts["sms"]["received"]) + int(counts["email"]["received"])


def ready(port: int) -> bool:
    """Whether the web process of this port answers."""
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody has at this moment."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
