"""The names that AUeventLIST 1.0 gives an event code.

Owns the look-up in the vocabulary, whose table is read when the first Australian code is met. Must not import rules.
Invariant: codes are compared as written, since the list is.
"""

from __future__ import annotations

from functools import cache


@cache
def _names() -> dict[str, tuple[str, ...]]:
    from alerting.cap.vocabulary.au import ROWS

    listed: dict[str, tuple[str, ...]] = {}
    for row in ROWS.splitlines():
        first, second, code, *_ = row.split("|")
        listed[code] = tuple(name for name in (first, second) if name)
    return listed


def names_of(code: str) -> tuple[str, ...]:
    """The tier I name of the event and its tier II name where it has one; empty where the list has no such code."""
    return _names().get(code, ())
