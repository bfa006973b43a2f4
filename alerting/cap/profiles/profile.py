"""What a profile of CAP is: its name, where it comes from and the codes by which an alert announces it.

Owns Profile. Must not import anything of the package. Invariant: a name is the key of its rules in the register.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A rule set on top of the core; its rules are `alerting.cap.rules.rules(profile=name)`.

    An alert announces it by a `code` that begins with one of `codes`; without any it is chosen by name alone.
    """

    name: str
    title: str
    source: str
    codes: tuple[str, ...] = ()
