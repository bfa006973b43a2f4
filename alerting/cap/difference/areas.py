"""The areas of two infos: which are new, which are gone, and how the ground of the others has moved.

Imports the geometry. Geocodes are compared as codes: what ground they name is not known here. Invariant: ground is
measured as the difference of two unions, so the same border drawn with other points is no change of ground.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from alerting.cap.area import ground
from alerting.cap.crossing import tangled
from alerting.cap.difference.change import Change, Kind, quoted, square_kilometres
from alerting.cap.difference.fields import Side, compared
from alerting.cap.difference.matching import matched
from alerting.cap.extent import square_km
from alerting.cap.findings import Place
from alerting.cap.model import Area
from alerting.cap.schema import AREA

_NOTHING: Final = 1e-4  # square kilometres: slivers along a border that was drawn anew
_SHAPES: Final = frozenset({"polygon", "circle"})
_EMPTY: Final = shapely.Polygon()


def area_changes(old: Side, new: Side) -> Iterator[Change]:
    """The changes of two infos' areas: where there are several, of their ground in all first; then area by area."""
    before: tuple[Area, ...] = old.value.area
    after: tuple[Area, ...] = new.value.area
    pairs, gone, come = matched(before, after, _KEYS)
    drawn_alike = not gone and not come and all(_drawn(before[b]) == _drawn(after[a]) for b, a in pairs)
    if not drawn_alike and max(len(before), len(after)) > 1:
        yield from _in_all(old, new)
    for b, a in pairs:
        yield from _one_area(
            Side(before[b], (*old.place, "area", b), old.sent),
            Side(after[a], (*new.place, "area", a), new.sent),
        )
    for b in gone:
        yield _whole(Kind.REMOVED, before[b], (*old.place, "area", b))
    for a in come:
        yield _whole(Kind.ADDED, after[a], (*new.place, "area", a))


def _drawn(area: Area) -> Hashable:
    """The shapes as texts in any order, blanks between points counted as one."""
    return _plain(area.polygon), _plain(area.circle)


def _plain(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(" ".join(text.split()) for text in texts))


_KEYS: Final[tuple[Callable[[Area], Hashable], ...]] = (
    lambda area: (_drawn(area), frozenset(area.geocode), area.area_desc.strip()),
    lambda area: (area.area_desc.strip(), frozenset(area.geocode)) if area.geocode else None,
    lambda area: area.area_desc.strip() or None,
    lambda area: frozenset(area.geocode) or None,
    lambda area: _drawn(area) if area.polygon or area.circle else None,
)


def _one_area(old: Side, new: Side) -> Iterator[Change]:
    name = quoted(new.value.area_desc)
    for change in compared(old, new, AREA, _SHAPES):
        yield _about(f"area {name}", change)
    if _drawn(old.value) == _drawn(new.value):
        return
    moved = _moved_ground(f"area {name}", old, new, ground(old.value), ground(new.value))
    message = f"area {name}: drawn with other points, the same ground"
    yield moved or Change(Kind.CHANGED, old.place, new.place, "ground", None, None, message)


def _about(subject: str, change: Change) -> Change:
    return Change(
        change.kind,
        change.before,
        change.after,
        change.field,
        change.old,
        change.new,
        f"{subject}: {change.message}",
    )


def _in_all(old: Side, new: Side) -> Iterator[Change]:
    drawn = [[shape for shape in map(ground, side.value.area) if shape is not None] for side in (old, new)]
    if any(map(tangled, drawn)):
        return
    change = _moved_ground("ground in all", old, new, *(shapely.union_all(shapes) for shapes in drawn))
    if change is not None:
        yield change


def _moved_ground(
    subject: str, old: Side, new: Side, before: BaseGeometry | None, after: BaseGeometry | None
) -> Change | None:
    """The change of ground, None where there is none."""
    first, second = before or _EMPTY, after or _EMPTY
    if tangled([first, second]):
        message = f"{subject}: drawn anew, with more crossings than can be measured"
        return Change(Kind.CHANGED, old.place, new.place, "ground", None, None, message)
    added = square_km(shapely.difference(second, first))
    removed = square_km(shapely.difference(first, second))
    if added < _NOTHING and removed < _NOTHING:
        return None
    kind = Kind.ADDED if removed < _NOTHING else Kind.REMOVED if added < _NOTHING else Kind.CHANGED
    parts = [
        f"{square_kilometres(size)} {what}"
        for size, what in ((added, "added"), (removed, "removed"))
        if size >= _NOTHING
    ]
    was, now = (square_kilometres(square_km(shape)) for shape in (first, second))
    message = f"{subject}: {', '.join(parts)} ({was} -> {now})"
    return Change(kind, old.place, new.place, "ground", was, now, message)


def _whole(kind: Kind, area: Area, place: Place) -> Change:
    shape = ground(area)
    codes = ", ".join(f"{code.value_name} {code.value}" for code in area.geocode)
    size = None if shape is None else square_kilometres(square_km(shape))
    said = ", ".join(part for part in (size, codes) if part) or "without ground"
    message = f"area {kind}: {quoted(area.area_desc)} ({said})"
    if kind is Kind.ADDED:
        return Change(kind, None, place, "area", None, area.area_desc, message)
    return Change(kind, place, None, "area", area.area_desc, None, message)
