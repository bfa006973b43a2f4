"""What changed between a warning and its update: a pure function of the two, for people and for programs.

Owns `difference`. Infos are matched by language first, then by what they are about; what all languages of a segment
share is said once. Imports the model, the segments and the geometry. Invariant: alerts with the same canonical content
(`jsonform.digest`) do not differ, and neither do those that say the same in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import Final

from alerting.cap.difference.areas import area_changes
from alerting.cap.difference.change import Change, Kind, quoted
from alerting.cap.difference.fields import Side, compared
from alerting.cap.difference.matching import matched
from alerting.cap.model import Alert, Info
from alerting.cap.schema import ALERT, INFO
from alerting.cap.segment import canonical_language, segments

__all__ = ["Change", "Kind", "difference"]

_APART: Final = frozenset({"info"})
_OF_INFO: Final = frozenset({"language", "area"})

Pair = tuple[int, int]
"""Indices of infos that are about the same: in the old alert and in the new."""


def difference(before: Alert, after: Alert) -> tuple[Change, ...]:
    """Every change: of the alert's own elements, then info by info in the order of `after`, then what is gone.

    Texts are compared without the white space around them, times as instants, repeated elements in any order.
    """
    old, new = Side(before, (), before.sent), Side(after, (), after.sent)
    changes = list(compared(old, new, ALERT, _APART))
    pairs, gone, come = matched(before.info, after.info, _KEYS)
    # The last resort of `matched` may cross languages: those are one text less and one text more.
    for b, a in list(pairs):
        if _language(before.info[b]) != _language(after.info[a]):
            pairs.remove((b, a))
            gone.append(b)
            come.append(a)
    for group in _by_segment(before, after, pairs):
        changes += _once(before, after, group)
    for a in come:
        info = after.info[a]
        message = f"new: {_title(info)}"
        place = ("info", a)
        changes.append(Change(Kind.ADDED, None, place, "info", None, info.event, message, (_language(info),)))
    for b in gone:
        info = before.info[b]
        message = f"gone: {_title(info)}"
        place = ("info", b)
        changes.append(
            Change(Kind.REMOVED, place, None, "info", info.event, None, message, (_language(info),))
        )
    return tuple(changes)


def _language(info: Info) -> str:
    return canonical_language(info.language)


def _title(info: Info) -> str:
    count = len(info.area)
    return f"{quoted(info.event)}, {info.severity}, {count} {'area' if count == 1 else 'areas'}"


def _ground(info: Info) -> Hashable:
    return frozenset(
        text
        for area in info.area
        for text in (*area.polygon, *area.circle, *map(str, area.geocode), area.area_desc)
    )


_KEYS: Final[tuple[Callable[[Info], Hashable], ...]] = (
    lambda info: (_language(info), info.event, frozenset(info.event_code), _ground(info), info.severity),
    lambda info: (_language(info), info.event, frozenset(info.event_code), _ground(info)),
    lambda info: (_language(info), _ground(info)) if info.area else None,
    lambda info: (
        _language(info),
        info.event,
        frozenset(area.area_desc.strip() for area in info.area),
    ),
    lambda info: (_language(info), info.event, info.severity),
    lambda info: (_language(info), info.event),
    lambda info: (_language(info), frozenset(info.category)),
)


def _by_segment(before: Alert, after: Alert, pairs: list[Pair]) -> Iterator[list[Pair]]:
    """The pairs whose infos are languages of one segment on both sides, together."""
    old = {i: segment.n for segment in segments(before) for i in segment.infos} if pairs else {}
    new = {i: segment.n for segment in segments(after) for i in segment.infos} if pairs else {}
    groups: dict[tuple[int, int], list[Pair]] = {}
    for b, a in pairs:
        groups.setdefault((old[b], new[a]), []).append((b, a))
    yield from groups.values()


def _once(before: Alert, after: Alert, group: list[Pair]) -> list[Change]:
    """The changes of a group; what is the same in several languages is said once, under all of them."""
    found: dict[Hashable, Change] = {}
    for b, a in group:
        old = Side(before.info[b], ("info", b), before.sent)
        new = Side(after.info[a], ("info", a), after.sent)
        language = (_language(after.info[a]),)
        for change in (*compared(old, new, INFO, _OF_INFO), *area_changes(old, new)):
            key = (change.kind, change.field, change.old, change.new, change.message)
            known = found.get(key, change)
            found[key] = replace(known, languages=tuple(dict.fromkeys(known.languages + language)))
    return list(found.values())
