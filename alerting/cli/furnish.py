"""What a new installation on one machine gets before its first request: regions, a first key, and where both are.

Works through the use cases, as the commands do. Invariant: the key lies in a 0600 file of the data folder, its hash alone in
the database, and `service.json` is there only while the service runs.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from alerting.cli.connection import SERVICE_FILE, Service
from alerting.cli.stack import Stack
from alerting.store import engine

#: The officer in whose name this machine's own commands act.
LOCAL = "local"


def furnish(running: Stack, *, now: datetime) -> str | None:
    """Import the built-in regions unless there are some, and return this machine's key, made on the first run.

    None when the keys of this installation were made by somebody else. Configures this process's database.
    """
    from alerting.authoring import keys
    from alerting.gazetteer.importing import ensure_builtin

    engine.configure(running.settings.database_url, pgbouncer=running.settings.pgbouncer)
    ensure_builtin(actor=LOCAL, now=now)
    path = running.servers.data / "key"
    with contextlib.suppress(FileNotFoundError):
        secret = path.read_text(encoding="ascii").strip()
        if keys.recognise(secret) is not None:
            return secret
    secret = keys.new_secret()
    try:
        keys.create_first(LOCAL, secret=secret, now=now)
    except keys.NotFirst:
        return None
    _write_private(path, secret)
    return secret


@contextmanager
def announced(running: Stack, key: str | None) -> Iterator[None]:
    """Let `publish` and `show` find the service while the block runs."""
    path = running.servers.data / SERVICE_FILE
    _write_private(path, json.dumps({"url": running.web_url, **({"key": key} if key else {})}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def service_of(running: Stack, key: str) -> Service:
    """The running service as the holder of `key` sees it."""
    return Service(running.web_url, key)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as stream:
        stream.write(text + "\n")
