"""expand.vs_insert_select, expand.first_batch: what it costs to find a million people, and when the first can be sent to.

expand.vs_insert_select: deliveries/s of the expansion of one warning that reaches everybody, against one bare INSERT ...
SELECT of the same rows into an equal table with equal indexes; alternating, on a fresh clone each. Printed beside it: the
rate of one statement that also has to find them, and the bytes of table, indexes and log for each delivery.
expand.first_batch: seconds from the POST of the same warning to the first batch that a worker may claim.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg

from alerting.config import Settings
from alerting.fanout import bell, expand
from alerting.store import engine
from bench import machine as m
from bench import population
from bench.rows import row
from channels.sandbox.process import CountingProcess

NAMES = ("expand.vs_insert_select", "expand.first_batch")
SAMPLES = 3

#: Every square by code, and the polygon over three of them: everybody is reached, once.
EVERYBODY = {"squares": 100, "rows": 1, "columns": 3}

_BARE = "INSERT INTO bare SELECT * FROM delivery"

# What one statement would have to do in our place: find the followers and number them.
_FINDING = """
INSERT INTO bare (dispatch, n, address, segment, region, language, status)
SELECT d.id, row_number() OVER (PARTITION BY d.id ORDER BY a.id), a.id, 0, f.region, s.language, 'planned'
FROM dispatch d JOIN address a ON a.channel = d.channel AND a.state = 'active'
JOIN subscriber s ON s.id = a.subscriber AND s.audience = 'public'
JOIN follow f ON f.subscriber = s.id AND f.region BETWEEN 2 AND 101 AND f.floor <= 4
"""


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted."""
    if not any(wanted(name) for name in NAMES):
        return []
    found = []
    with m.machine() as machine:
        if wanted("expand.vs_insert_select"):
            samples = [_sample(machine) for _ in range(SAMPLES)]
            found.append(row("expand.vs_insert_select", "deliveries/s", 0.6, samples))
        if wanted("expand.first_batch"):
            with CountingProcess() as provider:
                times = [[_first_batch(machine, provider), None] for _ in range(SAMPLES)]
            found.append(row("expand.first_batch", "s", 0.3, times))
    return found


def _sample(machine: m.Machine) -> list[float]:
    settings = machine.fresh()
    try:
        population.issue(settings.database_url, **EVERYBODY)
        value = _expansion(settings)
        reference = _statement(settings, _BARE, "one bare INSERT ... SELECT")
        _statement(settings, _FINDING, "one that finds them, too")
        return [value, reference]
    finally:
        machine.drop(settings)


def _expansion(settings: Settings) -> float:
    engine.configure(settings.database_url)
    bell.configure(settings.redis_url)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        log = _log(connection)
        started = time.perf_counter()
        ranges = 0
        while expand.expand_next(lambda _: expand.BATCH, now=datetime.now(UTC), percent=0):
            ranges += 1
        seconds = time.perf_counter() - started
        log = _log(connection) - log
        planned, table, indexes = connection.execute(
            "SELECT count(*), pg_table_size('delivery'), pg_indexes_size('delivery') FROM delivery"
        ).fetchone() or (0, 0, 0)
    print(
        f"expansion: {planned} in {seconds:.1f} s and {ranges} transactions, {planned / seconds:.0f}/s;"
        f" bytes a delivery: table {table / planned:.0f}, indexes {indexes / planned:.0f}, log {log / planned:.0f}"
    )
    return float(planned / seconds)


def _statement(settings: Settings, statement: str, what: str) -> float:
    """Deliveries/s of one statement into an equal, empty table; its commit counts."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        # LIKE copies no storage parameters, and the room that pages leave is a part of the cost.
        (told,) = connection.execute(
            "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'delivery'::regclass"
        ).fetchone() or ("",)
        connection.execute(f"CREATE TABLE bare (LIKE delivery INCLUDING ALL) WITH ({told})")
        connection.execute("CHECKPOINT")
        log = _log(connection)
        started = time.perf_counter()
        written = connection.execute(statement).rowcount
        seconds = time.perf_counter() - started
        log = _log(connection) - log
    print(
        f"{what}: {written} in {seconds:.1f} s, {written / seconds:.0f}/s; log {log / written:.0f} bytes each"
    )
    return written / seconds


def _log(connection: psycopg.Connection) -> int:
    """Bytes of write-ahead log since the server was made."""
    found = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert found is not None
    return int(found[0])


def _first_batch(machine: m.Machine, provider: CountingProcess) -> float:
    """Seconds from the POST until a transaction sees a batch of texts or mails."""
    settings = m.fresh_with(machine, provider)
    provider.reset()
    try:
        with m.service(settings, provider) as (_, port, secret):
            document = m.warning(**EVERYBODY, now=datetime.now(UTC))
            with psycopg.connect(settings.database_url, autocommit=True) as connection:
                # The POST in a thread of its own: the batch may be there before its answer.
                posting = threading.Thread(target=m.post, args=(port, secret, document))
                started = time.monotonic()
                posting.start()
                while not _claimable(connection):
                    if time.monotonic() - started > 60:
                        raise RuntimeError("no batch in a minute")
                    time.sleep(0.002)
                seconds = time.monotonic() - started
                posting.join()
        print(f"first batch after {seconds:.3f} s")
        return seconds
    finally:
        machine.drop(settings)


def _claimable(connection: psycopg.Connection) -> bool:
    found = connection.execute(
        "SELECT EXISTS (SELECT FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE d.channel IN ('sms', 'email'))"
    ).fetchone()
    return found is not None and bool(found[0])
