"""`receipts.*`: what providers tell us, from the callback over HTTP to the delivery that it moves.

`vs_bare_view`: signed Twilio callbacks a second, answered by the real application as `alerting up` starts it, against a bare
Flask view in the same server with the same settings; each 204 of ours is a committed row, which the bench counts.
`vs_single`: receipts applied a second in bulk, tally and all, among a million deliveries, against one UPDATE and commit for
each receipt on the same rows, without reading, tally or order. Value and reference alternate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from alerting import embedded
from alerting.cli.stack import answers, gunicorn_arguments
from alerting.config import Settings
from alerting.store import engine
from alerting.store.migrations import upgrade
from alerting.tracking import receipts
from bench.machine import free_port, settings_of
from bench.parts import Parts

NAMES = ("receipts.vs_single", "receipts.vs_bare_view")

SAMPLES = 5
SECONDS = float(os.environ.get("BENCH_CALLBACK_SECONDS", "5"))
DELIVERIES = int(os.environ.get("BENCH_DELIVERIES", "1000000"))

#: Callbacks signed before a sample, more than any server of two cores answers in its seconds.
SIGNED = int(SECONDS * 8_000)

#: Receipts of a sample of vs_single, and of its reference.
BULK, SINGLE = 100_000, 5_000

#: Above this share of a core it is the generator that is measured: the row is void.
MOST_SHARE = 0.8


@contextmanager
def prepared() -> Iterator[tuple[Settings, int]]:
    """Durable servers and a dispatch whose deliveries the provider has accepted; (settings, dispatch)."""
    with tempfile.TemporaryDirectory(prefix="alerting-bench-") as folder:
        Path(folder).chmod(0o711)
        servers = embedded.start(Path(folder) / "data", {})
        try:
            settings = settings_of(servers, "bench_receipts")
            with psycopg.connect(servers.database_url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench_receipts")
            upgrade(settings.database_url)
            yield settings, deliveries(settings.database_url, DELIVERIES)
        finally:
            engine.dispose()
            servers.stop()


def deliveries(url: str, number: int) -> int:
    """A dispatch with this many accepted deliveries in a hundred regions, and their tally."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """WITH x AS (INSERT INTO notice (kind, language, text, segments, sha256, created_at)
                          VALUES ('reply', 'en', 'x', 1, '', now()) RETURNING id)
               INSERT INTO dispatch (notice, audience, channel, state, priority, created_at, expires)
               SELECT id, 'person', 'sms', 'open', 1, now(), now() + interval '1 h' FROM x RETURNING id"""
        ).fetchone()
        assert row is not None
        connection.execute(
            """INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
               SELECT %(d)s, n, n, -1, n %% 100, 'en', 'accepted' FROM generate_series(1, %(n)s) AS n""",
            {"d": row[0], "n": number},
        )
        connection.execute(
            """INSERT INTO tally (dispatch, region, status, n)
               SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3"""
        )
        return int(row[0])


# ---- vs_bare_view ----


class Callers:
    """Posts samples of callbacks, each for deliveries of its own."""

    def __init__(self, settings: Settings, dispatch: int) -> None:
        self.settings, self.dispatch = settings, dispatch
        self.first = 1
        self.shares: list[float] = []

    def sample(self, app: str) -> float:
        """Start the application in the service's own server, post, and stop it; answers a second."""
        settings = replace(self.settings, port=free_port())
        before = _written(settings.database_url)
        with served(settings, app):
            _until(lambda: answers(settings.port, "/healthz"))
            time.sleep(0.5)
            self._post(settings, 500, 0.5)  # warm: plans, caches, threads
            said = self._post(settings, SIGNED, SECONDS)
            if app == OURS:
                _count(settings.database_url, before, said["answered"] + self.warmed)
        self.shares.append(said["cpu"] / said["seconds"])
        return float(said["answered"] / said["seconds"])

    def _post(self, settings: Settings, number: int, seconds: float) -> dict[str, Any]:
        first, self.first = self.first, self.first + number
        arguments = (settings.port, settings.twilio_auth_token, self.dispatch, first, number, seconds)
        with subprocess.Popen(
            [sys.executable, "-m", "bench.callbacks", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert process.stdin is not None
            process.stdout.readline()
            process.stdin.write("go\n")
            process.stdin.flush()
            said: dict[str, Any] = json.loads(process.stdout.readline())
        if said["refused"] or said["broken"]:
            raise RuntimeError(f"not every callback was answered 204: {said}")
        if number < 1_000:
            self.warmed = int(said["answered"])
        return said


@contextmanager
def served(settings: Settings, app: str) -> Iterator[int]:
    """The application in the web server as `alerting up` starts it; its log goes to a file, as there."""
    environ = Parts(settings, settings.twilio_api_base_url, "smtp://127.0.0.1:9").environ(
        PUBLIC_BASE_URL=f"http://127.0.0.1:{settings.port}"
    )
    command = [sys.executable, "-m", "gunicorn", *gunicorn_arguments(settings), app]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            yield process.pid
        finally:
            process.terminate()


OURS = "alerting:create_app()"
BARE = "bench.bare_view:app"


def _written(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM receipt").fetchone()
    assert row is not None
    return int(row[0])


def _count(url: str, before: int, answered: int) -> None:
    """Every answer is a row, and every row was answered."""
    written = _written(url) - before
    if written != answered:
        raise RuntimeError(f"{answered} callbacks were answered, and {written} receipts written")


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("the web server does not answer")
        time.sleep(0.1)


# ---- vs_single ----


def bulk(settings: Settings, dispatch: int, first: int) -> float:
    """Receipts a second from the rows that the web side wrote to deliveries that have moved, and the tally."""
    _receive(settings.database_url, dispatch, first, BULK)
    engine.configure(settings.database_url)
    started = time.monotonic()
    while receipts.apply_next(now=datetime.now(UTC)):
        pass
    seconds = time.monotonic() - started
    engine.dispose()
    with psycopg.connect(settings.database_url) as connection:
        moved = connection.execute(
            "SELECT count(*) FROM delivery WHERE dispatch = %s AND n BETWEEN %s AND %s AND status = 'delivered'",
            (dispatch, first, first + BULK - 1),
        ).fetchone()
    if moved != (BULK,):
        raise RuntimeError(f"{BULK} receipts moved {moved} deliveries")
    return BULK / seconds


def single(settings: Settings, dispatch: int, first: int) -> float:
    """The naive way: for each receipt one UPDATE of its delivery, and a commit."""
    numbers = _shuffled(first, SINGLE)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        now = datetime.now(UTC)
        started = time.monotonic()
        for n in numbers:
            connection.execute(
                "UPDATE delivery SET status = 'delivered', at = %s WHERE dispatch = %s AND n = %s AND status = 'accepted'",
                (now, dispatch, n),
            )
        return SINGLE / (time.monotonic() - started)


def _receive(url: str, dispatch: int, first: int, number: int) -> None:
    """Receipts of these deliveries, nearly in the order in which they were sent, as providers report."""
    with (
        psycopg.connect(url) as connection,
        connection.cursor().copy(
            """COPY receipt (provider, event_id, dispatch, n, status, reference, raw, received_at) FROM STDIN"""
        ) as copy,
    ):
        now = datetime.now(UTC)
        for n in _shuffled(first, number):
            copy.write_row(
                ("bench", f"SM{n:032x}:delivered", dispatch, n, "delivered", f"SM{n:032x}", "{}", now)
            )


def _shuffled(first: int, number: int) -> list[int]:
    """Numbers from `first` on, each displaced by up to some thousand."""
    import random

    chance = random.Random(first)
    return sorted(range(first, first + number), key=lambda n: n + chance.randrange(4_000))


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted."""
    found: list[dict[str, Any]] = []
    with prepared() as (settings, dispatch):
        if wanted("receipts.vs_single"):
            samples = []
            for i in range(SAMPLES):
                first = 1 + i * (BULK + SINGLE)
                samples.append([bulk(settings, dispatch, first), single(settings, dispatch, first + BULK)])
                print(f"applied in bulk {samples[-1][0]:,.0f}/s, one by one {samples[-1][1]:,.0f}/s")
            found.append(_row("receipts.vs_single", "receipts/s", 15, samples))
        if wanted("receipts.vs_bare_view"):
            callers = Callers(settings, dispatch)
            samples = []
            for _ in range(SAMPLES):
                samples.append([callers.sample(OURS), callers.sample(BARE)])
                print(f"callbacks answered {samples[-1][0]:,.0f}/s, by a bare view {samples[-1][1]:,.0f}/s")
            share = median(callers.shares)
            print(f"receipts.vs_bare_view: the generator used {share:.0%} of a core")
            found.append(_row("receipts.vs_bare_view", "answers/s", 0.5, samples, void=share > MOST_SHARE))
    return found


def _row(
    name: str, unit: str, goal: float, samples: list[list[float]], *, void: bool = False
) -> dict[str, Any]:
    value, reference = (median(column) for column in zip(*samples, strict=True))
    return {
        "name": name,
        "value": None if void else value,
        "unit": unit,
        "reference": reference,
        "goal": goal,
        "samples": samples,
    }
