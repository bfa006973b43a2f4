"""The address of a feed: everything or a region, in the authority's language or another one.

Pure. Invariant: one feed has one key, however its address was written, so that it is rendered, stored and cached once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from babel import Locale, UnknownLocaleError

from alerting.wording.language import canonical

EVERYTHING: Final = "all"

# Longer names are no region's code; a bound on what is looked up and kept.
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """`region` is a code, None for everything; `language` a BCP 47 tag in its standard form, None for the authority's."""

    region: str | None
    language: str | None

    @property
    def key(self) -> str:
        return "/".join(part for part in (self.region or EVERYTHING, self.language) if part)


def read(key: str) -> FeedAddress | None:
    """`all`, `all/fr`, `CN-AH` or `CN-AH/fr`; None for what cannot be an address of a feed.

    A language must be one that CLDR knows: what nobody writes in needs no feed of its own.
    """
    place, slash, language = key.partition("/")
    if not place or len(key) > _LONGEST or not key.isprintable() or "/" in language:
        return None
    standard = _language(language) if slash else None
    if slash and standard is None:
        return None
    return FeedAddress(None if place.lower() == EVERYTHING else place, standard)


def _language(written: str) -> str | None:
    standard = canonical(written)
    if standard is None:
        return None
    try:
        Locale.parse(standard, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
    return standard
