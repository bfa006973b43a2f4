"""All vocabularies together: which there are, and every term with its instructions.

Owns the order of the schemes and the names by which a CAP document may call each. Built once, at first use, from tables
in the code: nothing is read from a disk. Imports the tables alone. Invariant: (scheme, code) is unique.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from alerting.cap.vocabulary import au, china, instructions, oet, same, seen
from alerting.cap.vocabulary.term import Term

_TABLES: Final = {
    oet.SCHEME: oet.terms,
    same.SCHEME: same.terms,
    au.SCHEME: au.terms,
    seen.CANADA: seen.canada,
    seen.TAIWAN: seen.taiwan,
    china.CLASS: china.classes,
    china.GRADE: china.grades,
}

#: The vocabularies, in the order in which equal matches are shown.
SCHEMES: Final = tuple(_TABLES)

#: Other names of a scheme: the value names of real documents.
_ALIASES: Final = {
    oet.VALUE_NAME: oet.SCHEME,
    au.VALUE_NAME: au.SCHEME,
    "AUeventLIST1.0": au.SCHEME,
    "https://govshare.gov.au/xmlui/handle/10772/6495": au.SCHEME,
    seen.CANADA_VALUE_NAME: seen.CANADA,
    "profile:CAP-CP:Event:1.0": seen.CANADA,
    seen.TAIWAN_VALUE_NAME: seen.TAIWAN,
}
_SCHEMES: Final = {
    name.casefold(): scheme for name, scheme in ({each: each for each in SCHEMES} | _ALIASES).items()
}

#: SAME codes of these kinds say that something may come, or came: no instruction to act at once belongs to them.
_NOT_YET: Final = {"watch", "statement", "test"}


def scheme_of(name: str) -> str | None:
    """The scheme with this name or value name, in any case of letters; None if there is none."""
    return _SCHEMES.get(name.strip().casefold())


@cache
def every_term() -> tuple[Term, ...]:
    """Every term of every scheme, in the order of SCHEMES and of each source."""
    return tuple(_instructed(each) for scheme in SCHEMES for each in _TABLES[scheme]())


def _instructed(term: Term) -> Term:
    if _NOT_YET.intersection(term.groups):
        return term
    return replace(term, instructions=instructions.for_event(term.oet))
