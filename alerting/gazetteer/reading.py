"""Regions as the API and the command line show them: pages of the tree, a search, one region with its codes.

Reads only. Imports the store. Invariant: rows come in order of code, and a page names the code after which the next begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.store import regions
from alerting.store.engine import transaction


@dataclass(frozen=True, slots=True)
class Summary:
    """One region; `parent` is a code, `names` are by language, the box is west, south, east, north in degrees."""

    code: str
    parent: str | None
    names: Mapping[str, str]
    box: tuple[float, float, float, float] | None
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some regions; `next` is the code after which more follow, None on the last page."""

    rows: tuple[Summary, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One region with its (scheme, value) codes; without a geometry its ground is that of the regions below."""

    region: Summary
    geocodes: tuple[tuple[str, str], ...]
    has_geometry: bool


def listing(*, parent: str | None = None, after: str = "", limit: int = 100) -> Page | None:
    """All regions, or the children of one, in order of code beyond `after`; None when there is no such parent."""
    with transaction() as session:
        if parent is None:
            found = regions.listing(session, after=after, limit=limit + 1)
        elif regions.by_code(session, parent) is None:
            return None
        else:
            found = regions.page(session, parent=parent, after=after, limit=limit + 1)
    rows = tuple(map(_summary, found[:limit]))
    return Page(rows, rows[-1].code if len(found) > limit else None)


def search(begins: str, *, limit: int = 20) -> Page:
    """Regions whose code, or name in any language, begins with these letters; the shortest names first."""
    with transaction() as session:
        found = regions.search(session, begins, limit=limit)
    return Page(tuple(map(_summary, found)), None)


def detail(code: str) -> Detail | None:
    """One region by its code, whatever the case."""
    with transaction() as session:
        found = regions.by_code(session, code)
        if found is None:
            return None
        return Detail(_summary(found), tuple(regions.geocodes_of(session, found.id)), found.has_geometry)


def _summary(found: regions.Region) -> Summary:
    return Summary(found.code, found.parent_code, dict(found.names), found.box, found.time_zone)
