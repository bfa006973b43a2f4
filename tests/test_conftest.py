"""The test session itself: a clean database, an emptied Redis, and no way to a foreign host."""

from __future__ import annotations

import socket

import psycopg
import pytest
import redis

from alerting.config import Settings


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_the_database_as_the_migrations_left_it(database: str, turn: int) -> None:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT count(*) FROM beat").fetchone()
        connection.execute("INSERT INTO beat (process, at) VALUES ('a test', now())")
    assert found == (0,), turn


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_redis_empty(settings: Settings, turn: int) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        assert client.dbsize() == 0, turn
        client.set("left", turn)


def test_a_foreign_host_cannot_be_reached() -> None:
    with pytest.raises(PermissionError, match=r"127\.0\.0\.1 alone"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(PermissionError, match=r"127\.0\.0\.1 alone"):
        socket.getaddrinfo("example.org", 80)
