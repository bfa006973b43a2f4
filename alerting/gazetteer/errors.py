"""What can be wrong with a region file.

    GazetteerError
    ├── Unreadable     not gzip, JSON, TopoJSON or GeoJSON: nothing could be looked at
    └── Refused        read, but its features are not usable; carries every problem

Imports only the standard library. Invariant: a Refused holds at least one Problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `pointer` is a JSON pointer into the file, `message` says how to mend it."""

    pointer: str
    message: str


class GazetteerError(Exception):
    """Root of everything that an import raises about its file."""


class Unreadable(GazetteerError):
    """The file is not what it should be; the text says what was expected."""


class Refused(GazetteerError):
    """The features are not usable; nothing was imported."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{each.pointer}: {each.message}" for each in problems))
        self.problems = tuple(problems)
