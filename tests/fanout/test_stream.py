"""The stream between drain and adapter: what it may hand out, and when it stops."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from alerting.fanout.stream import Load, Stream
from alerting.store.batches import Lease
from channels.base import Content, Message

TEXT = Content("text", "en", segments=2)


def load(
    count: int, *, allowed: int | None = None, deadline: float = 60, expires: float = 60, **more: float
) -> Load:
    now = time.monotonic()
    return Load(
        lease=Lease(1, 1, 1, count, None, uuid4(), count, 0, 1, datetime.now(UTC)),
        base=100,
        messages=[Message(100 + i, f"1.{i + 1}", "x", TEXT) for i in range(count)],
        ns=list(range(1, count + 1)),
        attempts=[0] * count,
        repeated=[False] * count,
        addresses=[None] * count,
        allowed=count if allowed is None else allowed,
        deadline=now + deadline,
        expires=now + expires,
        expires_at=datetime.now(UTC),
        **more,  # type: ignore[arg-type]
    )


def take(stream: Stream, seconds: float) -> list[int]:
    """Keys that the stream hands out within some seconds."""
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.extend(message.key for message in stream))
    thread.start()
    thread.join(seconds)
    stream.close()
    thread.join(5)
    assert not thread.is_alive()
    return taken


def test_messages_come_in_order_over_loads() -> None:
    stream = Stream()
    first, second = load(3), load(2)
    second.base = 200
    second.messages = [Message(200 + i, "1.1", "x", TEXT) for i in range(2)]
    stream.put(first)
    stream.put(second)
    assert take(stream, 0.1) == [100, 101, 102, 200, 201]
    assert first.spent
    assert second.spent


def test_nothing_is_handed_out_past_the_allowance_until_it_moves() -> None:
    stream, batch = Stream(), load(10, allowed=4)
    stream.put(batch)
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.extend(message.key for message in stream))
    thread.start()
    stream.attention(1)
    time.sleep(0.05)
    assert len(taken) == 4
    stream.allow(batch, 7, time.monotonic() + 60)
    time.sleep(0.05)
    assert len(taken) == 7
    stream.close()
    thread.join(5)
    assert batch.taken == 7


def test_a_stopped_load_hands_out_nothing_more() -> None:
    stream, batch = Stream(), load(10, allowed=4)
    stream.put(batch)
    assert [next(stream).key, next(stream).key] == [100, 101]
    stream.stop(batch)
    assert take(stream, 0.1) == []
    assert batch.spent
    assert not batch.ended
    batch.settled = 2
    assert batch.ended


def test_the_leases_deadline_ends_a_load_by_the_monotonic_clock() -> None:
    stream, batch = Stream(), load(10, deadline=-0.001)
    stream.put(batch)
    assert take(stream, 0.1) == []
    assert batch.stopped


def test_nothing_is_handed_out_after_expiry() -> None:
    stream, batch = Stream(), load(10, expires=-0.001)
    stream.put(batch)
    assert take(stream, 0.1) == []
    assert batch.expired_from == 0


@pytest.mark.parametrize("rate", [40.0, 100.0])
def test_the_pace_counts_sms_segments_and_is_never_exceeded(rate: float) -> None:
    stream, batch = Stream(), load(1000, spacing=1 / rate)
    stream.put(batch)
    taken = len(take(stream, 0.5))
    assert taken <= 0.5 * rate / TEXT.segments + 1
    assert taken >= 0.3 * rate / TEXT.segments


def test_the_first_message_waits_for_its_reserved_time() -> None:
    stream, batch = Stream(), load(3, spacing=0.001, next_at=time.monotonic() + 0.15)
    stream.put(batch)
    started = time.monotonic()
    next(stream)
    assert time.monotonic() - started >= 0.14
