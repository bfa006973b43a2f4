"""`alerting audit`: the chain read and proven from outside the service."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sqlalchemy import text

from alerting.store import audit, engine
from alerting.store.engine import transaction
from tests.cli.test_keys import Run, run  # noqa: F401 - a fixture

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def write(run: Run, count: int = 3) -> None:  # noqa: F811 - the fixture's value
    run("audit", "verify")  # names the database of this process
    with transaction() as session:
        for n in range(count):
            audit.append(session, actor="ada", act="alert.issued", subject=f"w-{n}", detail={"n": n}, now=NOW)


def test_a_whole_chain_says_its_last_hash_and_holds_it_again(run: Run) -> None:  # noqa: F811
    assert "0 rows, whole" in run("audit", "verify").output
    write(run)
    first = run("audit", "verify")
    assert (first.exit_code, first.output[:14]) == (0, "3 rows, whole;")
    head = first.output.split()[-1]
    write(run, 2)
    assert run("audit", "verify", "--head", head).exit_code == 0
    assert run("audit", "verify", "--head", "00" * 32).exit_code == 1


def test_a_changed_row_is_named(run: Run) -> None:  # noqa: F811
    write(run)
    with engine.transaction() as session:
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        session.execute(text("UPDATE audit SET actor = 'eve' WHERE seq = 2"))
        session.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))
    found = run("audit", "verify")
    assert found.exit_code == 1
    assert "row 2 is missing or not as it was written" in found.output


def test_the_rows_of_one_warning_and_those_beyond_a_number(run: Run) -> None:  # noqa: F811
    write(run)
    assert (
        run("audit", "list", "--alert", "w-1").output
        == '2 2026-03-01T08:00:00+00:00 ada alert.issued w-1 {"n": 1}\n'
    )
    rows = [
        json.loads(line)
        for line in run("audit", "list", "--after", "1", "--format", "json").output.splitlines()
    ]
    assert [(row["seq"], row["subject"], row["detail"]) for row in rows] == [
        (2, "w-1", {"n": 1}),
        (3, "w-2", {"n": 2}),
    ]
