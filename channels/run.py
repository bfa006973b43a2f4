"""One Run of an addressed channel: a feeder thread that takes messages, an event loop that sends them.

Owns what every adapter shares: taking lazily and in order, waking the loop seldom, counting what is in flight, stopping.
Must not import a provider or anything of the service. Invariant: a message taken gets exactly one SendResult, or is
returned by `stop()`; taken minus answered never exceeds `in_flight`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from queue import SimpleQueue
from typing import Any

from channels.base import Message, Misconfigured, ProviderDown, Reason, SendResult, SourceFailed, Status

# So many sends in a row that failed because of the provider, not of a recipient, mean that it is down. Less would let
# a single dropped connection of a few messages end a Run; much more would mark many deliveries as doubtful.
DOWN_AFTER = 16

log = logging.getLogger(__name__)

Fatal = Misconfigured | ProviderDown | SourceFailed


class LoopThread:
    """An event loop in a daemon thread, started when first asked for, and again after a fork."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop of this process."""
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_turn, args=(loop,), name=self._name, daemon=True)
                self._thread.start()
                self._loop, self._pid = loop, os.getpid()
            return self._loop

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `last()` in the loop if it turns, then end the loop and its thread."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is None or thread is None or self._pid != os.getpid():
            return
        asyncio.run_coroutine_threadsafe(last(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


class Feed:
    """The loop's side of a Run: what its workers take messages from and put results into."""

    def __init__(
        self,
        messages: Iterator[Message],
        results: SimpleQueue[SendResult],
        in_flight: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._messages = messages
        self._results = results
        self._in_flight = in_flight
        self.loop = loop
        self._ready: deque[Message] = (
            deque()
        )  # taken, not started; appended by the feeder, popped by the loop
        self._waiters: deque[asyncio.Future[None]] = deque()  # workers without a message
        self._started: dict[int, Message] = {}  # by identity: what still owes a result
        self._taken = 0  # written by the feeder only
        self._answered = 0  # written by the loop only
        self._troubles = 0  # failures of the provider in a row
        self._room = threading.Event()
        self._full = False  # the feeder waits for room
        self._waking = False  # a _wake is under way to the loop
        self._exhausted = asyncio.Event()
        self.closing = False  # nothing more is started
        self.error: Fatal | None = None

    # ---- for the workers, in the loop ----

    async def take(self) -> Message | None:
        """The next message, which then owes a result; None when there will be none."""
        while True:
            message = self.take_nowait()
            if message is not None or self.closing or (self._exhausted.is_set() and not self._ready):
                return message
            waiter = self.loop.create_future()
            self._waiters.append(waiter)
            # The feeder looks at the waiters after it appended; looking again after that closes the gap.
            if self._ready:
                self._wake()
            await waiter

    def take_nowait(self) -> Message | None:
        """The next message if one is ready."""
        if self.closing or not self._ready:
            return None
        message = self._ready.popleft()
        self._started[id(message)] = message
        return message

    def put_back(self, message: Message) -> None:
        """Undo a `take`: nothing of this message has left the house."""
        del self._started[id(message)]
        self._ready.appendleft(message)
        self._wake()

    def finish(self, message: Message, result: SendResult, *, trouble: bool = False) -> None:
        """Put the one result of `message`; `trouble` says that the provider failed, not the recipient."""
        del self._started[id(message)]
        self._results.put(result)
        self._answered += 1
        if trouble:
            self._troubles += 1
            if self._troubles == DOWN_AFTER:
                self.fail(
                    ProviderDown(f"{DOWN_AFTER} sends in a row failed: {result.raw}", result.retry_after)
                )
        else:
            self._troubles = 0
        if self._full:
            # Once a turn of the loop, however many were answered in it: waking a thread costs more than a send.
            self._full = False
            self.loop.call_soon(self._room.set)

    def fail(self, error: Fatal) -> None:
        """End the Run: what is in flight is finished, nothing is started."""
        if self.error is None:
            self.error = error
        self.close()

    def close(self) -> None:
        """Start nothing more."""
        self.closing = True
        self._room.set()
        self._wake()

    # ---- for the feeder thread ----

    def pump(self) -> None:
        """Take messages as long as there is room, until they end or the Run does."""
        failure: SourceFailed | None = None
        try:
            while not self.closing:
                if self._taken - self._answered >= self._in_flight:
                    self._wait_for_room()
                    continue
                message = next(self._messages, None)
                if message is None:
                    break
                self._taken += 1
                self._ready.append(message)
                if self._waiters and not self._waking:
                    self._waking = True
                    self.loop.call_soon_threadsafe(self._wake)
        except Exception as error:  # noqa: BLE001  # the caller's iterator may raise anything; it becomes the Run's error
            failure = SourceFailed(f"the iterator of messages raised {type(error).__name__}")
            failure.__cause__ = error
        self.loop.call_soon_threadsafe(self._end, failure)

    def _wait_for_room(self) -> None:
        self._room.clear()
        self._full = True
        # What was answered between the look and the flag has not set the event.
        if self._taken - self._answered >= self._in_flight and not self.closing:
            self._room.wait()

    # ---- in the loop ----

    def _wake(self) -> None:
        self._waking = False
        wanted = len(self._waiters) if self.closing or self._exhausted.is_set() else len(self._ready)
        while wanted > 0 and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                wanted -= 1

    def _end(self, failure: SourceFailed | None) -> None:
        self._exhausted.set()
        if failure is not None and self.error is None:
            self.error = failure  # what was taken before is still sent
        self._wake()

    async def settle(self) -> list[Message]:
        """Wait for the feeder, answer for what a broken worker left open; return what was taken but not started."""
        await self._exhausted.wait()
        for message in list(self._started.values()):
            self.finish(
                message, SendResult(message.key, Status.AMBIGUOUS, Reason.OTHER, raw="internal error")
            )
        left = list(self._ready)
        self._ready.clear()
        return left

    def disown(self, messages: list[Message]) -> None:
        """Answer for messages that will not be started because the Run failed."""
        for message in messages:
            self._results.put(
                SendResult(message.key, Status.UNREACHABLE, Reason.PROVIDER_ERROR, raw="not started")
            )


class ThreadedRun:
    """A Run in an adapter's LoopThread: `drive` sends what its Feed gives, and returns when the Feed gives no more."""

    def __init__(
        self,
        thread: LoopThread,
        messages: Iterator[Message],
        results: SimpleQueue[SendResult],
        in_flight: int,
        drive: Callable[[Feed], Coroutine[Any, Any, None]],
    ) -> None:
        self.done = threading.Event()
        self.error: Fatal | None = None
        self._loop = thread.loop()
        self._feed = Feed(messages, results, in_flight, self._loop)
        self._drive = drive
        self._stopping = False
        self._left: list[Message] = []
        asyncio.run_coroutine_threadsafe(self._main(), self._loop)
        threading.Thread(target=self._feed.pump, name="feeder", daemon=True).start()

    def stop(self) -> list[Message]:
        """See channels.base.Run."""
        self._stopping = True
        if not self.done.is_set():
            self._loop.call_soon_threadsafe(self._feed.close)
        self.done.wait()
        return list(self._left)

    async def _main(self) -> None:
        feed = self._feed
        try:
            await self._drive(feed)
        except (Misconfigured, ProviderDown) as error:
            feed.fail(error)
        except Exception as error:  # noqa: BLE001  # a fault of the adapter must end the Run, or its caller waits for ever
            # No traceback and no text: they may hold an address.
            log.error("channel run broke: %s at %s", type(error).__name__, _place(error))  # noqa: TRY400  # see above
            feed.fail(ProviderDown(f"internal error: {type(error).__name__}"))
        feed.close()
        left = await feed.settle()
        if self._stopping:
            self._left = left
        else:
            feed.disown(left)
        self.error = feed.error
        self.done.set()


def _place(error: BaseException) -> str:
    """File and line where `error` was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"


async def gather(workers: list[Coroutine[Any, Any, None]]) -> None:
    """Run workers to their end; the first that raises cancels the others and is raised."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
