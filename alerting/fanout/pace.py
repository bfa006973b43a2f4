"""Pace: how a sender's time is given away in small grants, and when the next message may leave by what a drain holds.

Pure: no session, no clock of its own; `store.senders` keeps the row that all workers share. A token is one SMS segment (or one
e-mail) and one slot on the sender's grid. Invariant: whatever the workers hold together lies on one grid, no denser than
USED of the rate, and no further ahead than two grants; a slot that was missed is lost, never made up for.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from alerting.store.senders import Standing

#: Seconds of a sender's time in one grant, and how far ahead of now one may begin: half a flush window each, so that what
#: is far less urgent holds the sender for half a second at most.
GRANT = 0.25

#: The part of the rate that is used. The rest lets slots be up to LATE late, and one worker's message be on its way for a
#: little longer than another's, without a second in which the provider counts more than the rate and one message.
USED = 0.99

#: Seconds by which a slot may be late, where slots are close; where they are not, one slot and half of this.
LATE = 0.01

#: Answers by which a drain knows how its clock and the database's differ.
ANSWERS = 16

#: Seconds for which the next grant is kept for whoever has the turn beyond the moment at which it may be given.
PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class Ask:
    """What a drain wants: tokens for the next messages of a priority, and whether it will want more after them.

    `least` is what the first of the messages takes: less would help nobody.
    """

    tokens: int
    priority: int
    more: bool
    least: int = 1


@dataclass(frozen=True, slots=True)
class Grant:
    """`tokens` slots of a sender, the first at `at` by the database's clock, `spacing` seconds apart."""

    sender: int
    at: float
    tokens: int
    spacing: float
    told: float  # the database's clock when it was given


@dataclass(frozen=True, slots=True)
class Answer:
    """A grant or None, the seconds after which to ask again, and what the row becomes."""

    grant: Grant | None
    again_in: float
    next_free: float
    turn: int | None
    turn_until: float


def decide(standing: Standing, ask: Ask) -> Answer:
    """Give the next slots, unless the sender's time is given away far enough already or it is somebody more urgent's turn.

    Whoever asks too early, or will want more, has the next turn against everybody less urgent.
    """
    # A sender that was idle begins a moment later: slots that have passed when they are heard of would leave at once.
    now, at = standing.now, max(standing.next_free, standing.now + LATE)
    kept = standing.turn if standing.turn_until > now else None
    if kept is not None and kept < ask.priority:
        return Answer(None, standing.turn_until - now, standing.next_free, kept, standing.turn_until)
    if at - now > GRANT:
        opens = at - GRANT
        return Answer(None, opens - now, standing.next_free, ask.priority, opens + PATIENCE)
    spacing = 1 / (standing.rate * USED)
    # Of one sender no more than its own part: the tokens may be meant for several.
    tokens = min(ask.tokens, math.ceil(GRANT * standing.rate) + ask.least - 1)
    grant = Grant(standing.sender, at, tokens, spacing, now)
    until = at + tokens * spacing
    opens = max(until - GRANT, now)
    turn = ask.priority if ask.more or tokens < ask.tokens else None
    return Answer(grant, opens - now, until, turn, opens + PATIENCE)


@dataclass(slots=True)
class _Slots:
    """What is left of a grant; `at` is monotonic seconds, `until` the end of the whole grant by the database's clock."""

    sender: int
    at: float
    left: int
    spacing: float
    until: float


@dataclass(slots=True)
class Pace:
    """The slots that one drain holds. Times are monotonic seconds; not locked: its stream does that."""

    slots: list[_Slots] = field(default_factory=list)
    offsets: deque[float] = field(default_factory=lambda: deque(maxlen=ANSWERS))

    def add(self, grant: Grant, heard: float) -> None:
        """Take a grant over; `heard` is when its answer had come.

        The quickest of the last answers tells how the clocks differ: a slow one must not move its slots into a neighbour's,
        and a database whose clock was set must not be believed for ever.
        """
        self.offsets.append(heard - grant.told)
        until = grant.at + grant.tokens * grant.spacing
        self.slots.append(_Slots(grant.sender, grant.at + self.offset, grant.tokens, grant.spacing, until))
        self.slots.sort(key=lambda each: each.at)

    @property
    def offset(self) -> float:
        """Monotonic minus the database's clock, in seconds."""
        return min(self.offsets)

    def tokens(self, now: float) -> int:
        """Slots that are held and not yet missed."""
        self._forget(now)
        return sum(each.left for each in self.slots)

    def wait(self, now: float, segments: int) -> float:
        """Seconds until a message of so many segments may leave; infinite when nothing that is held suffices."""
        self._forget(now)
        held = self._enough(segments)
        return math.inf if held is None else max(held.at - now, 0.0)

    def take(self, segments: int) -> None:
        """Use the slots of a message for which `wait` was 0."""
        held = self._enough(segments)
        if held is None:
            raise ValueError("nothing that is held suffices for this message")
        held.at += segments * held.spacing
        held.left -= segments

    def unspent(self) -> list[tuple[int, float, float]]:
        """(sender, from, until) of what will not be used, by the database's clock; nothing is held any more."""
        left = [(each.sender, each.at - self.offset, each.until) for each in self.slots if each.left]
        self.slots.clear()
        return left

    def _enough(self, segments: int) -> _Slots | None:
        """The earliest grant with slots for a message; tokens too few for it go before those of the sender's next grant."""
        for i, each in enumerate(self.slots):
            if each.left >= segments:
                return each
            after = next((other for other in self.slots[i + 1 :] if other.sender == each.sender), None)
            if after is not None and each.left + after.left >= segments:
                # As if these few were a little late.
                after.at -= each.left * after.spacing
                after.left += each.left
                self.slots.remove(each)
                return after
        return None

    def _forget(self, now: float) -> None:
        """Lose the slots that were missed by more than is allowed."""
        for each in self.slots:
            late = now - each.at - max(LATE, each.spacing + LATE / 2)
            if late > 0:
                missed = min(math.ceil(late / each.spacing), each.left)
                each.at += missed * each.spacing
                each.left -= missed
        if not all(each.left for each in self.slots):
            self.slots = [each for each in self.slots if each.left]
