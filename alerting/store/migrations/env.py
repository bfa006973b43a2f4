"""Alembic's entry: one connection, one transaction for all revisions, one upgrade at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

#: Advisory lock of migrations, any number that nothing else in the service uses.
MIGRATION_LOCK = 7_201_001

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection, connection.begin():
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    context.configure(connection=connection, target_metadata=context.config.attributes.get("metadata"))
    with context.begin_transaction():
        context.run_migrations()
