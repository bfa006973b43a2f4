"""`alerting up`: everything starts, answers, and is gone at the end, also after a kill -9."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerting import pidfiles
from alerting.store.states import Lane
from tests.cli.running import ROOT, environment, free_port


@contextmanager
def up(folder: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    ports = [free_port() for _ in range(3)]
    options = ["--port", str(ports[0]), "--sandbox-port", str(ports[1]), "--smtp-port", str(ports[2])]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "alerting.cli", "up", *options],
            env=environment(ALERTING_DATA=str(folder)),
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield process, ports[0]
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> dict[str, object]:
    """Until every part has said that it is there."""
    deadline = time.monotonic() + 60
    while True:
        status, body = get(port, "/readyz")
        answer: dict[str, object] = json.loads(body) if status == 200 else {}
        if answer.get("sweep_age") is not None:
            return answer
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def processes(folder: Path) -> dict[str, pidfiles.Identity]:
    found = {path.stem: pidfiles.read(path) for path in (folder / "run").glob("*.pid")}
    return {name: identity for name, identity in found.items() if identity is not None}


@pytest.mark.slow
def test_up_runs_every_part_and_leaves_none_behind_after_ctrl_c(server_folder: Path, tmp_path: Path) -> None:
    with up(server_folder, tmp_path / "log") as (process, port):
        wait_ready(process, port, tmp_path / "log")
        running = processes(server_folder)
        parts = {"web", "sweep", "sandbox", *(f"worker-{lane}" for lane in Lane)}
        assert set(running) == {"postgres", "valkey", *(f"part-{part}" for part in parts)}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not [name for name, identity in running.items() if pidfiles.alive(identity)]


@pytest.mark.slow
def test_up_after_a_kill_9_takes_over_the_servers_and_stops_the_rest(
    server_folder: Path, tmp_path: Path
) -> None:
    with up(server_folder, tmp_path / "log") as (process, port):
        wait_ready(process, port, tmp_path / "log")
        left = processes(server_folder)
        process.kill()
        process.wait()
    with up(server_folder, tmp_path / "log2") as (process, port):
        wait_ready(process, port, tmp_path / "log2")
        running = processes(server_folder)
        assert {name for name, identity in left.items() if pidfiles.alive(identity)} == {"postgres", "valkey"}
        assert running["postgres"] == left["postgres"]
    assert not [name for name, identity in running.items() if pidfiles.alive(identity)]
