"""The supervisor: what ends is started again, and nothing that it started outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alerting import pidfiles
from alerting.supervise import Part, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
# A part as RQ is one: the parent waits for a child in a process group of its own.
FORK = (
    sys.executable,
    "-c",
    (
        "import os, pathlib, sys, time\n"
        "if (pid := os.fork()) == 0:\n    os.setpgrp(); time.sleep(60)\n"
        "pathlib.Path(sys.argv[1]).write_text(str(pid)); time.sleep(60)"
    ),
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "run", tmp_path / "logs")
    yield made
    made.stop()


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_part_that_quits_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start(Part("one", SLEEP, os.environ))
    [first] = supervisor.pids()
    os.kill(first, signal.SIGKILL)
    until(lambda: "one" in supervisor.tend())
    until(lambda: supervisor.tend() or supervisor.pids())
    [second] = supervisor.pids()
    assert second != first


def test_a_part_that_cannot_live_is_named_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start(Part("bad", (sys.executable, "-c", "raise SystemExit('no such lane')"), os.environ))

    def given_up() -> str | None:
        supervisor.tend()
        return supervisor.failing()

    until(given_up, 20.0)
    assert supervisor.failing() == "bad"
    assert "no such lane" in supervisor.log_of("bad")


def test_stop_ends_what_a_part_has_forked_too(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Part("fork", (*FORK, str(tmp_path / "child")), os.environ))
    until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = pidfiles.identify(int((tmp_path / "child").read_text()))
    assert child is not None
    supervisor.stop()
    assert not pidfiles.alive(child)
    assert list((tmp_path / "run").iterdir()) == []


def test_what_a_killed_supervisor_left_is_stopped_by_the_next(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, pathlib, time; from alerting.supervise import Part, Supervisor\n"
        "base = pathlib.Path(sys.argv[1]); s = Supervisor(base / 'run', base / 'logs')\n"
        "s.start(Part('fork', tuple(sys.argv[2:]), os.environ))\n"
        "while not (base / 'child').exists(): time.sleep(0.02)\n"
        "print(*s.pids(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", script, str(tmp_path), *FORK, str(tmp_path / "child")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    until((tmp_path / "child").read_text)
    left = [pidfiles.identify(int(word)) for word in (*done.stdout.split(), (tmp_path / "child").read_text())]
    assert all(left)
    assert Supervisor(tmp_path / "run", tmp_path / "logs").stop_left() == 2
    assert not any(identity and pidfiles.alive(identity) for identity in left)


def test_a_recycled_pid_is_never_signalled(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        supervisor = Supervisor(tmp_path / "run", tmp_path / "logs")
        (tmp_path / "run" / "part-web.pid").write_text(f"{stranger.pid} another-time\n")
        assert supervisor.stop_left() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
