"""The managed lists of the vocabulary, by code as it is written.

Owns the look-up; a list is built when a rule first needs it. Must not import rules. Invariant: codes are compared with
case, since the lists are written with it and receivers compare them so.
"""

from __future__ import annotations

from functools import cache

from alerting.cap.vocabulary import LARGEST_LIMIT, Term, search


@cache
def listed(scheme: str) -> dict[str, Term]:
    """Every term of a scheme of the vocabulary by its code."""
    return {term.code: term for term in search("", scheme=scheme, limit=LARGEST_LIMIT)}


@cache
def australian_events() -> dict[str, tuple[str, ...]]:
    """The names that AUeventLIST gives each code, tier I first."""
    return {
        code: tuple(dict.fromkeys((*term.groups, *(name for _, name in term.names))))
        for code, term in listed("CAP-AU").items()
    }
