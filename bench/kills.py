"""chaos.kills: a worker killed with kill -9 again and again while it holds a lease; the value is who was lost or repeated unmarked.

BENCH_KILLS (100) times, one each 3 s: the SMS sender is paced to 400/s with 64 in flight, the work-horse dies with its
worker, a new worker starts. Counted by the provider from outside; prints repeats, what was found by look-up, and marks.
Anybody lost or repeated unmarked, and a mean above its bound, raise RuntimeError with the figures.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from alerting.fanout.drain import FLUSH
from alerting.store import migrations
from bench import machine, population
from bench.parts import Parts
from bench.servers import OwnServers
from channels.sandbox.process import CountingProcess

KILLS = int(os.environ.get("BENCH_KILLS", "100"))
EACH = 3.0  # seconds
PACE = {"SMS_RATE": "400", "SMS_IN_FLIGHT": "64"}

#: People for each kill: of them half have a telephone, and 400 a second are sent for more than 3 s.
PEOPLE = 3_600

#: What the issue allows, of one kill at the mean.
MOST_REPEATS = 130
MOST_MARKED = 264


@dataclass(frozen=True, slots=True)
class Losses:
    """What became of everybody, in people."""

    planned: int
    lost: int
    unmarked: int
    repeated: int
    marked: int
    found: int


def rows() -> list[dict[str, Any]]:
    """The row."""
    with tempfile.TemporaryDirectory(prefix="alerting-kills-") as folder:
        Path(folder).chmod(0o711)
        with (
            OwnServers(Path(folder) / "data", durable=True) as servers,
            CountingProcess(lookups=True) as provider,
        ):
            settings = machine.settings_of(servers, "alerting")
            migrations.upgrade(settings.database_url)
            population.settle(settings.database_url, settings, PEOPLE * KILLS)
            settings = replace(settings, twilio_api_base_url=provider.http_url)
            with (
                Parts(settings, provider.http_url, provider.smtp_url, Path(folder) / "log") as parts,
                psycopg.connect(settings.database_url, autocommit=True) as connection,
            ):
                _kill_again_and_again(parts, connection, settings.database_url)
                found = _judge(connection, provider)
    _tell(found)
    return [
        {
            "name": "chaos.kills",
            "value": float(found.lost + found.unmarked),
            "unit": "people",
            "reference": None,
            "goal": 0,
            "samples": [[float(found.lost + found.unmarked), None]],
        }
    ]


def _kill_again_and_again(parts: Parts, connection: psycopg.Connection, url: str) -> None:
    for lane in ("plan", "sms"):
        parts.start(lane, "worker", lane, **PACE)
    parts.start("sweep", "sweep", **PACE)
    population.issue(url, squares=100, rows=1, columns=2, hours=12)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE dispatch SET state = 'withdrawn' WHERE channel = 'email'")
    started, before, dice = time.monotonic(), 0, random.Random(1)
    for n in range(KILLS):
        time.sleep(max(0.0, started + EACH * n + 2 - time.monotonic()))
        before = _until_it_sends(parts, connection, before)
        time.sleep(dice.uniform(0.0, FLUSH))  # it sends since a flush: any moment until the next is as likely
        parts.signal("sms", signal.SIGKILL)
        parts.again("sms")
        if n % 10 == 9:
            print(f"{n + 1} kills, {before} accepted", flush=True)
    connection.execute(
        "UPDATE sender SET rate = NULL"
    )  # nobody is killed any more: the rest may leave at once
    print(f"{KILLS} kills in {time.monotonic() - started:.0f} s")
    deadline = time.monotonic() + 120 + EACH * KILLS
    while _scalar(connection, "SELECT count(*) FROM dispatch WHERE channel = 'sms' AND state <> 'done'"):
        parts.mend()
        # Nobody is killed any more: the rest may leave at once. A worker that starts sets the pace anew.
        connection.execute("UPDATE sender SET rate = NULL WHERE rate IS NOT NULL")
        if time.monotonic() > deadline:
            raise RuntimeError("the warning never ended")
        time.sleep(0.5)


def _until_it_sends(parts: Parts, connection: psycopg.Connection, before: int) -> int:
    """Wait until a batch is leased by a worker that has written results since the last kill; accepted so far."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        accepted = _scalar(
            connection,
            """SELECT coalesce(sum(t.n), 0) FROM tally t JOIN dispatch d ON d.id = t.dispatch
               WHERE d.channel = 'sms' AND t.status = 'accepted'""",
        )
        live = _scalar(
            connection,
            "SELECT count(*) FROM batch WHERE state = 'leased' AND lease_until > now() + interval '9 s'",
        )
        if live and accepted > before:
            return accepted
        if ended := parts.mend():
            print(f"ended by themselves: {', '.join(ended)}", flush=True)
        time.sleep(0.05)
    raise RuntimeError(f"no worker sends after {before} were accepted")


def _judge(connection: psycopg.Connection, provider: CountingProcess) -> Losses:
    counts: dict[str, int] = provider.counts(recipients=True)["sms"]["recipients"]
    planned = {
        f"+4915{address:09}": bool(marked)
        for address, marked in connection.execute(
            """SELECT v.address, v.maybe_repeated FROM delivery v JOIN dispatch d ON d.id = v.dispatch
               WHERE d.channel = 'sms'"""
        )
    }
    twice = {to for to, times in counts.items() if times > 1}
    return Losses(
        planned=len(planned),
        lost=len(set(planned) - set(counts)),
        unmarked=sum(not planned.get(to, False) for to in twice),
        repeated=sum(times - 1 for times in counts.values()),
        marked=sum(marked for to, marked in planned.items() if to not in twice),
        found=provider.lookups()["found"],
    )


def _scalar(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0


def _tell(found: Losses) -> None:
    """Print what became of everybody; RuntimeError when somebody is lost, or more than allowed were written to twice."""
    repeats, marked = found.repeated / KILLS, found.marked / KILLS
    told = (
        f"{found.planned} planned, {found.lost} lost, {found.unmarked} repeated and not marked; a kill:"
        f" {repeats:.1f} repeated (at most {MOST_REPEATS}), {marked:.1f} marked and not repeated (at most {MOST_MARKED}),"
        f" {found.found / KILLS:.1f} found by look-up"
    )
    print(told)
    if found.lost or found.unmarked or repeats > MOST_REPEATS or marked > MOST_MARKED:
        raise RuntimeError(f"above the bound: {told}")


if __name__ == "__main__":
    print(rows())
