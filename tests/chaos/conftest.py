"""Real processes on real servers, and a provider that counts from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from alerting.config import Settings
from bench import population
from bench.parts import Parts
from channels.sandbox.process import CountingProcess
from tests.fanout.country import Country

PEOPLE = 2_000


@dataclass(slots=True)
class Cluster:
    """The parts of the service as processes, and the provider's count of what came out."""

    parts: Parts
    provider: CountingProcess
    country: Country

    def counts(self, channel: str = "sms") -> dict[str, int]:
        """How often each recipient was reached, by the provider's own count."""
        return dict(self.provider.counts(recipients=True)[channel]["recipients"])

    def received(self, channel: str = "sms") -> int:
        return int(self.provider.counts()[channel]["received"])

    def until(self, what: Callable[[], object], seconds: float) -> float:
        """Wait until something is true; how long it took. Fails after `seconds`."""
        started = time.monotonic()
        while not what():
            assert time.monotonic() - started < seconds, "it never came true"
            time.sleep(0.02)
        return time.monotonic() - started

    def finished(self, channel: str = "sms") -> bool:
        """Whether every dispatch of the channel is done."""
        return bool(
            self.country.one(
                "SELECT count(*) FROM dispatch WHERE channel = :c AND state NOT IN ('done', 'withdrawn')",
                c=channel,
            )
            == 0
        )

    def everybody(self, channel: str = "sms") -> set[str]:
        """Everybody who can be reached on the channel."""
        ids = self.country.rows("SELECT id FROM address WHERE channel = :c", c=channel)
        return {f"+4915{row[0]:09}" if channel == "sms" else f"p{row[0]}@example.org" for row in ids}

    def planned(self, channel: str = "sms") -> set[str]:
        """The recipients that were planned, as the provider names them."""
        rows = self.country.rows(
            "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = :c",
            c=channel,
        )
        return {f"+4915{row[0]:09}" for row in rows}

    def marked(self) -> set[str]:
        """Recipients whose delivery says that it may have been repeated."""
        rows = self.country.rows(
            "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND maybe_repeated"
        )
        return {f"+4915{row[0]:09}" for row in rows}


@pytest.fixture
def cluster(settings: Settings) -> Iterator[Cluster]:
    population.settle(settings.database_url, settings, PEOPLE)
    with CountingProcess() as provider, Parts(settings, provider.http_url, provider.smtp_url) as parts:
        yield Cluster(parts, provider, Country(settings.database_url))
