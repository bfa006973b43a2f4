"""The stream of messages between the drain, which owns the database, and the adapter, which owns the network.

Two threads meet here: the drain puts loads (claimed batches in memory) and moves their allowance; the adapter's feeder
thread takes message after message, the most urgent load first. Must not import the store's functions: it knows no session.
Invariant: no message is handed out past its load's allowance, its lease's deadline or its text's expiry, none without a
slot of the sender's pace where it has one, and none with a validity that outlives its text.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from alerting.fanout.pace import Grant, Pace
from alerting.store.batches import Lease
from alerting.store.counters import Results
from channels.base import Message

#: Seconds before the end of its text in which a message is not handed out: the least validity that a provider can be told.
LAST = 1.0

#: Seconds for which a message's validity may stand as it was worked out when its batch was read; it is made that much shorter.
STALE = 1.0


@dataclass(frozen=True, slots=True)
class Thirst:
    """What a stream without slots enough wants: tokens, for whom (the priority), and whether it will want more after.

    `least` are the segments of the next message.
    """

    tokens: int
    priority: int
    more: bool
    least: int


@dataclass(slots=True, eq=False)
class Load:
    """A claimed batch in memory. Message i has key `base + i` and row number `ns[i]`; times are monotonic seconds."""

    lease: Lease
    base: int
    messages: list[Message]
    ns: list[int]
    attempts: list[int]
    repeated: list[bool]
    addresses: list[int | None]
    allowed: int  # messages that may be handed out before the next flush
    deadline: float  # of the lease
    expires: list[float]  # of each message's text, monotonic
    expires_at: list[datetime]  # the same, aware UTC
    opened: float  # when the validities of its messages were worked out
    taken: int = 0
    settled: int = 0  # of those taken, how many have a result
    expired: list[int] = field(
        default_factory=list
    )  # n of those taken that were not handed out: their time had passed
    stopped: bool = False
    again: dict[float, list[int]] = field(default_factory=dict)  # seconds from the epoch -> n to try again
    first: datetime | None = None  # when the first of it was accepted
    results: Results = field(default_factory=Results)  # of its sends that are written

    def address_of(self, n: int) -> list[int]:
        """The address id of a row of it; empty where it has none."""
        address = self.addresses[bisect_left(self.ns, n)]
        return [] if address is None else [address]

    def doubtful(self, n: int) -> bool:
        """Whether a row of it may have been sent before."""
        return self.repeated[bisect_left(self.ns, n)]

    @property
    def spent(self) -> bool:
        """No message of it will be handed out any more."""
        return self.stopped or self.taken >= len(self.messages)

    @property
    def in_flight(self) -> int:
        """Messages that were handed out and have no result yet."""
        return self.taken - self.settled - len(self.expired)

    @property
    def ended(self) -> bool:
        """Spent, and every message that was handed out has its result."""
        return self.spent and self.in_flight <= 0


class Stream:
    """An iterator of messages over loads, the most urgent first, that waits for allowance, slots and further loads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted = threading.Event()  # the drain should look: starving, or a load is spent
        self._loads: deque[Load] = deque()
        self._closed = False
        self._pace: Pace | None = None  # None: as fast as the adapter takes

    def put(self, load: Load) -> None:
        """Queue a load before those that are less urgent."""
        with self._changed:
            behind = sum(load.lease.priority < other.lease.priority for other in self._loads)
            self._loads.insert(len(self._loads) - behind, load)
            self._changed.notify_all()

    def keep_pace(self, *, paced: bool) -> None:
        """Hand out nothing without a slot from now on, or no longer."""
        with self._changed:
            if paced != (self._pace is not None):
                self._pace = Pace() if paced else None
                self._changed.notify_all()

    def thirst(self, enough: float) -> Thirst | None:
        """The tokens that are lacking for the next messages, up to `enough` of them or one message; None when none are."""
        with self._changed:
            head = self._head()
            if head is None or self._pace is None:
                return None
            wanted, more = 0, False
            for load in self._loads:
                for message in () if load.spent else load.messages[load.taken :]:
                    more = wanted >= enough
                    if more:
                        break
                    wanted += message.content.segments
                if more:
                    break
            lacking = wanted - self._pace.tokens(self._clock())
            least = head.messages[head.taken].content.segments
            return Thirst(lacking, head.lease.priority, more, least) if lacking > 0 else None

    def grant(self, grant: Grant, heard: float) -> None:
        """Slots for the next messages, of which the drain heard at the monotonic time `heard`."""
        with self._changed:
            if self._pace is not None:
                self._pace.add(grant, heard)
                self._changed.notify_all()

    def unspent(self) -> list[tuple[int, float, float]]:
        """What is left of the grants, to be given back (Pace.unspent)."""
        with self._changed:
            return [] if self._pace is None else self._pace.unspent()

    def allow(self, load: Load, allowed: int, deadline: float) -> None:
        """Move a load's allowance and its lease's deadline after a flush has been committed."""
        with self._changed:
            load.allowed, load.deadline = allowed, deadline
            self._changed.notify_all()

    def stop(self, load: Load) -> None:
        """Hand out nothing more of a load."""
        with self._changed:
            load.stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the iteration; what was not handed out stays with its load."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def backlog(self) -> int:
        """Messages that wait in loads."""
        with self._changed:
            return sum(len(load.messages) - load.taken for load in self._loads if not load.spent)

    def attention(self, timeout: float) -> None:
        """Wait until the stream starves or a load is spent, `timeout` seconds at most."""
        self._wanted.wait(timeout)
        self._wanted.clear()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Message:
        with self._changed:
            while not self._closed:
                load = self._head()
                if load is None:
                    self._wanted.set()
                    self._changed.wait(1.0)
                    continue
                now = self._clock()
                if now >= load.expires[load.taken] - LAST:
                    load.expired.append(load.ns[load.taken])
                    load.taken += 1
                elif now >= load.deadline:
                    load.stopped = True
                elif load.taken >= load.allowed:
                    self._wanted.set()
                    self._changed.wait(min(load.deadline - now, 1.0))
                elif wait := self._until_slot(load, now):
                    self._changed.wait(min(wait, 1.0))
                else:
                    return self._take(load, now)
        raise StopIteration

    def _head(self) -> Load | None:
        while self._loads and self._loads[0].spent:
            self._loads.popleft()
            self._wanted.set()
        return self._loads[0] if self._loads else None

    def _until_slot(self, load: Load, now: float) -> float:
        """Seconds until the next message may leave by the sender's pace."""
        if self._pace is None:
            return 0.0
        wait = self._pace.wait(now, load.messages[load.taken].content.segments)
        if wait > 1.0:  # infinite: the drain should get slots
            self._wanted.set()
        return wait

    def _take(self, load: Load, now: float) -> Message:
        message = load.messages[load.taken]
        left = load.expires[load.taken] - now
        load.taken += 1
        if self._pace is not None:
            self._pace.take(message.content.segments)
        if now > load.opened + STALE and message.validity is not None:
            message = replace(message, validity=left)
        return message
