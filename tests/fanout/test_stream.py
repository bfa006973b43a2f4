"""The stream between drain and adapter: what it may hand out, and when it stops."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from uuid import uuid4

import pytest

from alerting.fanout.pace import Grant
from alerting.fanout.stream import Load, Stream, Thirst
from alerting.store.batches import Lease
from channels.base import Content, Message

TEXT = Content("text", "en", segments=2)


def load(
    count: int,
    *,
    allowed: int | None = None,
    deadline: float = 60,
    expires: float = 60,
    priority: int = 0,
    age: float = 0,
) -> Load:
    now = time.monotonic()
    return Load(
        lease=Lease(1, 1, 1, count, None, uuid4(), count, priority, 1, datetime.now(UTC)),
        base=100,
        messages=[Message(100 + i, f"1.{i + 1}", "x", TEXT, validity=expires) for i in range(count)],
        ns=list(range(1, count + 1)),
        attempts=[0] * count,
        repeated=[False] * count,
        addresses=[None] * count,
        allowed=count if allowed is None else allowed,
        deadline=now + deadline,
        expires=[now + expires] * count,
        expires_at=[datetime.now(UTC)] * count,
        opened=now - age,
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


def test_nothing_is_handed_out_in_the_last_second_of_its_text() -> None:
    stream, batch = Stream(), load(10, expires=0.95)
    stream.put(batch)
    assert take(stream, 0.1) == []
    assert batch.expired == list(range(1, 11))
    assert batch.ended


def test_only_what_has_expired_is_left_out_of_a_batch_of_two_texts() -> None:
    stream, batch = Stream(), load(10)
    batch.expires[:5] = [time.monotonic()] * 5
    stream.put(batch)
    assert take(stream, 0.1) == list(range(105, 110))
    assert batch.expired == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("age", "validity"), [(0.0, 30.0), (5.0, 20.0)])
def test_what_has_waited_is_valid_for_as_much_less(age: float, validity: float) -> None:
    stream, batch = Stream(), load(1, expires=30, age=age)
    batch.expires = [time.monotonic() + 20]
    stream.put(batch)
    assert next(stream).validity == pytest.approx(validity, abs=0.1)


def test_the_more_urgent_load_goes_first_and_equals_in_their_order() -> None:
    stream = Stream()
    loads = [load(1, priority=priority) for priority in (50, 1, 50, 20, 1)]
    for i, each in enumerate(loads):
        each.messages = [Message(i, "1.1", "x", TEXT)]
        stream.put(each)
    assert take(stream, 0.1) == [1, 4, 3, 0, 2]


def granted(stream: Stream, tokens: int, rate: float, *, after: float = 0.0) -> None:
    """A grant as a sender's row gives it; the database's clock is a thousand seconds behind."""
    told = time.monotonic() - 1000
    stream.grant(Grant(1, told + after, tokens, 1 / rate, told), time.monotonic())


def test_without_slots_nothing_leaves_and_the_drain_is_told() -> None:
    stream, batch = Stream(), load(10)
    stream.keep_pace(paced=True)
    stream.put(batch)
    assert stream.thirst(5) == Thirst(tokens=6, priority=0, more=True, least=2)  # three texts of two segments
    granted(stream, 6, 1e6)
    assert stream.thirst(5) is None
    assert stream.thirst(100) == Thirst(tokens=14, priority=0, more=False, least=2)
    assert take(stream, 0.1) == [100, 101, 102]


def test_a_message_waits_for_its_slot_and_uses_one_for_each_segment() -> None:
    stream, batch = Stream(), load(100)
    stream.keep_pace(paced=True)
    stream.put(batch)
    granted(stream, 40, 100, after=0.1)
    started, times = time.monotonic(), []
    for _ in range(10):
        next(stream)
        times.append(time.monotonic() - started)
    assert times[0] >= 0.099
    gaps = [b - a for a, b in pairwise(times)]
    assert times[-1] == pytest.approx(0.1 + 9 * 0.02, abs=0.03)
    assert min(gaps) > 0.005


def test_an_urgent_load_uses_the_slots_that_were_granted_for_another() -> None:
    stream = Stream()
    stream.keep_pace(paced=True)
    minor, extreme = load(100, priority=90), load(5, priority=0)
    extreme.base, extreme.messages = 900, [Message(900 + i, "1.1", "x", TEXT) for i in range(5)]
    stream.put(minor)
    granted(stream, 20, 1e6)
    stream.put(extreme)
    assert take(stream, 0.1)[:5] == [900, 901, 902, 903, 904]


def test_without_a_pace_any_longer_messages_flow_again() -> None:
    stream = Stream()
    stream.keep_pace(paced=True)
    stream.put(load(3))
    stream.keep_pace(paced=False)
    assert take(stream, 0.1) == [100, 101, 102]
