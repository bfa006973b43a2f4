"""What tolerant reading hands out: the alerts of a file, and what was mended in each of them.

Owns Mend, Taken, Tolerated and the list in which the readers of this package note their mends. Imports the findings
alone. Invariant: a mend names the row of the list of tolerated faults (T-01 to T-26) that it belongs to, and its place
is a place in the alert that is handed out, or the one where a part that was left out had stood.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from alerting.cap.findings import WARNING, Document, Finding, Place

_MANY: Final = 500


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing that was not as CAP 1.2 asks and was mended; `rule` is an id such as "T-05"."""

    rule: str
    place: Place
    message: str

    @property
    def path(self) -> str:
        """XPath, indexes from 1: /alert/info[2]/expires."""
        return Finding(self.rule, WARNING, self.place, "").path

    @property
    def pointer(self) -> str:
        """JSON pointer (RFC 6901), indexes from 0: /info/1/expires."""
        return Finding(self.rule, WARNING, self.place, "").pointer


@dataclass(frozen=True, slots=True)
class Taken:
    """One alert of a file.

    `document.alert` is a CAP 1.2 value that the strict reader takes once written; it is None, with findings that say
    why, where something required was not there and no sensible value is. `source` are the bytes of this alert as
    received, over which signatures are verified: the whole file where the file is the alert, else its canonical
    subtree (or the text in which it was embedded).
    """

    document: Document
    mended: tuple[Mend, ...]
    source: bytes


@dataclass(frozen=True, slots=True)
class Tolerated:
    """What a file holds; `findings` say why the file as a whole, or a part of it, gave nothing."""

    alerts: tuple[Taken, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Notes:
    """The mends of one alert while it is read, at most `limit` of them."""

    limit: int
    mends: list[Mend] = field(default_factory=list)

    def add(self, rule: str, place: Place, message: str) -> None:
        """Note one mend; the same one twice is noted once when they follow each other."""
        mend = Mend(rule, place, message)
        if len(self.mends) < self.limit and self.mends[-1:] != [mend]:
            self.mends.append(mend)

    @property
    def many(self) -> bool:
        """Whether so much was mended that what costs more than a moment is no longer tried: no real alert has this many."""
        return len(self.mends) >= min(_MANY, self.limit)

    def by_place(self) -> tuple[Mend, ...]:
        """The mends in the order of their places, those of one place in the order of noting."""
        return tuple(sorted(self.mends, key=_place))


def _place(mend: Mend) -> tuple[tuple[str, int], ...]:
    """A name may stand where a mended document has an index: they are told apart, not compared."""
    return tuple(("", step) if isinstance(step, int) else (step, 0) for step in mend.place)
