"""Runs the parts of the service as processes of one machine: starts, restarts, and stops every one of them.

Each part leads a session of its own, so that Ctrl-C reaches us alone and whatever a part forked can be found again. A
worker that quits is started again (RQ quits when Redis vanishes). Imports only the standard library and pidfiles.
Invariant: after `stop`, and after the `stop_left` that follows a kill -9, no process of ours is left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alerting import pidfiles

PATIENCE = 8.0  # seconds between SIGTERM and SIGKILL
LONGEST_PAUSE = 5.0  # seconds before a part that keeps failing is started again


@dataclass(frozen=True, slots=True)
class Part:
    """One process to run: its name is that of its pidfile and its log."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)  # holds secrets


@dataclass(slots=True)
class _Running:
    part: Part
    process: subprocess.Popen[bytes] | None = None
    identity: pidfiles.Identity | None = None
    since: float = 0.0
    pause: float = 0.0  # before the next start
    failures: int = 0


class Supervisor:
    """The processes of one data folder; `run` holds pidfiles and `logs` what the parts print."""

    def __init__(self, run: Path, logs: Path) -> None:
        self.run = run
        self.logs = logs
        self._parts: list[_Running] = []
        for folder in (run, logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stop_left(self) -> int:
        """Stop what a killed predecessor left running; the number of processes found."""
        left: list[pidfiles.Identity] = []
        for path in self.run.glob("part-*.pid"):
            found = pidfiles.recall(path)
            if found is not None:
                left += pidfiles.session_of(found)
        _stop_all(left)
        for path in self.run.glob("part-*.pid"):
            path.unlink(missing_ok=True)
        return len(left)

    def start(self, part: Part) -> None:
        """Run one more part; its log begins anew."""
        running = _Running(part)
        (self.logs / f"{part.name}.log").unlink(missing_ok=True)
        self._parts.append(running)
        self._launch(running)

    def tend(self) -> list[str]:
        """One round: start again what has ended. The names of those that had; call it several times a second."""
        ended = []
        for running in self._parts:
            if running.process is not None and running.process.poll() is not None:
                ended.append(running.part.name)
                lived = time.monotonic() - running.since
                running.failures = 0 if lived > 30.0 else running.failures + 1
                running.pause = min(LONGEST_PAUSE, 0.1 * 2**running.failures)
                running.since = time.monotonic()
                running.process = None
                if running.identity is not None:  # a fork of it would work beside its successor
                    _stop_all(pidfiles.session_of(running.identity))
            if running.process is None and time.monotonic() - running.since >= running.pause:
                self._launch(running)
        return ended

    def failing(self) -> str | None:
        """The name of a part that has ended four times within seconds of its start."""
        return next((running.part.name for running in self._parts if running.failures >= 4), None)

    def pids(self) -> list[int]:
        """The running parts."""
        return [running.process.pid for running in self._parts if running.process is not None]

    def stop(self) -> None:
        """Stop every part and whatever it forked."""
        everything = [
            identity
            for running in self._parts
            if running.identity is not None
            for identity in pidfiles.session_of(running.identity)
        ]
        leaders = [running.identity for running in self._parts if running.identity is not None]
        for leader in leaders:
            pidfiles.send(leader, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for leader in leaders:
            pidfiles.gone(leader, max(0.0, deadline - time.monotonic()))
        for leader in leaders:
            everything += pidfiles.session_of(leader)
        _stop_all(everything)
        for running in self._parts:
            if running.process is not None:
                running.process.wait()
            self._pidfile(running.part).unlink(missing_ok=True)
        self._parts.clear()

    def log_of(self, name: str, lines: int = 12) -> str:
        """The last lines that a part printed."""
        try:
            text = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _launch(self, running: _Running) -> None:
        part = running.part
        with (self.logs / f"{part.name}.log").open("ab") as log:
            running.process = subprocess.Popen(
                part.command,
                env=dict(part.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.since = time.monotonic()
        try:
            running.identity = pidfiles.write(self._pidfile(part), running.process.pid)
        except ProcessLookupError:
            running.identity = None  # it has ended already; the next round sees it

    def _pidfile(self, part: Part) -> Path:
        return self.run / f"part-{part.name}.pid"


def _stop_all(identities: Sequence[pidfiles.Identity]) -> None:
    """SIGTERM to all at once, then SIGKILL to whoever is left."""
    for identity in identities:
        pidfiles.send(identity, signal.SIGTERM)
    deadline = time.monotonic() + 2.0
    for identity in identities:
        if not pidfiles.gone(identity, max(0.0, deadline - time.monotonic())):
            pidfiles.send(identity, signal.SIGKILL)
            pidfiles.gone(identity, 5.0)


def own_environment() -> dict[str, str]:
    """The environment for parts: ours, with UTF-8 everywhere and output that is not held back."""
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
