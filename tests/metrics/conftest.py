"""A small country with its providers, as for the fan-out, and a look at the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerting.config import Settings
from alerting.metrics import Exposition, Traffic
from tests.fanout.conftest import country, sandbox, wired

__all__ = ["country", "sandbox", "wired"]

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures_of(text: str) -> Figures:
    """Samples by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Look:
    """One scrape: `look(name, label=value)` adds up what has these labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.figures = figures_of(text)

    def __call__(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(n for (found, has), n in self.figures.items() if found == name and wanted <= set(has))

    def has(self, name: str) -> bool:
        return any(found == name for found, _ in self.figures)


@pytest.fixture
def look(settings: Settings) -> Callable[[], Look]:
    """A scrape that is not kept."""

    def looked() -> Look:
        return Look(Exposition(settings.redis_url, Traffic()).text(now=datetime.now(UTC)).decode())

    return looked
