"""A backup taken while a warning is being sent is a whole service elsewhere: nobody is lost, and repeats are marked."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.config import Settings
from alerting.store import audit, engine
from alerting.store.engine import transaction
from bench import population
from bench.parts import Parts
from channels.sandbox.process import CountingProcess
from tests.backup.conftest import Command
from tests.chaos.conftest import PEOPLE, Cluster
from tests.fanout.country import Country

CHANNELS = ("sms", "email")


@pytest.fixture
def provider() -> Iterator[CountingProcess]:
    with CountingProcess(lookups=True) as running:
        yield running


@pytest.mark.slow
def test_a_backup_from_the_middle_of_a_warning_goes_on_elsewhere(
    settings: Settings, provider: CountingProcess, elsewhere: str, alerting: Command, tmp_path: Path
) -> None:
    population.settle(settings.database_url, settings, PEOPLE)
    file = tmp_path / "backup"
    with Parts(settings, provider.http_url, provider.smtp_url) as parts:
        original = Cluster(parts, provider, Country(settings.database_url))
        original.country.warn(squares=100)
        # Fifty seconds: enough for a backup in its middle, however busy the machine.
        original.paced(*CHANNELS, SMS_RATE="20", EMAIL_RATE="20")
        original.until(lambda: min(map(original.received, CHANNELS)) > 40, 60)
        made = alerting(settings.database_url, "backup", str(file))
        assert made.returncode == 0, made.stderr
        in_backup = min(map(original.received, CHANNELS))
        original.until(lambda: min(map(original.received, CHANNELS)) > in_backup + 40, 60)
        for name in list(parts.running):
            parts.signal(name, signal.SIGKILL)
        everybody = {channel: original.everybody(channel) for channel in CHANNELS}
    for channel in CHANNELS:
        assert len(original.counts(channel)) < len(everybody[channel]), "the original had reached everybody"
    engine.dispose()

    back = alerting(elsewhere, "restore", str(file))
    assert back.returncode == 0, back.stderr
    assert b"they are on hold" in back.stdout
    engine.configure(elsewhere)
    with Parts(replace(settings, database_url=elsewhere), provider.http_url, provider.smtp_url) as parts:
        restored = Cluster(parts, provider, Country(elsewhere))
        assert len(restored.marked()) > 100
        already = sum(map(restored.received, CHANNELS))
        restored.paced(*CHANNELS)
        swept = "SELECT count(*) FROM beat WHERE process = 'sweep' AND at > now() - interval '2 s'"
        restored.until(lambda: restored.country.one(swept), 60)
        assert sum(map(restored.received, CHANNELS)) == already, "something left before anybody had said so"

        assert b"dispatches go on" in alerting(elsewhere, "resume").stdout
        restored.until(lambda: all(map(restored.finished, CHANNELS)), 120)
        for channel in CHANNELS:
            counts = restored.counts(channel)
            assert set(counts) == everybody[channel]
            assert max(counts.values()) <= 2
            assert {to for to, times in counts.items() if times > 1} <= marked(restored, channel)
        # The provider of texts is asked before a marked one is sent: what the original had sent is not sent again.
        assert set(restored.counts("sms").values()) == {1}
        assert restored.country.tally_differs() == []
        with transaction() as session:
            assert audit.verify(session) is None
            acts = [entry.act for entry in audit.entries(session)]
        assert [act for act in acts if act.startswith("backup.")] == [
            "backup.taken",
            "backup.restored",
            "backup.resumed",
        ]


def marked(cluster: Cluster, channel: str) -> set[str]:
    """Recipients whose delivery says that it may have been repeated, as the provider names them."""
    rows = cluster.country.rows(
        "SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = :c AND maybe_repeated",
        c=channel,
    )
    return {f"+4915{row[0]:09}" if channel == "sms" else f"p{row[0]}@example.org" for row in rows}
