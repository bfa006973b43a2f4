"""The stream of messages between the drain, which owns the database, and the adapter, which owns the network.

Two threads meet here: the drain puts loads (claimed batches in memory) and moves their allowance; the adapter's feeder
thread takes message after message. Must not import the store's functions: it knows no session. Invariant: no message is
handed out past its load's allowance, its lease's deadline, its text's expiry, or faster than its load's pace.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from alerting.store.batches import Lease
from alerting.store.counters import Results
from channels.base import Message


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
    expires: float  # of the texts, monotonic
    expires_at: datetime  # the same, aware UTC
    spacing: float = 0.0  # seconds a message (SMS: segment); 0: no pace
    next_at: float = 0.0
    taken: int = 0
    settled: int = 0  # of those taken, how many have a result
    stopped: bool = False
    lost: bool = False
    again: dict[float, list[int]] = field(default_factory=dict)  # seconds from the epoch -> n to try again
    first: datetime | None = None  # when the first of it was accepted
    results: Results = field(default_factory=Results)  # of its sends that are written
    expired_from: int | None = None  # messages from here on were not sent because their time had passed

    def address_of(self, n: int) -> list[int]:
        """The address id of a row of it; empty where it has none."""
        address = self.addresses[bisect_left(self.ns, n)]
        return [] if address is None else [address]

    @property
    def spent(self) -> bool:
        """No message of it will be handed out any more."""
        return self.stopped or self.taken >= len(self.messages) or self.expired_from is not None

    @property
    def ended(self) -> bool:
        """Spent, and every message that was handed out has its result."""
        return self.spent and self.settled >= self.taken


class Stream:
    """An iterator of messages over loads, in order, that waits for allowance, pace and further loads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted = threading.Event()  # the drain should look: starving, or a load is spent
        self._loads: deque[Load] = deque()
        self._closed = False

    def put(self, load: Load) -> None:
        """Append a load."""
        with self._changed:
            self._loads.append(load)
            self._changed.notify_all()

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
                if now >= load.expires:
                    load.expired_from = load.taken
                elif now >= load.deadline:
                    load.stopped = True
                elif load.taken >= load.allowed:
                    self._wanted.set()
                    self._changed.wait(min(load.deadline - now, 1.0))
                elif load.spacing and now < load.next_at:
                    self._changed.wait(min(load.next_at - now, 1.0))
                else:
                    return self._take(load, now)
        raise StopIteration

    def _head(self) -> Load | None:
        while self._loads and self._loads[0].spent:
            self._loads.popleft()
            self._wanted.set()
        return self._loads[0] if self._loads else None

    def _take(self, load: Load, now: float) -> Message:
        message = load.messages[load.taken]
        load.taken += 1
        if load.spacing:
            # Never in a burst to make up for lost time: the provider counts each second by itself.
            load.next_at = max(now, load.next_at) + load.spacing * message.content.segments
        return message
