"""The elements of two blocks of the same kind, compared one by one.

Imports the schema's table, so that no element is forgotten. Invariant: two blocks whose canonical forms are equal (see
`jsonform.canonical`) yield nothing; the order of what repeats does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from alerting.cap.difference.change import Change, Kind, lasting, quoted, rewording
from alerting.cap.findings import Place
from alerting.cap.model import Certainty, NamedValue, Reference, Resource, Severity, Urgency
from alerting.cap.schema import RESOURCE, Block, Field
from alerting.cap.schema import Kind as Holds
from alerting.cap.values import time_text

# What the scale's own words say about its order; Unknown is no step on it.
_SCALES: Final[dict[str, tuple[Any, ...]]] = {
    "urgency": tuple(word for word in Urgency if word is not Urgency.UNKNOWN),
    "severity": tuple(word for word in Severity if word is not Severity.UNKNOWN),
    "certainty": tuple(word for word in Certainty if word is not Certainty.UNKNOWN),
}
_LISTED: Final = frozenset({Holds.LIST, Holds.REFERENCES})
_LENGTHS: Final = frozenset({"altitude", "ceiling"})


@dataclass(frozen=True, slots=True)
class Side:
    """A block, where it stands, and what its `effective` means when absent (its alert's `sent`)."""

    value: Any
    place: Place
    sent: datetime


def compared(old: Side, new: Side, block: Block, leave: frozenset[str]) -> Iterator[Change]:
    """The changes of every element of the block but those in `leave`, in the order of the schema."""
    parts = zip(block.fields, block.values(old.value), block.values(new.value), strict=True)
    for field, before, after in parts:
        if field.name in leave:
            continue
        if field.name == "resource":
            yield from _resources(old, new)
        elif field.many or field.kind in _LISTED:
            yield from _listed(field.name, (old.place, before), (new.place, after))
        elif field.kind is Holds.TIME:
            yield from _time(field.name, (old, before), (new, after))
        else:
            yield from _single(field, (old.place, before), (new.place, after))


# ---- single elements ----


def _single(field: Field, old: tuple[Place, Any], new: tuple[Place, Any]) -> Iterator[Change]:
    before, after = _said(old[1]), _said(new[1])
    if _meant(field, before) == _meant(field, after):
        return
    kind, message = _told(field, before, after)
    yield Change(
        kind,
        (*old[0], field.name) if before is not None else None,
        (*new[0], field.name) if after is not None else None,
        field.name,
        before,
        after,
        message,
    )


def _said(value: Any) -> str | None:
    """The element's text; what is empty is not there."""
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    return text or None


def _meant(field: Field, text: str | None) -> Hashable:
    return Decimal(text) if text is not None and field.name in _LENGTHS else text


def _told(field: Field, before: str | None, after: str | None) -> tuple[Kind, str]:
    name = field.name
    if before is None or after is None:
        kind = Kind.ADDED if before is None else Kind.REMOVED
        return kind, f"{name} {kind}: {quoted(after or before or '')}"
    scale = _SCALES.get(name, ())
    if before in scale and after in scale:
        kind = Kind.RAISED if scale.index(after) < scale.index(before) else Kind.LOWERED
        return kind, f"{name} {kind}: {before} -> {after}"
    if field.kind is Holds.WORD or name in _LENGTHS:
        return Kind.CHANGED, f"{name}: {before} -> {after}"
    return Kind.CHANGED, f"{name}: {rewording(before, after)}"


def _time(
    name: str, old: tuple[Side, datetime | None], new: tuple[Side, datetime | None]
) -> Iterator[Change]:
    before, after = _moment(name, *old), _moment(name, *new)
    if before == after or (name == "effective" and before == old[0].sent and after == new[0].sent):
        return
    kind, how = _moved(before, after)
    was, now = (None if moment is None else time_text(moment) for moment in (before, after))
    yield Change(
        kind,
        (*old[0].place, name) if old[1] is not None else None,
        (*new[0].place, name) if new[1] is not None else None,
        name,
        was,
        now,
        f"{name} {how}: {' -> '.join(text for text in (was, now) if text is not None)}",
    )


def _moment(name: str, side: Side, moment: datetime | None) -> datetime | None:
    return side.sent if moment is None and name == "effective" else moment


def _moved(before: datetime | None, after: datetime | None) -> tuple[Kind, str]:
    if before is None or after is None:
        kind = Kind.ADDED if before is None else Kind.REMOVED
        return kind, kind.value
    kind = Kind.LATER if after > before else Kind.EARLIER
    return kind, f"{lasting(after - before)} {kind}"


# ---- elements that repeat ----


def _listed(
    name: str, old: tuple[Place, Sequence[Any]], new: tuple[Place, Sequence[Any]]
) -> Iterator[Change]:
    gone, come = unmatched(old[1], new[1], _same)
    pairs = [] if not gone or not come else _by_name(old[1], new[1], gone, come)
    for b, a in pairs:
        before, after = old[1][b], new[1][a]
        yield Change(
            Kind.CHANGED,
            (*old[0], name, b),
            (*new[0], name, a),
            name,
            _shown(before),
            _shown(after),
            f"{name} {before.value_name}: {quoted(before.value)} -> {quoted(after.value)}",
        )
    taken_old, taken_new = {b for b, _ in pairs}, {a for _, a in pairs}
    for b in gone:
        if b not in taken_old:
            text = _shown(old[1][b])
            message = f"{name} removed: {quoted(text)}"
            yield Change(Kind.REMOVED, (*old[0], name, b), None, name, text, None, message)
    for a in come:
        if a not in taken_new:
            text = _shown(new[1][a])
            message = f"{name} added: {quoted(text)}"
            yield Change(Kind.ADDED, None, (*new[0], name, a), name, None, text, message)


def unmatched(
    old: Sequence[Any], new: Sequence[Any], same: Callable[[Any], Hashable]
) -> tuple[list[int], list[int]]:
    """The indices of those without an equal on the other side; each counts for one equal only."""
    waiting: dict[Hashable, list[int]] = {}
    for n in reversed(range(len(new))):
        waiting.setdefault(same(new[n]), []).append(n)
    gone: list[int] = []
    for n, item in enumerate(old):
        equals = waiting.get(same(item))
        if equals:
            equals.pop()
        else:
            gone.append(n)
    return gone, sorted(n for rest in waiting.values() for n in rest)


def _by_name(
    old: Sequence[Any], new: Sequence[Any], gone: list[int], come: list[int]
) -> list[tuple[int, int]]:
    """Of valueName and value pairs: those whose name is left once on either side have another value now."""
    named: dict[str | None, tuple[list[int], list[int]]] = {}
    for side, (items, indices) in enumerate(((old, gone), (new, come))):
        for n in indices:
            if isinstance(items[n], NamedValue):
                named.setdefault(_said(items[n].value_name), ([], []))[side].append(n)
    return [(b[0], a[0]) for b, a in named.values() if len(b) == len(a) == 1]


def _same(item: Any) -> Hashable:
    match item:
        case Reference():
            return item.sender, item.identifier, item.sent
        case NamedValue():
            return _said(item.value_name), _said(item.value)
        case _:
            return _said(item)


def _shown(item: Any) -> str:
    match item:
        case Reference():
            return f"{item.sender},{item.identifier},{time_text(item.sent)}"
        case NamedValue():
            return f"{item.value_name} {item.value}"
        case _:
            return str(item)


def _resources(old: Side, new: Side) -> Iterator[Change]:
    """Files are known by their description, and those that share one by their order."""
    before: tuple[Resource, ...] = old.value.resource
    after: tuple[Resource, ...] = new.value.resource
    waiting: dict[str | None, list[int]] = {}
    for a in reversed(range(len(after))):
        waiting.setdefault(_said(after[a].resource_desc), []).append(a)
    for b, resource in enumerate(before):
        place = (*old.place, "resource", b)
        name = resource.resource_desc
        equals = waiting.get(_said(name))
        if not equals:
            message = f"resource removed: {quoted(name)}"
            yield Change(Kind.REMOVED, place, None, "resource", name, None, message)
            continue
        a = equals.pop()
        there = Side(after[a], (*new.place, "resource", a), new.sent)
        yield from compared(Side(resource, place, old.sent), there, RESOURCE, frozenset({"resourceDesc"}))
    for a in sorted(n for rest in waiting.values() for n in rest):
        name = after[a].resource_desc
        message = f"resource added: {quoted(name)}"
        yield Change(Kind.ADDED, None, (*new.place, "resource", a), "resource", None, name, message)
