"""The shared machinery of a Run, with the smallest adapter there is."""

from __future__ import annotations

import asyncio
from queue import SimpleQueue

from channels.base import Content, Message, ProviderDown, SendResult, Status
from channels.run import DOWN_AFTER, Feed, LoopThread, ThreadedRun, gather

TEXT = Content("text", "en")


def messages(count: int) -> list[Message]:
    return [Message(n, f"1.{n}", f"to {n}", TEXT) for n in range(count)]


def drain(results: SimpleQueue[SendResult]) -> list[SendResult]:
    return [results.get() for _ in range(results.qsize())]


def test_a_fault_of_the_adapter_ends_the_run_and_leaves_no_message_without_result():
    async def drive(feed: Feed) -> None:
        async def work() -> None:
            while (message := await feed.take()) is not None:
                if message.key == 3:
                    raise RuntimeError("to 3 is broken")
                feed.finish(message, SendResult(message.key, Status.ACCEPTED))

        await gather([work() for _ in range(2)])

    thread, results = LoopThread("test"), SimpleQueue[SendResult]()
    run = ThreadedRun(thread, iter(messages(50)), results, 8, drive)

    assert run.done.wait(10)
    assert isinstance(run.error, ProviderDown)
    assert "to 3" not in str(run.error)
    found = {result.key: result.status for result in drain(results)}
    assert found[3] is Status.AMBIGUOUS
    assert sorted(found) == list(range(len(found)))
    thread.close(_nothing)


def test_failures_in_a_row_mean_that_the_provider_is_down_and_one_success_starts_anew():
    async def drive(feed: Feed) -> None:
        while (message := await feed.take()) is not None:
            bad = message.key != DOWN_AFTER - 1
            status = Status.UNREACHABLE if bad else Status.ACCEPTED
            feed.finish(message, SendResult(message.key, status, raw="503", retry_after=9.0), trouble=bad)

    thread, results = LoopThread("test"), SimpleQueue[SendResult]()
    run = ThreadedRun(thread, iter(messages(500)), results, 4, drive)

    assert run.done.wait(10)
    assert isinstance(run.error, ProviderDown)
    assert run.error.retry_after == 9.0
    sent = [result for result in drain(results) if result.raw == "503"]
    assert len(sent) == 2 * DOWN_AFTER
    thread.close(_nothing)


def test_a_message_put_back_is_the_next_one_taken():
    order: list[int] = []

    async def drive(feed: Feed) -> None:
        again = True
        while (message := await feed.take()) is not None:
            order.append(message.key)
            if message.key == 2 and again:
                again = False
                feed.put_back(message)
                continue
            feed.finish(message, SendResult(message.key, Status.ACCEPTED))

    thread, results = LoopThread("test"), SimpleQueue[SendResult]()
    run = ThreadedRun(thread, iter(messages(5)), results, 3, drive)

    assert run.done.wait(10)
    assert order == [0, 1, 2, 2, 3, 4]
    assert len(drain(results)) == 5
    thread.close(_nothing)


def test_after_a_fork_the_loop_is_a_new_one():
    thread = LoopThread("test")
    first = thread.loop()
    assert thread.loop() is first
    thread._pid += 1  # what a child sees: threads do not survive a fork
    second = thread.loop()

    assert second is not first
    assert asyncio.run_coroutine_threadsafe(_nothing(), second).result(5) is None
    thread.close(_nothing)
    first.call_soon_threadsafe(first.stop)


async def _nothing() -> None:
    return None
