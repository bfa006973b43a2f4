"""The OASIS Event Terms List 1.2, from the package cap-oet.

Owns the mapping of its rows to terms; codes, names, groupings and categories are the list's (Copyright OASIS Open, as
cap-oet adapts it). Imports the values and cap_oet.data, which is plain Python and loads no Django. Invariant: a row is a
term.
"""

from __future__ import annotations

from cap_oet.data.oet_v1_2 import OASIS_EVENT_TERMS

from alerting.cap.model import Category
from alerting.cap.vocabulary.defaults import response_types
from alerting.cap.vocabulary.term import Term

SCHEME = "OET"

#: As WMO's tools write it.
VALUE_NAME = "OET:v1.2"


def terms() -> tuple[Term, ...]:
    """The list in order of code."""
    return tuple(
        Term(
            scheme=SCHEME,
            code=row["code"],
            value_name=VALUE_NAME,
            names=(("en", row["term"]),),
            groups=tuple(row["grouping"]),
            categories=tuple(Category(each) for each in row["categories"]),
            response_types=response_types(row["code"]),
            oet=row["code"],
        )
        for row in OASIS_EVENT_TERMS
    )
