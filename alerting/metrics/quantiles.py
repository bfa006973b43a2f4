"""Quantiles out of a histogram, as Prometheus's histogram_quantile works them out. Pure: imports nothing of the service.

Invariant: a quantile lies within the class that holds it; above the highest bound it is that bound, which says "at least".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def cumulative(bounds: Sequence[float], counts: Mapping[str, int], beyond: str) -> list[tuple[str, int]]:
    """(upper bound, how many up to it) for each bound and for `beyond`; `counts` are by the bound as written with %g."""
    total, found = 0, []
    for bound in (*(f"{each:g}" for each in bounds), beyond):
        total += counts.get(bound, 0)
        found.append((bound, total))
    return found


def quantile(q: float, buckets: Sequence[tuple[str, int]]) -> float | None:
    """The value below which the share `q` lies, by straight lines within a class; None where nothing was counted."""
    total = buckets[-1][1]
    if not total:
        return None
    rank, low, before = q * total, 0.0, 0
    for bound, n in buckets[:-1]:
        if n >= rank and n > before:
            return low + (float(bound) - low) * (rank - before) / (n - before)
        low, before = float(bound), n
    return low
