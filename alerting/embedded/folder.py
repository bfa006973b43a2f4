"""The data folder: where it is, who owns what in it, its lock, its pidfiles and its secrets.

As root everything that a server touches belongs to `nobody`, because PostgreSQL refuses to run as root. Imports only
the standard library. Invariant: the secrets are made once, readable by us alone, and one process holds the folder.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import pwd
import secrets as randomness
import shutil
import socket
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from alerting import pidfiles
from alerting.embedded.errors import InUse, PortTaken, Unavailable

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What has to be random and has to stay the same for the life of a data folder; never in a repr."""

    postgres: str
    valkey: str
    secret_key: str
    address_keys: str
    address_mac_key: str

    @classmethod
    def new(cls) -> Secrets:
        """Fresh ones from the system's source of randomness."""

        def key() -> str:
            return base64.b64encode(randomness.token_bytes(32)).decode("ascii")

        token = randomness.token_hex
        return cls(token(24), token(24), token(32), f"k1:{key()}", key())

    def environment(self) -> dict[str, str]:
        """The service's own secrets under the names that `Settings.from_env` reads."""
        return {
            "SECRET_KEY": self.secret_key,
            "ADDRESS_KEYS": self.address_keys,
            "ADDRESS_MAC_KEY": self.address_mac_key,
        }


def default_data(environ: Mapping[str, str]) -> Path:
    """ALERTING_DATA, else a folder named after this installation's path.

    As root below /var/lib, since the parents of a checkout may be closed to `nobody`; otherwise below XDG_STATE_HOME.
    """
    if named := environ.get("ALERTING_DATA"):
        return Path(named).expanduser().absolute()
    name = hashlib.sha256(os.fsencode(_PACKAGE.parent)).hexdigest()[:12]
    if os.geteuid() == 0:
        return Path("/var/lib/alerting") / name
    state = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return Path(state) / "alerting" / name


def subfolder(data: Path, name: str) -> Path:
    """The path of a data folder within a data folder, whose own account of modes is made first."""
    Folder.make_way(data)
    return data / name


class Folder:
    """One data folder; as root its server parts belong to `nobody`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.run = data / "run"
        self.owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._lock: int | None = None

    @classmethod
    def prepare(cls, data: Path) -> Folder:
        """Make the folder; raises Unavailable when the servers' account could not reach it."""
        cls.make_way(data)
        folder = cls(data)
        folder.run.mkdir(mode=0o700, exist_ok=True)
        if folder.owner:
            for parent in data.parents:
                if not parent.stat().st_mode & stat.S_IXOTH:
                    raise Unavailable(
                        f"as root the servers run as nobody, who may not enter {parent}: set ALERTING_DATA to a folder"
                        " that everybody may reach, such as one below /var/lib"
                    )
        return folder

    @staticmethod
    def make_way(data: Path) -> None:
        """Make a folder that is ours alone, and that as root the servers' account may pass; raises Unavailable."""
        try:
            data.mkdir(parents=True, exist_ok=True)
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise Unavailable(
                f"the data folder {data} cannot be made ({error.strerror}): set ALERTING_DATA"
            ) from error

    def lock(self) -> None:
        """Hold the folder until `release`, the end of this process included; raises InUse."""
        handle = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise InUse(
                f"another alerting already runs in {self.data}: stop it first, or set ALERTING_DATA to another folder"
            ) from None
        self._lock = handle

    def release(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ---- secrets ----

    def secrets(self) -> Secrets:
        """The folder's secrets, made on the first call; the caller holds the lock."""
        found = self.read_secrets()
        if found is None:
            found = Secrets.new()
            new = self.data / ".secrets.json"
            new.unlink(missing_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                json.dump(asdict(found), stream)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self.data / "secrets.json")
        return found

    def read_secrets(self) -> Secrets | None:
        """The secrets of a folder that has some, readable by this user."""
        path = self.data / "secrets.json"
        try:
            return Secrets(**json.loads(path.read_text(encoding="ascii")))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        except (ValueError, TypeError) as error:
            raise Unavailable(
                f"{path} is damaged: restore it from a copy; without it no address can be read"
            ) from error

    # ---- processes ----

    def pidfile(self, name: str) -> Path:
        return self.run / f"{name}.pid"

    def running(self, name: str) -> pidfiles.Identity | None:
        """The process that this folder's pidfile names, if it is still that one."""
        return pidfiles.read(self.pidfile(name))

    # ---- what belongs to the servers' account ----

    def make(self, *parts: str) -> Path:
        """A folder that the servers alone may enter."""
        path = self.data.joinpath(*parts)
        path.mkdir(mode=0o700, exist_ok=True)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Hand a file or folder to the servers' account."""
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def account(self) -> dict[str, object]:
        """The keyword arguments of subprocess under which a server runs."""
        if self.owner:
            return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        return {}

    def reachable(self, source: Path, name: str) -> Path:
        """`source`, or as root a copy of it below rt/ that everybody may read: a venv may lie in a closed folder."""
        if not self.owner:
            return source
        copy = self.data / "rt" / name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            new = copy.with_name(f".{copy.name}.new")
            if new.is_dir():
                shutil.rmtree(new)
            if source.is_dir():
                shutil.copytree(
                    source, new, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__")
                )
            else:
                shutil.copy2(source, new)
            for path in (new, *(new.rglob("*") if new.is_dir() else ())):
                if not path.is_symlink():
                    executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if executable else 0o644)
            new.rename(copy)
        for folder in copy.relative_to(self.data).parents:
            (self.data / folder).chmod(0o711)
        return copy


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it a port is taken for a minute after its last connection closed, though a server could have it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(environ: Mapping[str, str], variable: str) -> int:
    """The port that `variable` asks for, else a free one; raises PortTaken."""
    written = environ.get(variable, "")
    option = "--" + variable.removeprefix("ALERTING_").lower().replace("_", "-")  # as `alerting up` names it
    if written:
        if not written.isdecimal() or not 0 < int(written) < 65536:
            raise PortTaken(f"{variable} must be a port number from 1 to 65535")
        if not is_free(int(written)):
            raise PortTaken(
                f"port {written} of 127.0.0.1 is taken: give another with {option} or {variable}, or give none"
            )
        return int(written)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
