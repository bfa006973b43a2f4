"""The engine of this process and its transactions.

One engine per process: `configure` names the database, `transaction` is the only way to a session, and `dispose` is
called in a forked child before its first query, so that no two processes share a connection. Must not import a use case.
Invariant: what happens inside one `transaction()` commits whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

#: What a transaction raises when the database does not answer or refuses; its text may hold the URL, so log its class.
DatabaseError = SQLAlchemyError

#: Those of them that come from the driver, whose own exception is `.orig`.
DriverError = DBAPIError

#: Those of them that pass by themselves: no connection, none free, a deadlock, a transaction that the server ended or that
#: met a standby (psycopg's InternalError). The same request may succeed later.
UNAVAILABLE: tuple[type[Exception], ...] = (OperationalError, InterfaceError, InternalError, PoolTimeout)

_state: dict[str, object] = {}


def normalise_url(url: str) -> str:
    """`postgres://` and `postgresql://` as SQLAlchemy's psycopg 3 dialect."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def configure(
    url: str, *, pool_size: int = 5, pgbouncer: bool = False, patience: float | None = None
) -> None:
    """Name the database of this process; an engine that was open is disposed of.

    With `pgbouncer` no statement is prepared on the server, as transaction pooling needs. `patience` is how many seconds
    a transaction may do nothing before the server ends it: a process that was stopped in the middle of one must not keep
    others from the rows that it holds. Behind PgBouncer that is set for the role.
    """
    dispose()
    options: dict[str, object] = {"prepare_threshold": None} if pgbouncer else {}
    _state["engine"] = made = create_engine(
        normalise_url(url),
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=True,
        pool_use_lifo=True,  # one connection does nearly everything: its plans and caches stay warm
        hide_parameters=True,  # an error text that holds an address would end in a log
        connect_args={"connect_timeout": 3, "application_name": "alerting", **options},
    )
    _state["pid"] = os.getpid()
    if patience is not None and not pgbouncer:
        milliseconds = int(patience * 1000)

        @event.listens_for(made, "connect")
        def limit_idleness(connection: psycopg.Connection[Any], _: object) -> None:
            connection.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}".encode())
            connection.commit()


def configured() -> bool:
    """Whether this process has named its database, and not forgotten it again."""
    return "engine" in _state


def engine() -> Engine:
    """The engine of this process; after a fork the parent's connections are left to the parent."""
    found = _state.get("engine")
    if not isinstance(found, Engine):
        raise RuntimeError(  # noqa: TRY004  # the order of calls is wrong, not a type
            "no database configured: call alerting.store.engine.configure(url) first"
        )
    if _state.get("pid") != os.getpid():
        found.dispose(close=False)
        _state["pid"] = os.getpid()
    return found


def close_connections() -> None:
    """Close the connections of this process, and keep the engine: before a fork, whose child opens its own."""
    engine().dispose()


def dispose() -> None:
    """Close the connections of this process and forget the engine."""
    _let_go()
    found = _state.pop("engine", None)
    if isinstance(found, Engine):
        found.dispose(close=_state.get("pid") == os.getpid())


@contextmanager
def transaction() -> Iterator[Session]:
    """A session whose work commits when the block ends and is rolled back when it raises."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


def at_once(statement: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """The rows of a statement that is a transaction by itself: one round trip where a `transaction` takes four.

    It goes over a connection that is kept for such statements; one thread of the process at a time may call. Where that
    connection turns out to be lost, the statement is run again on a new one: it must be one that may be run twice.
    """
    while True:
        fresh, connection = _kept()
        try:
            with connection.cursor() as cursor:
                return cursor.execute(statement, parameters).fetchall()
        except psycopg.Error as error:
            if connection.closed:
                _let_go()
                if not fresh:
                    continue
            raise translated(statement, error) from error


def translated(statement: str, error: psycopg.Error) -> Exception:
    """An error of the driver's own cursor as SQLAlchemy would raise it, so that its callers know one kind alone."""
    return DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True)


def _kept() -> tuple[bool, psycopg.Connection[Any]]:
    """Whether the connection is new, and the connection."""
    kept = _state.get("kept")
    if isinstance(kept, Connection) and _state.get("kept_pid") == os.getpid():
        found = kept.connection.driver_connection
        assert isinstance(found, psycopg.Connection)  # noqa: S101  # the only dialect there is
        return False, found
    _let_go()
    opened = engine().connect().execution_options(isolation_level="AUTOCOMMIT")
    _state["kept"], _state["kept_pid"] = opened, os.getpid()
    return True, _kept()[1]


def _let_go() -> None:
    """Close the connection of `at_once`; the parent's is left to the parent."""
    kept = _state.pop("kept", None)
    if isinstance(kept, Connection):
        if _state.pop("kept_pid") == os.getpid():
            kept.invalidate()
            kept.close()
        else:
            kept.detach()


def prefer_indexes(session: Session) -> None:
    """Tell the planner, for this transaction, that pages are read from memory or a solid-state disk.

    With the default price of a random page it joins a range of 2 000 rows by reading tables of millions.
    """
    session.execute(text("SET LOCAL random_page_cost = 1.1"))


def be_patient(session: Session, seconds: float) -> None:
    """Let this transaction do nothing for so long, whatever `configure` was told."""
    milliseconds = int(seconds * 1000)
    session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"))


class ProcessLock:
    """An advisory lock that lasts as long as its connection: at most one process of a kind is at work.

    It needs a session of its own: behind PgBouncer give the database's direct URL.
    """

    def __init__(self, url: str, key: int) -> None:
        self._url, self._key = normalise_url(url), key
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether this process has the lock, after trying to get it; False as well while the database is away."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            connection = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
            if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar_one():
                self._connection = connection
                return True
            connection.close()
        except OperationalError:
            self.release()
        return False

    def release(self) -> None:
        """Give the lock up."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
