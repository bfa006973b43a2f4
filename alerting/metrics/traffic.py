"""HTTP requests by method, route and status: counted in memory, moved into the counters each few seconds.

Owns the transaction of that. In a server a timer moves them, so that no request waits for it; a process that is killed
loses what it counted since, and no promise rests on that. Must not import Flask. Invariant: a route is one of the
application's own rules, never an address that somebody made up.
"""

from __future__ import annotations

import atexit
import threading
from collections import Counter

import structlog

from alerting.store import counters, engine
from alerting.store.counters import Counted
from alerting.store.engine import DatabaseError, transaction

log = structlog.get_logger(__name__)

#: Seconds that a count stays in memory.
DELAY = 2.0

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: What stands for an address that no route has, and for a method of which nobody has heard.
OTHER = "other"


class Traffic:
    """The requests of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[counters.Key] = Counter()
        self._timer: threading.Timer | None = None
        self._at_exit = False

    def count(self, method: str, route: str | None, status: int, *, serving: bool) -> None:
        """One request. `serving`: a timer may move the counts; otherwise they wait for `write`."""
        labels = (method if method in METHODS else OTHER, route or OTHER, str(status))
        with self._lock:
            self._counts[Counted.HTTP, labels] += 1
            if serving and self._timer is None:
                self._timer = threading.Timer(DELAY, self._on_time)
                self._timer.daemon = True
                self._timer.start()
                if not self._at_exit:
                    atexit.register(self._on_time)
                    self._at_exit = True

    def write(self) -> None:
        """Move what was counted; a database that is away, or refuses, leaves it for the next time. Raises nothing of the database's."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with transaction() as session:
                counters.add(session, counts)
        except DatabaseError as error:
            log.warning("requests_not_counted_yet", kind=type(error).__name__)
            with self._lock:
                self._counts.update(counts)

    def _on_time(self) -> None:
        with self._lock:
            self._timer = None
        if engine.configured():  # an application that was closed has nowhere to write to
            self.write()
