"""What was found in a CAP document, and where: the one shape in which reading, rules and geometry report.

Owns Finding, its two severities, the place of a finding and the Document that reading yields. Must not import anything
of the package but the model. Invariant: a place is written once, and the XPath and the JSON pointer are both made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

from alerting.cap.model import Alert

Place = tuple[str | int, ...]
"""Steps from the alert: CAP's element names, each repeatable one followed by its index from 0."""

# Repeatable in JSON, but one element holding a list in XML: XPath cannot point inside it.
_LISTS: Final = frozenset({"references", "addresses", "incidents"})


class Level(StrEnum):
    """How bad a finding is: an error refuses the document, a warning is shown and passes."""

    ERROR = "error"
    WARNING = "warning"


ERROR: Final = Level.ERROR
WARNING: Final = Level.WARNING


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule; `rule` is an id such as "A-06", `message` says how to mend it."""

    rule: str
    severity: Level
    place: Place
    message: str

    @property
    def path(self) -> str:
        """XPath, indexes from 1: /alert/info[2]/expires."""
        steps = ["/alert"]
        name = ""
        for step in self.place:
            if isinstance(step, str):
                steps.append(f"/{step}")
                name = step
            elif name not in _LISTS:
                steps.append(f"[{step + 1}]")
        return "".join(steps)

    @property
    def pointer(self) -> str:
        """JSON pointer (RFC 6901), indexes from 0: /info/1/expires; the whole document is the empty string."""
        return "".join(f"/{_escaped(step)}" for step in self.place)


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Document:
    """What reading yields.

    `alert` is None when anything in the form was wrong. `draft` is then what could be read, with placeholders where
    it could not: for the rules alone, never to be issued. `findings` are those of reading, by place. `plain` says that
    no text can hold "<" or "&": the bytes have neither entity nor CDATA.
    """

    alert: Alert | None
    findings: tuple[Finding, ...] = ()
    draft: Alert | None = None
    plain: bool = False


_PLACE_AND_RULE: Final = attrgetter("place", "rule")


def by_place(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of their places, those of one place by rule."""
    if len(findings) > 1:
        findings.sort(key=_PLACE_AND_RULE)
    return tuple(findings)
