"""What the store does on the way of a warning, by name: test_plans judges the plans of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from alerting.store.expansion import Span
from tests.store.crowd import BATCH, Crowd


@dataclass(frozen=True, slots=True)
class At:
    """A session on one of the crowds."""

    session: Session
    crowd: Crowd

    @property
    def next(self) -> int:
        """The first n of the texts that waits."""
        return self.crowd.done + 1

    def span(self) -> Span:
        """A range of subscribers in the middle of the walk."""
        return Span(self.crowd.people // 2, self.crowd.people // 2 + BATCH, 1)


Work = Callable[[At], object]
OPERATIONS: dict[str, tuple[Work, int]] = {}


def operation(lookups: int = 0) -> Callable[[Work], Work]:
    """Enter an operation under its name, with the look-ups by key that it makes where those of small tables are no measure."""

    def enter(work: Work) -> Work:
        OPERATIONS[work.__name__] = work, lookups
        return work

    return enter
