"""Servers of one's own that may be killed: for the tests and runs that take PostgreSQL and Valkey away.

Owns two embedded servers on ports that stay theirs. Invariant: the end of the context stops both.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from alerting import embedded, pidfiles
from alerting.embedded import postgres, valkey
from alerting.embedded.folder import Folder, Secrets


@dataclass(slots=True)
class OwnServers:
    """PostgreSQL and Valkey in a folder; `durable` as in `embedded.start`."""

    data: Path
    durable: bool = False
    database_url: str = ""
    redis_url: str = ""
    _ports: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        servers = embedded.start(self.data, {}, durable=self.durable)
        self.database_url, self.redis_url = servers.database_url, servers.redis_url
        self._ports = {
            "ALERTING_PG_PORT": _port(self.database_url),
            "ALERTING_VALKEY_PORT": _port(self.redis_url),
        }
        servers.leave()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        embedded.stop_left(self.data)

    @property
    def _folder(self) -> tuple[Folder, Secrets]:
        folder = Folder(self.data)
        secrets = folder.read_secrets()
        assert secrets is not None
        return folder, secrets

    def kill_valkey(self) -> None:
        """End Valkey as a crash would; everything in it is gone."""
        folder, _ = self._folder
        running = folder.running("valkey")
        if running is not None:
            pidfiles.stop(running, patience=5.0, first=signal.SIGKILL)
            pidfiles.bury(running.pid)

    def empty_valkey(self) -> None:
        """Throw away everything in it, if it is there."""
        with suppress(RedisError), Redis.from_url(self.redis_url) as redis:
            redis.flushall()

    def start_valkey(self) -> None:
        """Start it again on its port."""
        valkey.start(*self._folder, self._ports)

    def stop_postgres(self, how: signal.Signals = signal.SIGINT) -> None:
        """End PostgreSQL: SIGINT is its fast, SIGQUIT its immediate shutdown."""
        folder, _ = self._folder
        running = folder.running("postgres")
        if running is not None:
            pidfiles.stop(running, patience=20.0, first=how)
            pidfiles.bury(running.pid)

    def start_postgres(self) -> None:
        """Start it again on its port; returns when it answers."""
        folder, secrets = self._folder
        postgres.start(folder, secrets, self._ports, durable=self.durable)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.database_url, connect_timeout=2):
                return
            time.sleep(0.05)


def _port(url: str) -> str:
    return url.rpartition("/")[0].rpartition(":")[2]
