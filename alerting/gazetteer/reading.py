"""Regions as they are shown: lists in pages, a search, and one region with its codes.

Owns these transactions, which only read. May import the store alone. Invariant: a list is in order of code, and the code of
its last region is where the next page begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.store import regions
from alerting.store.engine import transaction
from alerting.store.regions import Region

MOST_FOUND = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """One region: `names` by language, `box` as west, south, east, north in degrees WGS 84."""

    code: str
    parent: str | None
    names: Mapping[str, str]
    box: tuple[float, float, float, float] | None
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One region with its codes in other schemes, and whether a geometry of its own is known."""

    region: Listed
    geocodes: tuple[tuple[str, str], ...]
    has_geometry: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Regions, and the code behind which the next page begins; None at the end."""

    rows: tuple[Listed, ...]
    next: str | None


def listing(*, parent: str | None, after: str, limit: int) -> Page | None:
    """All regions, or the children of one, beyond the code `after`; None when there is no such parent."""
    with transaction() as session:
        if parent is None:
            found = regions.listing(session, after=after, limit=limit + 1)
        elif regions.by_code(session, parent) is None:
            return None
        else:
            found = regions.page(session, parent=parent, after=after, limit=limit + 1)
    rows = tuple(map(_listed, found[:limit]))
    return Page(rows, rows[-1].code if len(found) > limit else None)


def search(begins: str, *, limit: int) -> Page:
    """Regions whose code or name begins with these letters, the shortest names first; one page, at most 100."""
    with transaction() as session:
        return Page(tuple(map(_listed, regions.search(session, begins, limit=min(limit, MOST_FOUND)))), None)


def detail(code: str) -> Detail | None:
    """The region with this code, in upper or lower case."""
    with transaction() as session:
        found = regions.by_code(session, code)
        if found is None:
            return None
        return Detail(_listed(found), tuple(regions.geocodes_of(session, found.id)), found.has_geometry)


def _listed(region: Region) -> Listed:
    return Listed(region.code, region.parent_code, region.names, region.box, region.time_zone)
