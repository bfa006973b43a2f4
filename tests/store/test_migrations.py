"""Migrations: from the first to the last on a database with rows, and never another schema than the tables say."""

from __future__ import annotations

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from alerting.config import Settings
from alerting.store import engine, migrations, tables
from alerting.store.engine import normalise_url, transaction
from bench import population


def test_the_migrations_make_what_the_tables_say(database: str) -> None:
    found = create_engine(normalise_url(database))
    with found.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    found.dispose()


def test_every_migration_runs_on_a_database_with_rows(settings: Settings) -> None:
    name = "migrated"
    url = settings.database_url.rpartition("/")[0] + "/" + name
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    try:
        first, *later = migrations.revisions()
        migrations.upgrade(url, first)
        population.settle(url, settings, 50)
        population.issue(url, squares=2, rows=1, columns=1)
        for revision in later:
            migrations.upgrade(url, revision)
        migrations.upgrade(url)  # again: nothing to do
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM subscriber").fetchone() == (50,)
            assert connection.execute("SELECT DISTINCT authority FROM dispatch").fetchall() == [
                ("bench@warn.example",)
            ]
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (
                migrations.head(),
            )
    finally:
        engine.dispose()
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alert SET sender = 'x'",
        "DELETE FROM alert",
        "TRUNCATE alert CASCADE",
        "UPDATE segment SET rank = 9",
        "UPDATE rendering SET text = 'x'",
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ],
)
def test_what_is_never_changed_is_never_changed(database: str, statement: str) -> None:
    population.issue(database, squares=2, rows=1, columns=1)
    with transaction() as session:
        session.execute(text("INSERT INTO audit VALUES (1, now(), 'a', 'b', 'c', '{}', '', 'h')"))
    with pytest.raises(DBAPIError, match="never changed"), transaction() as session:
        session.execute(text(statement))
