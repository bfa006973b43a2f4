"""fanout.pace: how much of a sender's rate two workers use together, and the fullest second that its provider counts.

Row fanout.pace.N for a sender of N segments a second: the used share in percent, from the first arrival to the last. The fullest
second of each sample is printed beside it; where it usually holds more than the rate, one message and what TRANSPORT allows
the row is void. Two sms worker processes of their own, the planner and the sweep; arrivals are the counting provider's.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench import machine as m
from bench import population
from bench.parts import Parts
from channels.sandbox.process import CountingProcess

RATES = (10, 100, 1_000)
NAMES = tuple(f"fanout.pace.{rate}" for rate in RATES)
SECONDS = float(os.environ.get("BENCH_PACE_SECONDS", "30"))
SAMPLES = 3

#: The grid is kept where messages are handed out. On their way a busy machine delays some: a stall of 20 ms moves so many
#: from one second into the next as the provider sees them.
TRANSPORT = 1.02

WORKERS = 2


def fullest(times: list[float], width: float = 1.0) -> int:
    """The most arrivals in any window of `width` seconds that is open at its end."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - width:
            first += 1
        most = max(most, last - first + 1)
    return most


def used(times: list[float], rate: float) -> float:
    """The part of the rate that was used between the first arrival and the last."""
    return (len(times) - 1) / ((times[-1] - times[0]) * rate)


def arrivals(parts: Parts, provider: CountingProcess, rate: float, seconds: float) -> list[float]:
    """Let the workers send at a rate; when each text of some seconds came, from the first on."""
    provider.keep_times()
    parts.start("plan", "worker", "plan")
    parts.start("sweep", "sweep")
    for i in range(WORKERS):
        parts.start(f"sms {i}", "worker", "sms", SMS_RATE=str(rate))
    deadline = time.monotonic() + 60
    while not (times := provider.times()):
        if time.monotonic() > deadline:
            raise RuntimeError("nothing arrived")
        time.sleep(0.05)
    time.sleep(max(0.0, times[0] + seconds - time.monotonic()))
    return [at for at in provider.times() if at <= times[0] + seconds]


def sample(machine: m.Machine, provider: CountingProcess, rate: int) -> tuple[float, int]:
    """(used share, arrivals of the fullest second) of one run."""
    settings = m.fresh_with(machine, provider)
    try:
        population.issue(settings.database_url, squares=50, rows=4, columns=10)
        with Parts(settings, provider.http_url, provider.smtp_url) as parts:
            times = arrivals(parts, provider, rate, SECONDS)
        return used(times, rate), fullest(times)
    finally:
        machine.drop(settings)


def rows(wanted: Callable[[str], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The rows whose name is wanted."""
    names = {name: rate for name, rate in zip(NAMES, RATES, strict=True) if wanted(name)}
    if not names:
        return []
    found: list[dict[str, Any]] = []
    with m.machine() as machine, CountingProcess() as provider:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, provider.pid, -15)  # whoever tells times must not be kept waiting
        for name, rate in names.items():
            samples, fullests = [], []
            for _ in range(SAMPLES):
                share, second = sample(machine, provider, rate)
                print(
                    f"{name}: {share:.2%} used, {second} in the fullest second, {second / rate:.3f} of the rate"
                )
                samples.append(100 * share)
                fullests.append(second)
            # Too many in one second, and the share says nothing: anybody can use a rate that he does not keep.
            kept = statistics.median(fullests) <= rate * TRANSPORT + 1
            value = statistics.median(samples) if kept else None
            found.append({"name": name, "value": value, "unit": "% used", "reference": None, "goal": 98,
                          "samples": [[each, None] for each in samples]})  # fmt: skip
    return found
