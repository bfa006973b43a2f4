"""A sandbox in a process of its own, started and asked from Python.

For benches and tests, which must not share an interpreter with what they measure. Must not import a library.
Invariant: the process ends with the context.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parents[2]


class CountingProcess:
    """`python -m channels.sandbox.counting` as a context manager."""

    def __init__(self, http_port: int = 0, smtp_port: int = 0) -> None:
        self._ports = ["--http-port", str(http_port), "--smtp-port", str(smtp_port)]

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "channels.sandbox.counting", *self._ports],
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

    def reset(self) -> None:
        """Forget every count."""
        self._ask("POST", "/reset")

    def cpu(self) -> float:
        """CPU seconds that the process has used."""
        return float(self._ask("GET", "/cpu")["cpu_s"])

    def _ask(self, method: str, path: str) -> Any:
        connection = HTTPConnection(urlsplit(self.http_url).netloc, timeout=10)
        try:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
