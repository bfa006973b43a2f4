"""`python -m bench.scale`: the slopes behind docs/scale.md, one warning from its issue to its last receipt and its backup.

Prints, for BENCH_PEOPLE recipients: rows a second, bytes of write-ahead log for each, and bytes of tables and indexes,
after each stage. The stages run one after another in this process, before a provider that accepts at once: what is
measured is the database's side. No row, no goal.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from alerting.config import Settings
from alerting.fanout import expand
from alerting.fanout.drain import Drain
from alerting.store import engine
from alerting.tracking import receipts
from bench import machine as m
from bench import population
from bench.drain import Instant
from bench.expand import EVERYBODY
from channels.base import ReceiptEvent, Status

TABLES = ("subscriber", "address", "follow", "delivery", "batch", "tally", "receipt")

#: Receipts that one callback's transaction commits together while many come in.
TOGETHER = 500


@contextmanager
def stage(settings: Settings, name: str, n: int) -> Iterator[None]:
    """Tell what a stage has cost for each of its `n` rows."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        log, started = _log(connection), time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        print(
            f"{name}: {n} in {seconds:.1f} s, {n / seconds:.0f}/s, log {(_log(connection) - log) / n:.0f} bytes each"
        )


def _log(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert found is not None
    return int(found[0])


def _sizes(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for table in TABLES:
            rows, heap, indexes = connection.execute(
                f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}"
            ).fetchone() or (0, 0, 0)
            if rows:
                print(
                    f"  {table}: {rows} rows, {heap / rows:.0f} bytes each and {indexes / rows:.0f} in indexes"
                )


def _drain(settings: Settings, channel: str) -> int:
    provider = Instant()
    provider.name = provider.provider = channel
    return Drain(channel, provider, settings, limit=3_600).run()


def _receive(settings: Settings, n: int) -> None:
    with psycopg.connect(settings.database_url) as connection:
        (dispatch,) = connection.execute("SELECT id FROM dispatch WHERE channel = 'sms'").fetchone() or (0,)
    now = datetime.now(UTC)
    for first in range(1, n + 1, TOGETHER):
        receipts.record(
            [
                ReceiptEvent("twilio", f"SM{i:032x}:delivered", f"{dispatch}.{i}", Status.DELIVERED, None,
                             f"SM{i:032x}", {"MessageStatus": "delivered", "ApiVersion": "2010-04-01"})
                for i in range(first, min(first + TOGETHER, n + 1))
            ],
            now=now,
        )  # fmt: skip


def main() -> None:
    with m.machine() as machine:
        settings = machine.fresh()
        engine.configure(settings.database_url)
        population.issue(settings.database_url, **EVERYBODY)
        with stage(settings, "planned", m.PEOPLE):
            while expand.expand_next(lambda _: expand.BATCH, now=datetime.now(UTC), percent=0):
                pass
        _sizes(settings)
        half = m.PEOPLE // 2
        for channel in ("sms", "email"):
            with stage(settings, f"claimed, opened and flushed ({channel})", half):
                _drain(settings, channel)
        with stage(settings, "receipts written", half):
            _receive(settings, half)
        with stage(settings, "receipts applied", half):
            while receipts.apply_next(now=datetime.now(UTC)):
                pass
        _sizes(settings)
        _backup(settings)
        machine.drop(settings)


def _backup(settings: Settings) -> None:
    from alerting.backup.dump import back_up

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        made = back_up(settings.database_url, Path(folder) / "all", actor="bench", now=datetime.now(UTC))
        seconds = time.perf_counter() - started
    print(
        f"backup: {seconds:.1f} s, {made.size / m.PEOPLE:.0f} bytes for each person with a delivery and half a receipt,"
        f" {m.PEOPLE / seconds:.0f} of them a second"
    )


if __name__ == "__main__":
    main()
