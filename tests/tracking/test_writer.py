"""The one writer of a process: together when many wait, never before it is written, and each with its own answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from alerting.tracking.writer import Busy, Writer


class Paper:
    """What was written, a list for each write; a write waits while `open` is not set, and refuses the row "bad"."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self.broken = False

    def write(self, groups: Sequence[Sequence[str]]) -> list[int]:
        self.begun.set()
        assert self.open.wait(10)
        rows = [row for group in groups for row in group]
        if self.broken:
            raise ConnectionError("gone")
        if "bad" in rows:
            raise ValueError("a bad row")
        self.written.append(rows)
        return [len(group) for group in groups]


@pytest.fixture
def paper() -> Paper:
    return Paper()


@contextmanager
def waiting(writer: Writer[str, int], paper: Paper, *rows: str) -> Iterator[list[Future[int]]]:
    """One write held up, and these rows handed over behind it, each by a caller of its own."""
    paper.open.clear()
    with ThreadPoolExecutor(20) as callers:
        first = callers.submit(writer.hand, ["first"])
        assert paper.begun.wait(5)
        found = []
        for n, row in enumerate(rows, 1):
            found.append(callers.submit(writer.hand, [row]))
            until(partial(_as_many_wait, writer, n))
        yield [first, *found]
        paper.open.set()


def _as_many_wait(writer: Writer[str, int], n: int) -> bool:
    return writer._waiting.qsize() == n


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_nobody_is_answered_before_the_write_has_returned(paper: Paper) -> None:
    with waiting(Writer(paper.write), paper) as (first,):
        time.sleep(0.05)
        assert not first.done()
        assert paper.written == []
        paper.open.set()
        assert first.result(5) == 1
    assert paper.written == [["first"]]


def test_who_comes_while_a_write_goes_on_is_written_by_the_next_with_all_others(paper: Paper) -> None:
    rows = [f"row {n}" for n in range(12)]
    with waiting(Writer(paper.write), paper, *rows) as callers:
        paper.open.set()
        assert [caller.result(5) for caller in callers] == [1] * 13
    assert paper.written == [["first"], rows]


def test_a_database_that_is_away_is_told_to_each_and_the_next_is_written(paper: Paper) -> None:
    writer = Writer(paper.write)
    with waiting(writer, paper, "a", "b") as callers:
        paper.broken = True
        paper.open.set()
        for caller in callers:
            with pytest.raises(ConnectionError):
                caller.result(5)
    paper.broken = False
    assert writer.hand(["c", "d"]) == 2
    assert paper.written == [["c", "d"]]


def test_a_bad_row_refuses_its_own_caller_alone(paper: Paper) -> None:
    writer = Writer(paper.write, apart=lambda error: isinstance(error, ValueError))
    with waiting(writer, paper, "a", "bad", "b") as (first, a, bad, b):
        paper.open.set()
        assert [first.result(5), a.result(5), b.result(5)] == [1, 1, 1]
        with pytest.raises(ValueError, match="bad row"):
            bad.result(5)
    assert paper.written == [["first"], ["a"], ["b"]]


def test_beyond_its_bound_it_refuses_at_once(paper: Paper) -> None:
    writer = Writer(paper.write, most_waiting=2)
    with waiting(writer, paper, "a", "b"), pytest.raises(Busy):
        writer.hand(["c"])
    assert paper.written == [["first"], ["a", "b"]]


def test_who_has_waited_long_enough_is_told_so(paper: Paper) -> None:
    writer = Writer(paper.write, patience=0.05)
    with waiting(writer, paper) as (first,), pytest.raises(Busy):
        first.result(5)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the threads of the parent are the point
def test_a_forked_child_writes_by_itself_also_while_its_parent_writes(paper: Paper) -> None:
    writer = Writer(paper.write)
    with waiting(writer, paper, "a"):
        child = os.fork()
        if child == 0:
            paper.open.set()
            os._exit(0 if writer.hand(["child"]) == 1 and paper.written == [["child"]] else 1)
        deadline = time.monotonic() + 5
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, 9)
            time.sleep(0.01)
        assert ended[1] == 0
    assert paper.written == [["first"], ["a"]]
