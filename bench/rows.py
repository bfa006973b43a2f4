"""A row of the bench from its samples, as `bench.__main__` prints it."""

from __future__ import annotations

import statistics
from typing import Any


def row(name: str, unit: str, goal: float, samples: list[list[Any]], *, void: bool = False) -> dict[str, Any]:
    """Medians of [value, reference or None] pairs; a void row has no value."""
    references = [sample[1] for sample in samples if sample[1] is not None]
    return {
        "name": name,
        "value": None if void else statistics.median(sample[0] for sample in samples),
        "unit": unit,
        "reference": statistics.median(references) if references else None,
        "goal": goal,
        "samples": samples,
    }
