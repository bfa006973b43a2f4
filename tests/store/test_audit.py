"""The audit is a chain: what was changed, taken out or put in is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from alerting.store import audit
from alerting.store.engine import transaction

NOW = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)


def append(n: int) -> int:
    with transaction() as session:
        detail = {
            "n": n,
            "text": "Überflutung\u2028洪水",
            "list": [1, None, True],
            "deep": {"b": "1", "a": 2},
        }
        return audit.append(
            session, actor="tester", act="tried", subject=f"thing {n}", detail=detail, now=NOW
        )


def verify() -> int | None:
    with transaction() as session:
        return audit.verify(session)


def meddle(url: str, statement: str) -> None:
    """Change rows as somebody with the power over the database would: past the triggers."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def test_a_chain_that_nobody_touched_is_whole(database: str) -> None:
    assert verify() is None
    assert [append(n) for n in range(5)] == [1, 2, 3, 4, 5]
    assert verify() is None
    with transaction() as session:
        (entry,) = audit.of(session, "thing 3")
        assert entry.at == NOW
        assert entry.detail["n"] == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'somebody' WHERE seq = 3",
        "UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 3",
        "UPDATE audit SET detail = jsonb_set(detail, '{n}', '4') WHERE seq = 3",
        "UPDATE audit SET previous = hash WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
    ],
)
def test_the_first_row_that_is_wrong_is_named(database: str, statement: str) -> None:
    for n in range(5):
        append(n)
    meddle(database, statement)
    assert verify() == 3


def test_rows_of_many_writers_stand_in_one_chain(database: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(append, range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert verify() is None


def test_the_database_refuses_to_change_or_delete_a_row(database: str) -> None:
    append(1)
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)


def test_what_does_not_come_back_as_it_was_hashed_is_refused(database: str) -> None:
    with pytest.raises(TypeError), transaction() as session:
        audit.append(session, actor="t", act="a", subject="s", detail={"share": [0.1]}, now=NOW)
