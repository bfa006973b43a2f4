"""The judge of `make chaos` sees whom the expansion has lost, and whom it made up."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from alerting.config import Settings
from bench.verdict import BLOCK, stray
from tests.fanout.conftest import country
from tests.fanout.country import Country
from tests.fanout.test_drain import expand_all

__all__ = ["country"]

SQUARES = 30


@pytest.fixture
def connection(settings: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


def warned(country: Country) -> dict[str, int]:
    rows, columns = BLOCK
    alert = country.warn(squares=SQUARES, rows=rows, columns=columns)
    expand_all()
    return {str(alert): SQUARES}


def test_who_is_planned_is_who_follows_the_ground(country: Country, connection: psycopg.Connection) -> None:
    squares = warned(country)
    assert country.one("SELECT count(DISTINCT segment) FROM delivery") == 2
    assert stray(connection, squares) == (0, 0)


def test_followers_who_were_never_planned_are_missed(
    country: Country, connection: psycopg.Connection
) -> None:
    squares = warned(country)
    connection.execute("DELETE FROM delivery WHERE n = 1 AND segment = 0")
    assert stray(connection, squares) == (2, 0)  # a telephone and a mailbox
    connection.execute("UPDATE dispatch SET state = 'withdrawn' WHERE channel = 'sms'")
    assert stray(connection, squares) == (1, 0)


def test_a_warning_without_a_dispatch_misses_everybody(
    country: Country, connection: psycopg.Connection
) -> None:
    squares = warned(country)
    everybody = country.one("SELECT count(*) FROM delivery")
    missing, _ = stray(connection, {"00000000-0000-0000-0000-000000000000": SQUARES})
    assert missing == everybody > 0
    assert stray(connection, {each: n + 1 for each, n in squares.items()})[0] > 0


def test_people_planned_who_follow_something_else_are_seen(
    country: Country, connection: psycopg.Connection
) -> None:
    squares = warned(country)
    missing, uninvited = stray(connection, {each: n - 1 for each, n in squares.items()})
    assert missing == 0 < uninvited
