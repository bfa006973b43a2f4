"""Grants of a sender's time: asked for a little before the last one ends, given back when they are not needed.

Owns the transactions of pacing for one drain; the policy is `pace`, the row that all workers share `store.senders`. Must not
touch batches. Invariant: without a rate there is no statement, and no grant is taken while something more urgent waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from alerting.fanout import pace
from alerting.fanout.stream import Stream, Thirst
from alerting.store import outbox, senders
from alerting.store.engine import UNAVAILABLE, transaction

log = structlog.get_logger(__name__)

#: Seconds after which a stream that has slots enough is looked at again.
LOOK = 0.02

#: Seconds after which a sender's row is looked at again where the database was away or something more urgent waits.
AGAIN = 0.05


@dataclass(slots=True)
class Grants:
    """The pace of one drain's channel; `rate` in messages (SMS: segments) a second, None: no limit."""

    channel: str
    stream: Stream
    clock: Callable[[], float] = time.monotonic
    rate: float | None = None
    ask_at: float = 0.0  # not before

    def follow(self, rate: float | None) -> None:
        """The rate as a claim found it."""
        if rate != self.rate:
            self.rate = rate
            self.stream.keep_pace(paced=rate is not None)

    def backlog(self) -> int | None:
        """Messages that are enough for a drain to hold; None without a rate."""
        return None if self.rate is None else max(1, int(2 * pace.GRANT * self.rate))

    def patience(self, longest: float) -> float:
        """Seconds, at most `longest`, until there is something to ask for."""
        if self.rate is None:
            return longest
        return min(longest, max(self.ask_at - self.clock(), 0.001))

    def ask(self) -> bool:
        """Get the next grant if it is time; True when something more urgent waits, which must be let past."""
        if self.rate is None or self.clock() < self.ask_at:
            return False
        thirst = self.stream.thirst(pace.GRANT * self.rate)
        if thirst is None:
            self.ask_at = self.clock() + LOOK
            return False
        try:
            return self._asked(thirst)
        except UNAVAILABLE:
            log.warning("database_away", channel=self.channel)
            self.ask_at = self.clock() + AGAIN
            return False

    def _asked(self, thirst: Thirst) -> bool:
        with transaction() as session:
            if outbox.urgent_waiting(session, self.channel, thirst.priority) is not None:
                self.ask_at = self.clock() + AGAIN
                return True
            standing = senders.lock(session, self.channel)
            heard = self.clock()
            if standing is None:
                self.follow(None)
                return False
            answer = pace.decide(
                standing, pace.Ask(thirst.tokens, thirst.priority, thirst.more, thirst.least)
            )
            senders.give(
                session,
                standing.sender,
                next_free=answer.next_free,
                turn=answer.turn,
                turn_until=answer.turn_until,
            )
        self.ask_at = self.clock() + answer.again_in
        if answer.grant is not None:
            self.stream.grant(answer.grant, heard)
            if self.rate is not None and standing.rate < self.rate:
                self.ask_at = 0.0  # another sender of the channel may be free as well
        return False

    def give_back(self) -> None:
        """What is left of the grants returns to all, as far as it is the end of what was given away."""
        left = self.stream.unspent()
        if not left:
            return
        try:
            with transaction() as session:
                for sender, start, until in sorted(left, reverse=True):
                    senders.give_back(session, sender, start, until)
        except UNAVAILABLE:
            log.warning("database_away", channel=self.channel)
