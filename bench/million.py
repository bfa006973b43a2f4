"""fanout.million, fanout.million_rss, fanout.first_sms_1m, fanout.overtake: a warning to a million people.

fanout.million: seconds from the POST until the provider has the last of 1 000 000, each once. fanout.million_rss: the
most memory of any worker or of its horse meanwhile (VmHWM). fanout.first_sms_1m: from the POST to the first SMS accepted.
fanout.overtake: the same for an Extreme warning that is issued behind 1 000 000 queued Minor ones while they are sent; the
worse of two moments, with all of them planned, and in the midst of planning as many again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from alerting import pidfiles
from alerting.config import Settings
from alerting.fanout import expand
from alerting.store import engine
from bench import fanout, population
from bench import machine as m
from bench.expand import EVERYBODY
from bench.parts import Parts
from bench.rows import row
from channels.sandbox.process import CountingProcess

NAMES = ("fanout.million", "fanout.million_rss", "fanout.first_sms_1m", "fanout.overtake")
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "3"))

LANES = ("plan", "sms", "email", "web")

#: Seconds that a million may take before a run is given up.
PATIENCE = 900.0

#: Rank of the queued warning that is overtaken: behind every warning of the bench, before any notice.
MINOR = 400


class Peak:
    """The most memory (MB) that each lane's worker or any of its horses has had, looked at ten times a second."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.most: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        leaders = {lane: pidfiles.identify(self.parts.running[lane].pid) for lane in LANES}
        while not self._over.wait(0.1):
            for lane, leader in leaders.items():
                for one in pidfiles.session_of(leader) if leader is not None else ():
                    self.most[lane] = max(self.most.get(lane, 0.0), _high_water(one.pid))


def _high_water(pid: int) -> float:
    """VmHWM of a process in MB; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted; those of one run come together."""
    found: list[dict[str, Any]] = []
    if not any(wanted(name) for name in NAMES):
        return []
    with m.machine() as machine, CountingProcess() as provider:
        if any(wanted(name) for name in NAMES[:3]):
            found += _million(machine, provider)
        if wanted("fanout.overtake"):
            worst = [[max(_overtake(machine, provider)), None] for _ in range(SAMPLES)]
            found.append(row("fanout.overtake", "s", 1.0, worst))
    return found


def _million(machine: m.Machine, provider: CountingProcess) -> list[dict[str, Any]]:
    shares = fanout.Shares()
    whole, memory, first = [], [], []
    for _ in range(SAMPLES):
        peaks: list[Peak] = []

        def watch(parts: Parts, seen: list[Peak] = peaks) -> Peak:
            seen.append(Peak(parts))
            return seen[-1]

        rate, seconds = fanout.ours(machine, provider, shares, EVERYBODY, watch=watch, patience=PATIENCE)
        most = peaks[0].most
        whole.append([m.PEOPLE / rate, None])
        memory.append([max(most.values()), None])
        first.append([seconds, None])
        told = ", ".join(f"{lane} {mb:.0f} MB" for lane, mb in sorted(most.items()))
        print(f"{m.PEOPLE} in {whole[-1][0]:.1f} s, {rate:.0f}/s; first SMS after {seconds:.3f} s; {told}")
    shares.void("the whole")
    return [
        row("fanout.million", "s", 180.0, whole),
        row("fanout.million_rss", "MB", 150.0, memory),
        row("fanout.first_sms_1m", "s", 0.3, first),
    ]


def _overtake(machine: m.Machine, provider: CountingProcess) -> tuple[float, float]:
    """Seconds to the first SMS of an Extreme warning: behind a million planned, and behind a million being planned."""
    settings = m.fresh_with(machine, provider)
    provider.reset()
    try:
        population.issue(settings.database_url, **EVERYBODY, priority=MINOR)
        engine.configure(settings.database_url)
        while expand.expand_next(lambda _: expand.BATCH, now=datetime.now(UTC), percent=0):
            pass
        with m.service(settings, provider) as (_, port, secret):
            planned = _behind(settings, port, secret)
            _sent(
                settings
            )  # among equals the older goes first: the next would wait for it, and not for the Minor one
            document = m.warning(**EVERYBODY, now=datetime.now(UTC))
            for severity in (b"Extreme", b"Severe"):
                document = document.replace(b"<severity>%b<" % severity, b"<severity>Minor<")
            m.post(port, secret, document)
            time.sleep(0.5)
            planning = _behind(settings, port, secret)
        return planned, planning
    finally:
        machine.drop(settings)


def _behind(settings: Settings, port: int, secret: str) -> float:
    """Issue a warning to 50 000 of a million; seconds to its first accepted SMS."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        queued = connection.execute("SELECT sum(n) FROM tally WHERE status = 'planned'").fetchone()
        posted, started = datetime.now(UTC), time.monotonic()
        m.post(port, secret, m.warning(**fanout.FIFTY_THOUSAND, now=datetime.now(UTC)))
        while True:
            first = connection.execute(
                """SELECT min(b.first_at) FROM batch b WHERE b.dispatch =
                   (SELECT max(id) FROM dispatch WHERE channel = 'sms' AND alert IS NOT NULL)"""
            ).fetchone()
            if first is not None and first[0] is not None:
                break
            if time.monotonic() - started > 120:
                raise RuntimeError("nothing overtook in two minutes")
            time.sleep(0.02)
    seconds = float((first[0] - posted).total_seconds())
    print(
        f"first SMS of an Extreme warning after {seconds:.3f} s, behind {queued[0] if queued else 0} queued"
    )
    return seconds


def _sent(settings: Settings) -> None:
    """Wait until everybody of the latest warning has been sent to."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            left = connection.execute(
                """SELECT (SELECT count(*) FROM dispatch WHERE state = 'planning') + coalesce(sum(t.n), 0)
                   FROM tally t JOIN dispatch d ON d.id = t.dispatch
                   WHERE t.status = 'planned' AND d.alert = (SELECT alert FROM dispatch ORDER BY id DESC LIMIT 1)"""
            ).fetchone()
            if left == (0,):
                return
            time.sleep(0.1)
    raise RuntimeError("the warning that overtook was not sent in time")
