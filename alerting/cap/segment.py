"""One document as segments: the infos that say the same about the same ground in several languages.

Imports the model and langcodes. Targeting, priority, expiry, wording and feed entries are per segment. Invariant: every
info is in exactly one segment, no segment holds a language twice, and segments stand in the order of their first infos.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import langcodes
from langcodes.tag_parser import LanguageTagError

from alerting.cap.model import Alert, Area, Category, Certainty, Info, NamedValue, Severity, Urgency
from alerting.cap.slots import builder

DEFAULT_LANGUAGE: Final = "en-US"
"""What an absent language means, section 3.2.2."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One target of a document.

    `infos` are indices into `alert.info`, `languages` their tags in canonical form and the same order. `effective` is
    aware and defaults to the alert's sent; `expires` and `onset` are None when not given. `area`, `onset` and
    `event_code` are those of the first info.
    """

    n: int
    infos: tuple[int, ...]
    languages: tuple[str, ...]
    category: tuple[Category, ...]
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    effective: datetime
    onset: datetime | None
    expires: datetime | None
    area: tuple[Area, ...]
    event_code: tuple[NamedValue, ...]


@lru_cache(maxsize=512)
def canonical_language(tag: str | None) -> str:
    """The tag as BCP 47 writes it (`zh-tw` is zh-TW); en-US when absent; a tag that is none stays as it is."""
    if tag is None:
        return DEFAULT_LANGUAGE
    try:
        return langcodes.standardize_tag(tag)
    except LanguageTagError:
        return tag


def segments(alert: Alert) -> tuple[Segment, ...]:
    """The alert's segments, numbered from 0.

    Infos with equal polygons, circles and geocodes (as sets), category set, urgency, severity, certainty, effective
    and expires are the languages of one segment; a language that comes again opens the next. Which geocodes stand
    without a shape beside them counts too, since only those decide the ground. areaDesc is text and does not count.
    """
    if len(alert.info) == 1:
        info = alert.info[0]
        return (_segment(0, alert, (0,), (canonical_language(info.language),)),)
    groups: dict[Hashable, list[dict[str, int]]] = {}
    opened: list[dict[str, int]] = []
    for i, info in enumerate(alert.info):
        language = canonical_language(info.language)
        alike = groups.setdefault(_key(alert, info), [])
        home = next((group for group in alike if language not in group), None)
        if home is None:
            home = {}
            alike.append(home)
            opened.append(home)
        home[language] = i
    return tuple(_segment(n, alert, tuple(group.values()), tuple(group)) for n, group in enumerate(opened))


def _key(alert: Alert, info: Info) -> Hashable:
    area = info.area
    return (
        frozenset(" ".join(text.split()) for block in area for text in block.polygon),
        frozenset(" ".join(text.split()) for block in area for text in block.circle),
        frozenset(code for block in area for code in block.geocode),
        frozenset(code for block in area if not block.polygon and not block.circle for code in block.geocode),
        frozenset(info.category),
        info.urgency,
        info.severity,
        info.certainty,
        info.effective or alert.sent,
        info.expires,
    )


def _segment(n: int, alert: Alert, infos: tuple[int, ...], languages: tuple[str, ...]) -> Segment:
    first = alert.info[infos[0]]
    return _build(
        (
            n,
            infos,
            languages,
            first.category,
            first.urgency,
            first.severity,
            first.certainty,
            first.effective or alert.sent,
            first.onset,
            first.expires,
            first.area,
            first.event_code,
        )
    )


_build: Final = builder(
    Segment,
    (
        "n",
        "infos",
        "languages",
        "category",
        "urgency",
        "severity",
        "certainty",
        "effective",
        "onset",
        "expires",
        "area",
        "event_code",
    ),
)
