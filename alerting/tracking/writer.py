"""One writer in a process for all who wait: what comes in while a write goes on is written by the next, in one transaction.

Whoever finds nobody writing writes, for all who wait at that moment; the others sleep until their rows are committed, and one
of them takes over. There is no thread to start after a fork, none to drain at the end, and no row outlives its request.
Knows nothing of receipts or databases. Invariant: `hand` returns only after the write that holds its rows has returned.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")
Said = TypeVar("Said")

#: Rows that wait at most, and rows of one write at most.
MOST_WAITING = 20_000
MOST_TOGETHER = 2_000

#: Seconds after which a waiter gives up. Twilio itself gives up after 15.
PATIENCE = 10.0


class Busy(Exception):
    """More waits than is written in time; nothing of what was handed over is certain to be written."""


class _Handed(Generic[Row, Said]):
    """The rows of one caller, and what became of them."""

    __slots__ = ("error", "rows", "said", "turn")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.turn = threading.Lock()  # held until the rows are written, or their owner is to write
        self.turn.acquire()
        self.said: Said | None = None
        self.error: Exception | None = None


class Writer(Generic[Row, Said]):
    """`write` gets the rows of several callers, one sequence each, and says for each of them what it says alone.

    It commits before it returns and has written nothing when it raises. `apart` says of an error that it lies in the
    rows and not in the database: each caller's rows are then written by themselves, so that one cannot refuse another's.
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
        # A child is born with the state of its parent's moment, and without the thread that was writing in it.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Handed[Row, Said]] = []
        self._rows = 0  # that wait
        self._writing = False

    def hand(self, rows: Sequence[Row]) -> Said:
        """Have rows written, with others' or alone; raises what the write raised, or Busy."""
        mine: _Handed[Row, Said] = _Handed(rows)
        with self._lock:
            if self._rows and self._rows + len(rows) > self._most_waiting:
                raise Busy("too many rows wait to be written")
            self._waiting.append(mine)
            self._rows += len(rows)
            alone = not self._writing
            self._writing = True
        if not alone:
            self._await(mine)
        if mine.said is None and mine.error is None:
            self._write_waiting(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.said is not None  # noqa: S101  # the write says something for each caller
        return mine.said

    def _await(self, mine: _Handed[Row, Said]) -> None:
        """Sleep until the rows are written or it is our turn to write."""
        if mine.turn.acquire(timeout=self._patience):
            return
        with self._lock:
            if mine.turn.acquire(blocking=False):  # it came in the last moment
                return
            if mine in self._waiting:
                self._waiting.remove(mine)
                self._rows -= len(mine.rows)
        raise Busy("the rows were not written in time")

    def _write_waiting(self, mine: _Handed[Row, Said]) -> None:
        """Write what waits, `mine` among it, and pass the turn on."""
        group = self._take()
        try:
            self._write_group(group)
        finally:
            for each in group:
                if each.said is None and each.error is None:  # the thread was told to end
                    each.error = Busy("the write was broken off")
                if each is not mine:
                    each.turn.release()
            with self._lock:  # so that who is next cannot give up in the moment in which it is chosen
                self._writing = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].turn.release()

    def _take(self) -> list[_Handed[Row, Said]]:
        """The next group, in the order in which they came; the first is the writer's own."""
        with self._lock:
            number, rows = 0, 0
            for each in self._waiting:
                if number and rows + len(each.rows) > MOST_TOGETHER:
                    break
                number += 1
                rows += len(each.rows)
            group, self._waiting = self._waiting[:number], self._waiting[number:]
            self._rows -= rows
        return group

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
