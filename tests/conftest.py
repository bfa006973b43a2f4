"""What every test may ask for: real servers, a clean database, settings, the shared folder; and no foreign network.

PostgreSQL and Valkey start when the first test asks for them, once for all workers of a run, and stop with it. A worker
has its own database, copied from a migrated template, and its own Redis database number. Invariant: a test that asks for
`database` finds every table as the migrations left it.
"""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from redis import Redis

from alerting import embedded, pidfiles
from alerting.config import Settings
from alerting.store import engine, migrations

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ALERTING_SHARED") or ROOT.parent / "shared")
TEMPLATE = "alerting_template"

# The cores are shared: a slow machine is no finding.
hypothesis.settings.register_profile("alerting", deadline=None, print_blob=True)
hypothesis.settings.load_profile("alerting")


# ---- the network ----

_LOOPBACK = {"127.0.0.1", "localhost", "::1", "", None}


def _no_foreign_network(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a unix socket is a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host not in _LOOPBACK:
        raise PermissionError(f"a test reached for {host!r}: tests talk to 127.0.0.1 alone")


sys.addaudithook(_no_foreign_network)


# ---- no skip where nothing is missing ----


class _Skips:
    """On CI with the shared folder beside the checkout a skip is a failure."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.found.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.found.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for nodeid in self.found:
            terminalreporter.write_line(f"SKIPPED where nothing may be: {nodeid}", red=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests run one after another: each starts a whole service and counts seconds."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.xdist_group("slow"))


# ---- servers ----


def _run_folder(config: pytest.Config) -> Path:
    """The folder of this run, named by the controller's process; workers are told of it."""
    told = getattr(config, "workerinput", {}).get("alerting_run")
    if told:
        return Path(told)
    identity = pidfiles.identify(os.getpid())
    assert identity is not None
    return _runs() / f"{identity.pid}_{identity.started}"


def _runs() -> Path:
    return Path(tempfile.gettempdir()) / f"alerting-tests-{os.geteuid()}"


def _end(folder: Path) -> None:
    """Stop what runs in the folder of a run and remove it."""
    for data in folder.glob("*"):
        if (data / "secrets.json").exists():
            embedded.stop_left(data)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:  # pytest-xdist: a worker is about to start
    node.workerinput["alerting_run"] = str(_run_folder(node.config))  # type: ignore[attr-defined] # xdist's own


def pytest_configure(config: pytest.Config) -> None:
    pidfiles.adopt_orphans()  # so that a stopped server is gone at once, wherever the tests run
    if hasattr(config, "workerinput"):
        return
    if os.environ.get("CI") == "true" and SHARED.is_dir():
        config.pluginmanager.register(_Skips(), "alerting-skips")
    for folder in _runs().glob("*_*"):  # what a killed run left
        pid, _, started = folder.name.partition("_")
        if pid.isdecimal() and not pidfiles.alive(pidfiles.Identity(int(pid), started)):
            _end(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _end(_run_folder(config))


@dataclass(frozen=True, slots=True)
class Servers:
    """This worker's database and Redis database number on the servers of the run."""

    database_url: str
    redis_url: str


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    folder = _run_folder(request.config)
    _runs().mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    for each in (_runs(), folder):
        each.chmod(0o711)  # as root the servers run as nobody
    return folder


@pytest.fixture
def server_folder(run_folder: Path) -> Path:
    """A data folder for a test that starts servers of its own by `embedded.start`; what is left in it is stopped."""
    return Path(tempfile.mkdtemp(prefix="own-", dir=run_folder))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def servers(run_folder: Path, worker_id: str) -> Iterator[Servers]:
    """The servers of the run with a database of this worker alone, migrated, made once."""
    data = run_folder / "shared"
    held = None
    with _alone(run_folder):
        found = embedded.attach(data, {})
        if found is None:
            found = held = embedded.start(data, {}, durable=False)
            _execute(found.database_url, f"CREATE DATABASE {TEMPLATE}")
            migrations.upgrade(_database(found.database_url, TEMPLATE))
        mine = f"test_{worker_id}"
        _execute(found.database_url, f"CREATE DATABASE {mine} TEMPLATE {TEMPLATE}")
    url = _database(found.database_url, mine)
    _remember_seed(url)
    number = int(worker_id.removeprefix("gw")) % 15 + 1 if worker_id.startswith("gw") else 1
    yield Servers(url, found.redis_url.removesuffix("/0") + f"/{number}")
    if held is not None:
        held.leave()  # the run stops it at its end: other workers may still be at work


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The name of this pytest-xdist worker, or "main"."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


def _database(url: str, name: str) -> str:
    return url.rpartition("/")[0] + f"/{name}"


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement))


_REMEMBER = """
DO $$ DECLARE t record; filled boolean; BEGIN
  CREATE SCHEMA seed;
  FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', t.name) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE seed.%I AS TABLE public.%I', t.name, t.name); END IF;
  END LOOP;
END $$
"""

# Triggers that forbid changes (audit) are off for this session; only tables with rows are emptied, which is most of the time.
_CLEAN = """
SET session_replication_role = replica;
DO $$ DECLARE t record; filled boolean; names text := ''; BEGIN
  FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', t.name) INTO filled;
    IF filled THEN names := names || format(', public.%I', t.name); END IF;
  END LOOP;
  IF names <> '' THEN EXECUTE 'TRUNCATE ' || substr(names, 3) || ' RESTART IDENTITY CASCADE'; END IF;
  FOR t IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'seed' LOOP
    EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE TABLE seed.%I', t.name, t.name);
  END LOOP;
END $$
"""


def _remember_seed(url: str) -> None:
    _execute(url, _REMEMBER)


@pytest.fixture
def database(servers: Servers) -> Iterator[str]:
    """The URL of a database in which every table is as the migrations left it; `transaction()` leads to it."""
    _execute(servers.database_url, _CLEAN)
    engine.configure(servers.database_url)
    yield servers.database_url
    engine.dispose()


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """The URL of this worker's Redis database, emptied."""
    with Redis.from_url(servers.redis_url) as client:
        client.flushdb()
    return servers.redis_url


# ---- settings and the shared folder ----


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings on the clean database and the emptied Redis; providers are addresses where nobody listens."""
    return Settings(
        database_url=database,
        redis_url=redis_url,
        secret_key="a secret of the tests",
        address_keys=(("k1", bytes(range(32))),),
        address_mac_key=bytes(range(32, 64)),
        public_base_url="http://127.0.0.1:8000",
        data=tmp_path,
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token=base64.b16encode(bytes(16)).decode("ascii").lower(),
        twilio_messaging_service_sid="MG" + "0" * 32,
        twilio_api_base_url="http://127.0.0.1:9",
        smtp_url="smtp://127.0.0.1:9",
    )


@pytest.fixture(scope="session")
def shared_path() -> Path:
    """The folder `shared` with the CAP corpus and the regions: ALERTING_SHARED, else beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder `shared` is not beside the checkout (ALERTING_SHARED names another)")
    return SHARED
