"""The whole service on one machine, as `up` and `demo` run it: servers, migrations, web, workers, sweep, sandbox.

Owns the order of starting and stopping and the addresses of everything. Invariant: when the block of `stack` ends, in
whatever way, every process that it started has ended.
"""

from __future__ import annotations

import http.client
import secrets as randomness
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from alerting import embedded, pidfiles
from alerting.config import Settings
from alerting.store.states import Lane
from alerting.supervise import Part, Supervisor, own_environment

#: Seconds within which the web server has to answer after its start.
PATIENCE = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen on 127.0.0.1; `sandbox` is its HTTP side, `smtp` its mail side."""

    web: int = 8000
    sandbox: int = 8025
    smtp: int = 1025


@dataclass(frozen=True, slots=True)
class Stack:
    """A running service."""

    settings: Settings
    servers: embedded.Servers
    supervisor: Supervisor
    ports: Ports
    sandboxed: bool

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.sandbox}"

    def pids(self) -> list[int]:
        """Every process that was started."""
        return [*self.servers.pids, *self.supervisor.pids()]

    def tend(self) -> None:
        """One round of watching; raises ClickException when a part cannot be kept running."""
        self.supervisor.tend()
        if (name := self.supervisor.failing()) is not None:
            raise click.ClickException(
                f"{name} does not keep running; its last words:\n{self.supervisor.log_of(name)}"
            )

    def wait_ready(self) -> None:
        """Until the web server answers; raises ClickException when it does not."""
        deadline = time.monotonic() + PATIENCE
        while not answers(self.ports.web, "/healthz"):
            self.tend()
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"the web server does not answer; its last words:\n{self.supervisor.log_of('web')}"
                )
            time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """Whether http://127.0.0.1:port/path answers with success; proxies of the environment have no say."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def stack(
    data: Path, ports: Ports, environ: Mapping[str, str], *, sandboxed: bool, say: Say, fresh: bool = False
) -> Iterator[Stack]:
    """Start everything in the order in which it is needed; stop everything at the end.

    With `sandboxed` the providers are the sandbox's whatever the environment says; with `fresh` the embedded servers
    start empty. Raises ClickException.
    """
    with _ended_by_signals():
        pidfiles.adopt_orphans()
        try:
            servers = embedded.start(data, environ, fresh=fresh)
        except embedded.EmbeddedError as error:
            raise click.ClickException(str(error)) from error
        supervisor = Supervisor(data / "run", data / "logs")
        try:
            if left := supervisor.stop_left():
                say(f"stopped {left} processes that an earlier run had left")
            _claim_ports(ports, sandboxed=sandboxed)
            variables = _variables(servers, ports, environ, sandboxed=sandboxed)
            settings = Settings.from_env(variables)
            _migrate(settings)
            for part in _parts(settings, ports, variables, sandboxed=sandboxed):
                supervisor.start(part)
            yield Stack(settings, servers, supervisor, ports, sandboxed)
        finally:
            # A second Ctrl-C must not leave half of the processes behind.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            try:
                supervisor.stop()
            finally:
                servers.stop()


def server_ports(pg: int | None, valkey: int | None) -> dict[str, str]:
    """The variables by which `embedded` takes a fixed port."""
    named = {"ALERTING_PG_PORT": pg, "ALERTING_VALKEY_PORT": valkey}
    return {name: str(port) for name, port in named.items() if port is not None}


class Stopped(BaseException):
    """The user or the system asked us to end; not an Exception, so that nothing swallows it."""


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _claim_ports(ports: Ports, *, sandboxed: bool) -> None:
    """Raise ClickException for the first port that somebody else has."""
    wanted = [(ports.web, "--port", "PORT")]
    if sandboxed:
        wanted += [
            (ports.sandbox, "--sandbox-port", "ALERTING_SANDBOX_PORT"),
            (ports.smtp, "--smtp-port", "ALERTING_SMTP_PORT"),
        ]
    for port, option, variable in wanted:
        if not embedded.is_free(port):
            raise click.ClickException(
                f"port {port} of 127.0.0.1 is taken: choose another by {option} or {variable}"
            )


def _variables(
    servers: embedded.Servers, ports: Ports, environ: Mapping[str, str], *, sandboxed: bool
) -> dict[str, str]:
    """The environment of every part."""
    kept = dict(environ)
    if sandboxed:
        for name in [name for name in kept if name.startswith(("TWILIO_", "SMTP_URL"))]:
            del kept[name]
        kept |= {
            "TWILIO_ACCOUNT_SID": "AC" + randomness.token_hex(16),
            "TWILIO_AUTH_TOKEN": randomness.token_hex(16),
            "TWILIO_MESSAGING_SERVICE_SID": "MG" + randomness.token_hex(16),
            "TWILIO_API_BASE_URL": f"http://127.0.0.1:{ports.sandbox}",
            "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        }
    kept["PORT"] = str(ports.web)
    kept.setdefault("PUBLIC_BASE_URL", f"http://127.0.0.1:{ports.web}")
    return own_environment() | servers.environment(kept)


def _migrate(settings: Settings) -> None:
    from alerting.store import migrations

    migrations.upgrade(settings.database_direct_url or settings.database_url)


def _parts(
    settings: Settings, ports: Ports, variables: Mapping[str, str], *, sandboxed: bool
) -> Iterator[Part]:
    python = sys.executable
    alerting = (
        python,
        "-P",
        "-m",
        "alerting.cli",
    )  # -P: a package of that name in the current folder is not ours
    if sandboxed:
        listening = ("--http-port", str(ports.sandbox), "--smtp-port", str(ports.smtp))
        account = ("--account-sid", settings.twilio_account_sid)  # its token goes through the environment
        talking = ("--callbacks", "--inbound-url", f"http://127.0.0.1:{ports.web}/webhooks/sms/inbound")
        command = (python, "-P", "-m", "channels.sandbox", *listening, *account, *talking)
        yield Part("sandbox", command, variables)
    yield Part(
        "web",
        (python, "-P", "-m", "gunicorn", *gunicorn_arguments(settings), "alerting:create_app()"),
        variables,
    )
    for lane in Lane:
        yield Part(f"worker-{lane}", (*alerting, "worker", lane.value), variables)
    yield Part("sweep", (*alerting, "sweep"), variables)


def gunicorn_arguments(settings: Settings) -> list[str]:
    """Threads, because a request waits for the database and nothing else."""
    return [
        f"--bind=127.0.0.1:{settings.port}",
        "--worker-class=gthread",
        f"--workers={settings.web_concurrency}",
        f"--threads={settings.web_threads}",
        f"--forwarded-allow-ips={settings.forwarded_allow_ips}",
        "--graceful-timeout=5",
        "--keep-alive=15",
        "--log-level=warning",
        "--no-control-socket",
    ]
