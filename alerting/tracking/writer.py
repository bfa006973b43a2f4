"""One writer in a process for all who wait: what comes in while a write goes on is written by the next, in one transaction.

Owns a thread, started by the first who hands something over, in each process anew after a fork. It is no reason for a process
to stay: who waits for it is. Knows nothing of receipts or databases. Invariant: `hand` returns only after the write that
holds its rows has returned.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Row = TypeVar("Row")
Said = TypeVar("Said")

#: Callers that wait at most, and that are written together at most.
MOST_WAITING = 2_000
MOST_TOGETHER = 500

#: Seconds after which a caller gives up waiting. Twilio itself gives up after 15.
PATIENCE = 10.0


class Busy(Exception):
    """More waits than is written in time; what was handed over may be written nevertheless."""


class _Handed(Generic[Row, Said]):
    """The rows of one caller, and what became of them."""

    __slots__ = ("done", "error", "rows", "said")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.done = threading.Lock()  # held until then; an Event costs three times as much
        self.done.acquire()
        self.said: Said | None = None
        self.error: Exception | None = None


class Writer(Generic[Row, Said]):
    """`write` gets the rows of several callers, one sequence each, and says for each of them what it says alone.

    It commits before it returns. `apart` says of an error that it lies in the rows and not in the database: each caller's
    rows are then written by themselves, so that one cannot refuse another's.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Sequence[Row]]], Sequence[Said]],
        *,
        apart: Callable[[Exception], bool] = lambda _: False,
        most_waiting: int = MOST_WAITING,
        patience: float = PATIENCE,
    ) -> None:
        self._write = write
        self._apart = apart
        self._most_waiting = most_waiting
        self._patience = patience
        self._begin()
        # A child is born with the queue of its parent's moment, and without its parent's threads.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._waiting: SimpleQueue[_Handed[Row, Said]] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def hand(self, rows: Sequence[Row]) -> Said:
        """Have rows written, with others' or alone; raises what the write raised, or Busy."""
        if self._waiting.qsize() >= self._most_waiting:
            raise Busy("too many wait to be written")
        mine: _Handed[Row, Said] = _Handed(rows)
        self._waiting.put(mine)
        if self._thread is None:
            self._start()
        if not mine.done.acquire(timeout=self._patience):
            raise Busy("it was not written in time")
        if mine.error is not None:
            raise mine.error
        assert mine.said is not None  # noqa: S101  # the write says something for each caller
        return mine.said

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            group = [self._waiting.get()]
            try:
                while len(group) < MOST_TOGETHER:
                    group.append(self._waiting.get_nowait())
            except Empty:
                pass
            self._write_group(group)
            for each in group:
                each.done.release()

    def _write_group(self, group: Sequence[_Handed[Row, Said]]) -> None:
        try:
            for each, said in zip(group, self._write([each.rows for each in group]), strict=True):
                each.said = said
        except Exception as error:  # noqa: BLE001  # each caller raises it in its own thread
            if len(group) > 1 and self._apart(error):
                for each in group:
                    self._write_group([each])
            else:
                for each in group:
                    each.error = error
