"""What subscribing raises: the tree is drawn in the package's docstring.

Imports only the standard library. Invariant: no text here holds an address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SubscribingError(Exception):
    """Root of everything that subscribing raises."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a request, by JSON pointer (RFC 6901), and how to mend it."""

    pointer: str
    problem: str
    mend: str


class Refused(SubscribingError):
    """Nothing was stored; `findings` names everything that is wrong."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{f.pointer}: {f.problem} ({f.mend})" for f in findings))
        self.findings = tuple(findings)


class FileRefused(SubscribingError):
    """No row of the file was read; `problems` names everything that is wrong with its heading."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
