"""Fan-out, end to end, from the POST to the provider's own count.

fanout.vs_naive: 200 000 reached against one job for each recipient (2 000). fanout.vs_adapters: the same against the two
adapters alone. fanout.vs_limit: against two bare processes that hand the same bytes to the same sandbox. The rows named _50k:
50 000 reached; with them fanout.first_sms, from the POST to the first SMS accepted. Value and reference alternate in one
run, each on a fresh clone of a million people; loss and repeats are read from the provider, and a sample with either raises.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench import machine as m
from bench import naive, population
from bench.parts import Parts
from bench.rows import row
from channels.sandbox.process import CountingProcess

SAMPLES = 3
NAIVE = 2_000

#: Squares by code, and the block of the polygon: about 50 000 of a million.
FIFTY_THOUSAND = {"squares": 2, "rows": 1, "columns": 3}

#: About 200 000, in the same shares of regions and polygon.
TWO_HUNDRED_THOUSAND = {"squares": 8, "rows": 3, "columns": 4}

#: What each size is measured against: rows with the goal of their ratio.
AGAINST_50K = {"fanout.vs_naive_50k": 40.0, "fanout.vs_adapters_50k": 0.6}
AGAINST_200K = {"fanout.vs_naive": 60.0, "fanout.vs_adapters": 0.75, "fanout.vs_limit": 0.25}

NAMES = (*AGAINST_50K, "fanout.first_sms", *AGAINST_200K)

#: Above this share of CPU it is the sandbox that is measured: the row is void.
MOST_SHARE = 0.4


class Shares:
    """How much of the machine the sandbox used."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def void(self, name: str) -> bool:
        """Print the median share, and whether the row is void."""
        share = statistics.median(self.seen)
        print(f"{name}: the sandbox used {share:.0%} of the CPU of our run")
        return share > MOST_SHARE


def ours(
    machine: m.Machine,
    provider: CountingProcess,
    shares: Shares,
    size: dict[str, int],
    *,
    watch: Callable[[Parts], AbstractContextManager[object]] = nullcontext,
    patience: float = 300,
) -> tuple[float, float]:
    """One warning through the whole service: (messages a second, seconds to the first accepted SMS).

    `watch` is entered with the running parts for the length of the warning; it may take `patience` seconds.
    """
    settings = m.fresh_with(machine, provider)
    provider.reset()
    try:
        with m.service(settings, provider) as (parts, port, secret), watch(parts):
            document = m.warning(**size, now=datetime.now(UTC))
            theirs, all_of_it = provider.cpu(), m.busy()
            posted, started = datetime.now(UTC), time.monotonic()
            m.post(port, secret, document)
            reached = _wait(settings.database_url, provider, patience)
            seconds = time.monotonic() - started
            shares.seen.append((provider.cpu() - theirs) / (m.busy() - all_of_it))
            with psycopg.connect(settings.database_url) as connection:
                first = connection.execute(
                    "SELECT min(b.first_at) FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE d.channel = 'sms'"
                ).fetchone()
        assert first is not None
        return reached / seconds, (first[0] - posted).total_seconds()
    finally:
        machine.drop(settings)


def _wait(url: str, provider: CountingProcess, patience: float) -> int:
    """Wait until every planned message has been received, once; how many."""
    deadline = time.monotonic() + patience
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            planned, unplanned = connection.execute(
                """SELECT coalesce(sum(t.n), 0), (SELECT count(*) FROM dispatch WHERE state = 'planning')
                   FROM tally t JOIN dispatch d ON d.id = t.dispatch WHERE d.channel IN ('sms', 'email')"""
            ).fetchone() or (0, 1)
            if planned and not unplanned and m.received(provider) >= planned:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"{m.received(provider)} of {planned} arrived in time")
            time.sleep(0.02)
    counts = provider.counts()
    if any(counts[channel]["repeated"] for channel in counts) or m.received(provider) != planned:
        raise RuntimeError(f"lost or repeated: {planned} planned, {counts}")
    return int(planned)


