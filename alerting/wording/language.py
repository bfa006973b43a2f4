"""Which of the languages at hand a reader gets: BCP 47 tags matched by script and region (RFC 4647, CLDR distances).

Knows no warning and no catalogue. Invariant: the answer is one of the languages at hand, or `mul` when there are
several and neither the reader's nor the authority's is among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

#: All languages in one text (ISO 639-2).
MUL = "mul"

# CLDR distances: region 5, Cantonese to Traditional Chinese 14, a neighbour's language 20 and more, other script 50.
_NEAR = 15


def choose(reader: str, available: Sequence[str], default: str | None) -> str:
    """The language of `available` for a reader: the reader's, else the authority's default, else `mul`.

    The reader's own language in another script is better than a foreign one. A single language at hand is always
    the answer; raises ValueError when there is none. A malformed tag matches nothing.
    """
    return _choose(reader, tuple(available), default)


@lru_cache(maxsize=4096)
def _choose(reader: str, available: tuple[str, ...], default: str | None) -> str:
    if not available:
        raise ValueError("there is no language to choose from")
    if len(available) == 1:
        return available[0]
    for wanted in (reader, default):
        found = closest(wanted, available) if wanted else None
        if found is not None:
            return found
    return MUL


def closest(wanted: str, available: Sequence[str]) -> str | None:
    """The language of `available` that a reader of `wanted` reads as the own; None when there is none."""
    for tag in available:
        if tag.casefold() == wanted.casefold():
            return tag
    known = [(tag, standard) for tag in available if (standard := canonical(tag)) is not None]
    standard = canonical(wanted)
    if standard is None or standard == "und":
        return None
    near = [(langcodes.tag_distance(standard, other), at, tag) for at, (tag, other) in enumerate(known)]
    if near and min(near)[0] < _NEAR:
        return min(near)[2]
    primary = standard.split("-")[0]
    return next((tag for tag, other in known if other.split("-")[0] == primary), None)


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str | None:
    """The tag as RFC 5646 writes it, None when it is not well-formed or names no language."""
    try:
        standard = langcodes.standardize_tag(tag)
        return str(standard) if langcodes.tag_is_valid(standard) else None
    except LanguageTagError:
        return None
