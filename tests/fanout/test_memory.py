"""What a worker holds is a second of sending, whatever waits behind it: fanout.million_rss is the same at full size."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import SimpleQueue

from alerting.config import Settings
from alerting.fanout import expand
from alerting.fanout.drain import Drain
from bench.drain import Instant, InstantRun
from channels.base import Message, SendResult
from tests.fanout.country import Country

#: Rows of a batch, and seconds that the provider takes for a message.
BATCH, PACE = 10, 0.005


class Slow(Instant):
    """A provider that takes its time, and looks how much the drain holds meanwhile."""

    name = provider = "sms"

    def __init__(self) -> None:
        self.held: list[int] = []
        self.drain: Drain | None = None

    def open(self, messages: Iterator[Message], results: SimpleQueue[SendResult]) -> InstantRun:
        def slowly() -> Iterator[Message]:
            for message in messages:
                time.sleep(PACE)
                assert self.drain is not None
                # Those that wait, and those whose outcomes wait for the next flush.
                self.held.append(sum(len(load.messages) for load in self.drain.active))
                yield message

        return InstantRun(slowly(), results)


def test_a_drain_holds_what_it_sends_in_a_second_and_not_the_queue(
    country: Country, settings: Settings
) -> None:
    country.warn(squares=97, rows=1, columns=3)
    while expand.expand_next(lambda _: BATCH, now=datetime.now(UTC), percent=10):
        pass
    adapter = Slow()
    adapter.drain = Drain("sms", adapter, settings)
    assert adapter.drain.run() == 300
    second = int(1 / PACE)
    assert max(adapter.held) <= second + BATCH
