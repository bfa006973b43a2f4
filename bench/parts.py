"""The parts of the service as processes: for benches, and for the tests that kill them.

Owns the environment that a part needs and the processes that it starts. Invariant: the end of the context ends every
process and whatever it forked.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from alerting import pidfiles
from alerting.config import Settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Parts:
    """Processes of one database, one Redis and one provider (its two URLs)."""

    settings: Settings
    http_url: str
    smtp_url: str
    log: Path | None = None  # where the parts write what they say; None: where this process does
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, tuple[tuple[str, ...], dict[str, str]]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.running):
            self.signal(name, signal.SIGKILL)

    def environ(self, **more: str) -> dict[str, str]:
        """What a part reads, on top of this process's own environment."""
        settings = self.settings
        keys = (f"{name}:{base64.b64encode(key).decode()}" for name, key in settings.address_keys)
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "ADDRESS_KEYS": ",".join(keys),
            "ADDRESS_MAC_KEY": base64.b64encode(settings.address_mac_key).decode(),
            "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
            "TWILIO_MESSAGING_SERVICE_SID": settings.twilio_messaging_service_sid,
            "TWILIO_API_BASE_URL": self.http_url,
            "SMTP_URL": self.smtp_url,
            **more,
        }

    def python(self, name: str, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Run Python with these arguments in a session of its own; raises ValueError for a name that is running."""
        if name in self.running:
            raise ValueError(f"{name} is running already")
        with (self.log or Path(os.devnull)).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=self.environ(**environ),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log if self.log else None,
                stderr=log if self.log else None,
            )
        self.running[name] = process
        self.commands[name] = arguments, environ
        return process

    def start(self, name: str, *command: str, **environ: str) -> subprocess.Popen[bytes]:
        """Run `alerting COMMAND`."""
        return self.python(name, "-m", "alerting.cli", *command, **environ)

    def again(self, name: str) -> None:
        """Start a part that was killed once more, as it was started before."""
        arguments, environ = self.commands[name]
        self.python(name, *arguments, **environ)

    def mend(self) -> list[str]:
        """Start again whatever has ended by itself, as `up` and systemd do; the names."""
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        for name in ended:
            self.signal(name, signal.SIGKILL)  # what it has forked
            self.again(name)
        return ended

    def horses(self, name: str) -> list[pidfiles.Identity]:
        """The processes that a part has forked: of a worker the RQ work-horse."""
        identity = pidfiles.identify(self.running[name].pid)
        return [] if identity is None else [one for one in pidfiles.session_of(identity) if one != identity]

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part and to everything that it has forked; SIGKILL also forgets it."""
        identity = pidfiles.identify(self.running[name].pid)
        if identity is not None:
            for one in pidfiles.session_of(identity):
                pidfiles.send(one, number)
        if number is signal.SIGKILL:
            self.running.pop(name).wait(10)