def naively(
    machine: m.Machine, provider: CountingProcess, *, forking: bool = False, people: int = NAIVE
) -> float:
    """The naive design with two processes: messages a second from the first enqueue to the last received."""
    settings = m.fresh_with(machine, provider)
    provider.reset()
    try:
        population.issue(settings.database_url, **FIFTY_THOUSAND)
        rows = _planned_rows(settings.database_url, people)
        with Parts(settings, provider.http_url, provider.smtp_url) as parts:
            for i in range(2):
                parts.python(f"naive {i}", "-m", "bench.naive", *(["forking"] if forking else []))
            time.sleep(3)
            started = time.monotonic()
            naive.enqueue(settings.redis_url, rows)
            while m.received(provider) < people:
                time.sleep(0.02)
            return people / (time.monotonic() - started)
    finally:
        machine.drop(settings)


def _planned_rows(url: str, people: int) -> list[tuple[int, int]]:
    """Plan some recipients, half by SMS and half by e-mail, without a worker."""
    with psycopg.connect(url) as connection:
        rows: list[tuple[int, int]] = []
        for channel in ("sms", "email"):
            rows += connection.execute(
                """INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
                   SELECT d.id, row_number() OVER (), a.id, 0, 0, s.language, 'planned'
                   FROM dispatch d, address a JOIN subscriber s ON s.id = a.subscriber
                   WHERE d.channel = %(c)s AND a.channel = %(c)s LIMIT %(n)s RETURNING dispatch, n""",
                {"c": channel, "n": people // 2},
            ).fetchall()
    return [row for pair in zip(rows[: people // 2], rows[people // 2 :], strict=True) for row in pair]


def alone(machine: m.Machine, provider: CountingProcess, module: str, people: int) -> float:
    """The clients of a module of this folder alone, a process for each channel: messages a second of both together."""
    settings = m.with_provider(m.settings_of(machine.servers, m.TEMPLATE), provider)
    provider.reset()
    environ = Parts(settings, provider.http_url, provider.smtp_url).environ()
    both = [
        subprocess.Popen(
            [sys.executable, "-m", module, channel, str(people // 2)],
            env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for channel in ("sms", "email")
    ]  # fmt: skip
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    started = time.monotonic()
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    seconds = time.monotonic() - started
    for process in both:
        process.communicate()
    assert m.received(provider) == people
    return people / seconds


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted."""
    found: list[dict[str, Any]] = []
    if not any(wanted(name) for name in NAMES):
        return []
    with m.machine() as machine, CountingProcess() as provider:
        first_too = wanted("fanout.first_sms")
        small = [name for name in AGAINST_50K if wanted(name)]
        if small or first_too:
            found += _against(machine, provider, small, FIFTY_THOUSAND, 50_000, first_too=first_too)
        large = [name for name in AGAINST_200K if wanted(name)]
        if large:
            found += _against(machine, provider, large, TWO_HUNDRED_THOUSAND, 200_000, first_too=False)
    return found


def _against(
    machine: m.Machine,
    provider: CountingProcess,
    names: list[str],
    size: dict[str, int],
    people: int,
    *,
    first_too: bool,
) -> list[dict[str, Any]]:
    """Samples of one size and of what it is measured against, in turn."""
    references: dict[str, Callable[[], float]] = {
        "vs_naive": lambda: naively(machine, provider),
        "vs_adapters": lambda: alone(machine, provider, "bench.adapters", people),
        "vs_limit": lambda: alone(machine, provider, "bench.limit", people),
    }
    people = people * m.PEOPLE // 1_000_000
    shares = Shares()
    samples: dict[str, list[list[Any]]] = {name: [] for name in names}
    first: list[list[Any]] = []
    for _ in range(SAMPLES):
        rate, seconds = ours(machine, provider, shares, size)
        print(f"ours, {people} reached: {rate:.0f}/s, first SMS after {seconds:.3f} s")
        first.append([seconds, None])
        for name in names:
            what = name.partition(".")[2].removesuffix("_50k")
            samples[name].append([rate, references[what]()])
            print(f"{what}: {samples[name][-1][1]:.0f}/s")
    void = shares.void(f"{people} reached")
    if "fanout.vs_naive_50k" in names:
        print(f"naive with RQ's forking worker: {naively(machine, provider, forking=True, people=100):.0f}/s")
    goals = AGAINST_50K | AGAINST_200K
    found = [row(name, "messages/s", goals[name], samples[name], void=void) for name in names]
    if first_too:
        found.append(row("fanout.first_sms", "s", 0.5, first, void=False))
    return found
