"""W-04: two infos of different languages that say nearly the same text.

I-04 of `alerting.cap.rules` tells of texts that are equal to the letter; here are those that differ in case, blanks or
punctuation alone. Invariant: no text is told of by both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import WARNING, Finding
from alerting.cap.model import Alert
from alerting.cap.segment import canonical_language
from alerting.wording.checks.texts import spoken

#: I-04's bound: the same word in two languages ("Tsunami") means nothing.
_SHORT: Final = 12


def find(alert: Alert) -> Iterator[Finding]:
    """A warning for each text that another language has but for case, blanks and punctuation."""
    seen: dict[tuple[object, str], list[tuple[str, str]]] = {}
    for i, info in enumerate(alert.info):
        language = canonical_language(info.language)
        for place, text in spoken(info, i):
            letters = "".join(c for c in text.casefold() if c.isalnum())
            if len(letters) < _SHORT or letters.isdecimal():
                continue
            before = seen.setdefault((place[-1], letters), [])
            others = [(tongue, written) for tongue, written in before if not _same(tongue, language)]
            if others and all(written != text for _, written in others):
                yield Finding(
                    "W-04",
                    WARNING,
                    place,
                    f"but for punctuation this is the {place[-1]} of the info in {others[0][0]}: translate it into {language}",
                )
            before.append((language, text))


def _same(one: str, other: str) -> bool:
    """Whether two tags are one language: British and American English may share a text."""
    return one.split("-", maxsplit=1)[0] == other.split("-", maxsplit=1)[0]
