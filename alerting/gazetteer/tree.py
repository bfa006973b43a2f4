"""The tree of regions numbered: each region's `low` and `high` hold those of all its descendants.

Pure. Countries that a file names only as parents get their names from the CLDR (Babel). Invariant: after `number`
x is below or equal to y exactly when y.low <= x.low <= y.high.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from babel import Locale

#: Languages in which a country that only its parts name is known, and their Babel locales.
LANGUAGES = {"en": "en", "zh-Hans": "zh_Hans", "zh-Hant": "zh_Hant", "es": "es", "fr": "fr", "ar": "ar"}

_COUNTRY = re.compile(r"[A-Z]{2}")


class Circle(Exception):
    """Regions that are above themselves; `codes` in order."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


def is_country(code: str) -> bool:
    """Whether a code has the form of ISO 3166-1 alpha-2."""
    return _COUNTRY.fullmatch(code) is not None


def country_names(code: str, stated: str | None) -> dict[str, str]:
    """Names of a country by language; what the file says, then the code itself, where CLDR knows none."""
    found = {language: Locale.parse(name).territories.get(code) for language, name in LANGUAGES.items()}
    return {language: name for language, name in found.items() if name} or {"en": stated or code}


def number(parents: Mapping[str, str | None]) -> dict[str, tuple[int, int]]:
    """(low, high) of every code, from code -> parent's code (None: a root); children in order of code.

    Raises Circle. Every parent must be a key.
    """
    children: dict[str | None, list[str]] = {}
    for code in sorted(parents, reverse=True):
        children.setdefault(parents[code], []).append(code)
    low: dict[str, int] = {}
    result: dict[str, tuple[int, int]] = {}
    stack = [(code, False) for code in children.get(None, [])]
    while stack:
        code, done = stack.pop()
        if done:
            result[code] = (low[code], len(low))
        else:
            low[code] = len(low) + 1
            stack.append((code, True))
            stack += [(child, False) for child in children.get(code, [])]
    if len(result) < len(parents):
        raise Circle(sorted(_in_circles(parents, result)))
    return result


def _in_circles(parents: Mapping[str, str | None], reached: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """The codes on a circle; those that merely hang below one are not named."""
    for start in parents.keys() - reached.keys():
        code, seen = parents[start], {start}
        while code is not None and code != start and code not in seen:
            seen.add(code)
            code = parents[code]
        if code == start:
            yield start
