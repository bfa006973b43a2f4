"""A database that comes from a backup: whether it may be one, and what in it is in doubt.

Owns `dispatch.restored_from`, `held_by_restore` and the SQL that a restore runs. What the original service sent after the backup is not in
it: each row that the backup calls planned may have left already. Functions take a session and never commit.
Invariant: an unfinished dispatch is held, and its planned rows are marked, in the transaction that brings them in.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Numbers of dispatches left out after a restore: the original may have given them to warnings that the backup does not
#: know, and a late receipt for one of those must not be taken for one of ours.
GAP = 1_000_000

#: Run before a backup's own script in its transaction, where the target is to be emptied.
EMPTY = """
DO $$ DECLARE s text; BEGIN
  FOR s IN SELECT nspname FROM pg_namespace
           WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', s);
  END LOOP;
  CREATE SCHEMA public;
END $$;
"""

#: Run after it, in the same transaction: it holds for the tables of every release. A lease of the backup is nobody's now.
#: A withdrawn dispatch keeps its leases: the sweep takes them back, and repeats nothing of it.
HOLD = """
CREATE TABLE public.restoring AS SELECT id, state FROM public.dispatch WHERE state IN ('planning', 'open', 'held');
UPDATE public.delivery SET maybe_repeated = true FROM public.restoring r
 WHERE delivery.dispatch = r.id AND delivery.status = 'planned' AND NOT maybe_repeated;
UPDATE public.batch SET state = 'ready', token = NULL, lease_until = NULL, started_to = NULL FROM public.restoring r
 WHERE batch.dispatch = r.id AND batch.state = 'leased';
UPDATE public.dispatch SET state = 'held' FROM public.restoring r WHERE dispatch.id = r.id;
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A database as it is found: its name, the major version of its server, its tables, and who of the service is in it."""

    name: str
    major: int
    tables: int
    connected: int


def look(session: Session) -> Target:
    """The database of this session."""
    row = session.execute(
        text("""
            SELECT current_database() AS name, current_setting('server_version_num')::int / 10000 AS major,
                   (SELECT count(*) FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
                    WHERE c.relkind IN ('r', 'p') AND s.nspname NOT LIKE 'pg\\_%'
                      AND s.nspname <> 'information_schema') AS tables,
                   (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND pid <> pg_backend_pid() AND application_name = 'alerting') AS connected
        """)
    ).one()
    return Target(row.name, row.major, row.tables, row.connected)


def revision(session: Session) -> str | None:
    """The migration at which the database stands; None for one that was never migrated."""
    if session.execute(text("SELECT to_regclass('alembic_version') IS NULL")).scalar_one():
        return None
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def unfinished(session: Session) -> bool:
    """A restore has brought its rows in, and nothing has been noted of them yet."""
    return bool(session.execute(text("SELECT to_regclass('public.restoring') IS NOT NULL")).scalar_one())


def note(session: Session) -> list[int]:
    """Note, once the database is migrated, what was unfinished in the backup; the ids of those dispatches."""
    held = session.execute(
        text("""
            UPDATE dispatch SET restored_from = r.state, held_by_restore = r.state IN ('planning', 'open')
            FROM restoring r WHERE dispatch.id = r.id RETURNING dispatch.id
        """)
    ).scalars()
    ids = sorted(held)
    session.execute(text("DROP TABLE restoring"))
    session.execute(
        text("""
            SELECT setval(pg_get_serial_sequence('dispatch', 'id'),
                          (SELECT coalesce(max(id), 0) + :gap FROM dispatch))
        """),
        {"gap": GAP},
    )
    return ids


def in_doubt(session: Session, dispatches: list[int]) -> int:
    """How many rows of these dispatches wait and may have been sent already."""
    query = text("""
        SELECT count(*) FROM delivery WHERE dispatch = ANY(CAST(:ids AS bigint[])) AND status = 'planned' AND maybe_repeated
    """)
    return int(session.execute(query, {"ids": dispatches}).scalar_one())


def resume(session: Session) -> list[int]:
    """Let what a restore has held go on where the backup left it; the ids of those dispatches.

    What was held before stays so, and so does what has been held since for another reason.
    """
    found = session.execute(
        text("""
            UPDATE dispatch SET state = restored_from, held_by_restore = false
            WHERE state = 'held' AND held_by_restore RETURNING id
        """)
    ).scalars()
    return sorted(found)
