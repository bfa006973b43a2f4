"""A sandbox in a process of its own, started and asked from Python.

For benches and tests, which must not share an interpreter with what they measure. Must not import a library.
Invariant: the process ends with the context.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parents[2]


class CountingProcess:
    """`python -m channels.sandbox.counting` as a context manager.

    `lookups` keeps every text for Messages.json; `callbacks` are the statuses to report, signed with `token`.
    """

    def __init__(
        self,
        http_port: int = 0,
        smtp_port: int = 0,
        *,
        lookups: bool = False,
        callbacks: Sequence[str] = (),
        token: str = "",
    ) -> None:
        self._arguments = ["--http-port", str(http_port), "--smtp-port", str(smtp_port)]
        self._arguments += ["--lookups"] if lookups else []
        self._arguments += ["--callbacks", ",".join(callbacks)] if callbacks else []
        self._token = token

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "TWILIO_AUTH_TOKEN": self._token,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "channels.sandbox.counting", *self._arguments],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        if self._process.stdout is None:
            raise RuntimeError("the process has no stdout")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the counting sandbox ended with {self._process.wait()} before it listened")
        ready = json.loads(line)
        self.http_url: str = ready["http_url"]
        self.smtp_url: str = ready["smtp_url"]
        self.pid: int = ready["pid"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def counts(self, *, recipients: bool = False) -> dict[str, dict[str, Any]]:
        """{sms, email}: each {received, distinct, repeated}, with `recipients` also {recipient: times}."""
        answer: dict[str, dict[str, Any]] = self._ask(
            "GET", "/counts?recipients=1" if recipients else "/counts"
        )
        return answer

    def misbehave(self, *rules: Mapping[str, object]) -> None:
        """Put these rules (see script.py) in place of the ones in force; raises ValueError for what is none."""
        answer = self._ask("POST", "/sandbox/script", json.dumps(rules))
        if "error" in answer:
            raise ValueError(answer["error"])

    def lookups(self) -> dict[str, int]:
        """{asked, found, unanswered}: how often Messages.json was read, and how often it had something."""
        answer: dict[str, int] = self._ask("GET", "/sandbox/lookups")
        return answer

    def keep_times(self) -> None:
        """Forget the texts counted so far, and keep from now on when each comes."""
        self._ask("POST", "/sandbox/times")

    def times(self) -> list[float]:
        """When each text came, in the order of arrival: monotonic seconds of this machine."""
        found: list[float] = self._ask("GET", "/sandbox/times")["sms"]
        return found

    def deliveries(self) -> dict[str, int]:
        """How often each delivery was taken, texts and mails, by its own name; while texts are kept for look-ups."""
        answer: dict[str, int] = self._ask("GET", "/sandbox/deliveries")
        return answer

    def reset(self) -> None:
        """Forget every count, text and rule."""
        self._ask("POST", "/reset")

    def cpu(self) -> float:
        """CPU seconds that the process has used."""
        return float(self._ask("GET", "/cpu")["cpu_s"])

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        connection = HTTPConnection(urlsplit(self.http_url).netloc, timeout=10)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
