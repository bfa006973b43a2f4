"""The embedded servers: private, found again, and never confused with a stranger."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from alerting import embedded, pidfiles


def test_both_servers_refuse_whoever_brings_no_password(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {}, durable=False)
    try:
        bare = servers.database_url.replace(servers.secrets.postgres, "guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(bare)
        port = int(servers.redis_url.rpartition(":")[2].partition("/")[0])
        with redis.Redis(host="127.0.0.1", port=port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
    finally:
        servers.stop()


def test_a_stopped_folder_starts_again_with_its_data_and_secrets(server_folder: Path) -> None:
    first = embedded.start(server_folder, {}, durable=False)
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    first.stop()
    assert embedded.attach(server_folder, {}) is None
    second = embedded.start(server_folder, {}, durable=False)
    try:
        assert second.secrets == first.secrets
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    finally:
        second.stop()


def test_a_fresh_start_empties_what_it_takes_over(server_folder: Path) -> None:
    first = embedded.start(server_folder, {}, durable=False)
    with psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    with redis.Redis.from_url(first.redis_url) as client:
        client.set("kept", 1)
    first.leave()
    second = embedded.start(server_folder, {}, durable=False, fresh=True)
    try:
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
        with redis.Redis.from_url(second.redis_url) as client:
            assert client.dbsize() == 0
    finally:
        second.stop()


def test_what_a_killed_predecessor_left_is_taken_over_and_stopped(server_folder: Path) -> None:
    script = (
        "import os, sys, signal, pathlib; from alerting import embedded;"
        "s = embedded.start(pathlib.Path(sys.argv[1]), {}, durable=False);"
        "print(*s.pids, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(server_folder)], capture_output=True, text=True, check=False
    )
    left = [pidfiles.identify(int(word)) for word in done.stdout.split()]
    assert done.returncode == -signal.SIGKILL
    assert len(left) == 2
    assert all(left)
    servers = embedded.start(server_folder, {}, durable=False)
    assert [pidfiles.identify(pid) for pid in servers.pids] == left
    servers.stop()
    assert not any(identity and pidfiles.alive(identity) for identity in left)


def test_a_killed_predecessor_without_a_pidfile_is_still_found(server_folder: Path) -> None:
    first = embedded.start(server_folder, {}, durable=False)
    (server_folder / "run" / "postgres.pid").unlink()
    found = embedded.attach(server_folder, {})
    assert found is not None
    assert found.database_url == first.database_url
    first.stop()
    assert not any(map(pidfiles.identify, first.pids))


def test_a_recycled_pid_is_never_touched(server_folder: Path) -> None:
    embedded.start(server_folder, {}, durable=False).stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        for name in ("postgres", "valkey"):
            (server_folder / "run" / f"{name}.pid").write_text(f"{stranger.pid} another-time\n")
        left = server_folder / "pg" / "cluster" / "postmaster.pid"
        left.write_text(f"{stranger.pid}\n{left.parent}\n1\n5432\n\n127.0.0.1\n")
        assert embedded.attach(server_folder, {}) is None
        servers = embedded.start(server_folder, {}, durable=False)
        assert stranger.pid not in servers.pids
        servers.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_processes_never_own_one_folder(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {}, durable=False)
    try:
        with pytest.raises(embedded.InUse, match="already runs"):
            embedded.start(server_folder, {}, durable=False)
    finally:
        servers.stop()


def test_a_taken_port_is_named_with_the_variable_that_moves_it(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {}, durable=False)
    try:
        taken = servers.database_url.rpartition(":")[2].partition("/")[0]
        other = server_folder.parent / f"{server_folder.name}-other"
        with pytest.raises(embedded.PortTaken, match=f"port {taken} .* ALERTING_PG_PORT"):
            embedded.start(other, {"ALERTING_PG_PORT": taken}, durable=False)
    finally:
        servers.stop()


def test_secrets_are_for_the_owner_alone_and_never_in_a_repr(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"})
    servers.stop()
    path = server_folder / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(value not in repr(servers.secrets) for value in json.loads(path.read_text()).values())


def test_a_server_that_the_environment_names_is_not_started(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {"DATABASE_URL": "postgresql://somewhere/x"}, durable=False)
    try:
        assert servers.database_url == "postgresql://somewhere/x"
        assert not (server_folder / "pg").exists()
        assert len(servers.pids) == 1
    finally:
        servers.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_as_root_the_servers_run_as_nobody(server_folder: Path) -> None:
    servers = embedded.start(server_folder, {}, durable=False)
    try:
        for pid in servers.pids:
            assert Path(f"/proc/{pid}").stat().st_uid != 0
    finally:
        servers.stop()
