"""What one change between two warnings is, and how old and new are put into a sentence.

Imports the findings' place alone. Invariant: a sentence is one line, quotes at most a few dozen characters of the texts,
and needs neither document beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from alerting.cap.findings import Place

_QUOTED: Final = 80  # characters of a text in a sentence
_WORD: Final = 24  # characters that a word has at most here
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Kind(StrEnum):
    """What happened to a value; raised, lowered, earlier and later where its scale has a direction."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RAISED = "raised"
    LOWERED = "lowered"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `before` and `after` are its places in the two alerts, None where it has none there.

    `field` is CAP's element name, or "ground" for the union of an info's shapes. `old` and `new` are texts as CAP writes
    them, of ground its square kilometres; None for what is not there. `languages` are those of the infos that it
    holds for, in canonical form; a change of the alert itself has none.
    """

    kind: Kind
    before: Place | None
    after: Place | None
    field: str
    old: str | None
    new: str | None
    message: str
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Names and values of codes go into it as they are: whatever breaks a line there must not break a report.
        object.__setattr__(self, "message", " ".join(self.message.split()))


def quoted(text: str) -> str:
    """The text between quotation marks on one line, its end left out where it is long."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= _QUOTED else f'"{line[: _QUOTED - 2]} …"'


def rewording(old: str, new: str) -> str:
    """Two texts on one line, of long ones the stretch from the first to the last difference, in whole words."""
    before, after = " ".join(old.split()), " ".join(new.split())
    if before == after:
        return "only blanks and line breaks differ"
    if len(before) <= _QUOTED and len(after) <= _QUOTED:
        return f"{quoted(before)} -> {quoted(after)}"
    head = _word_edge(before, after, _shared(before, after))
    back_before, back_after = before[head:][::-1], after[head:][::-1]
    tail = _word_edge(back_before, back_after, _shared(back_before, back_after))
    return f"{_middle(before, head, tail)} -> {_middle(after, head, tail)}"


def _shared(old: str, new: str) -> int:
    """How many characters two texts begin with in common."""
    unequal = (n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    return next(unequal, min(len(old), len(new)))


def _word_edge(old: str, new: str, end: int) -> int:
    """The end of what two texts share, moved back to the end of a word if one is near: some scripts have no blanks."""
    if all(text[end : end + 1] in {"", " "} for text in (old, new)):
        return end
    blank = old.rfind(" ", max(0, end - _WORD), end)
    return blank + 1 if blank >= 0 else 0 if end <= _WORD else end


def _middle(text: str, head: int, tail: int) -> str:
    cut = text[head : len(text) - tail].strip()
    if len(cut) > _QUOTED:
        cut, tail = cut[:_QUOTED], 1
    return f'"{"… " if head else ""}{cut}{" …" if tail else ""}"'


def lasting(span: timedelta) -> str:
    """The length of a span in its two largest units, such as "1 d 3 h"; the sign is dropped."""
    seconds = abs(round(span.total_seconds()))
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def square_kilometres(size: float) -> str:
    """A figure that a person reads: three digits or more, with the unit."""
    return f"{size:,.0f} km2" if size >= 1000 else f"{size:.1f} km2" if size >= 10 else f"{size:.3g} km2"
