"""What every addressed channel promises; each test runs for each channel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from queue import SimpleQueue

import pytest

from channels.base import Message, Misconfigured, ProviderDown, Reason, SendResult, SourceFailed, Status
from channels.sandbox.script import Rule
from tests.contract.conftest import Trial, drained, wait_for


def test_two_thousand_messages_arrive_once_each_with_one_result_each(trial: Trial):
    run, results = trial.send(trial.channel(32), trial.messages(2000))

    assert run.error is None
    assert sorted(results) == list(range(2000))
    assert {result.status for result in results.values()} == {Status.ACCEPTED}
    assert len({result.reference for result in results.values()}) == 2000
    assert trial.sandbox.counts(trial.rig.name) == {trial.rig.to(n): 1 for n in range(2000)}


def test_messages_leave_in_the_order_in_which_they_are_taken(trial: Trial):
    trial.send(trial.channel(in_flight=1), trial.messages(20))

    assert trial.received() == [trial.rig.to(n) for n in range(20)]


def test_no_more_is_taken_than_may_be_in_flight(trial: Trial):
    channel = trial.channel(in_flight=6)
    trial.sandbox.misbehave(Rule(trial.rig.name, latency=0.002))
    results: SimpleQueue[SendResult] = SimpleQueue()
    ahead: list[int] = []

    def lazily() -> Iterator[Message]:
        for n in range(120):
            ahead.append(n + 1 - results.qsize())
            yield trial.message(n)

    run = channel.open(lazily(), results)

    assert run.done.wait(30)
    assert len(drained(results)) == 120
    assert max(ahead) == channel.limits.in_flight


def test_the_first_results_come_while_the_iterator_still_blocks(trial: Trial):
    gate = threading.Event()

    def paced() -> Iterator[Message]:
        yield trial.message(0)
        gate.wait(30)
        yield trial.message(1)

    results: SimpleQueue[SendResult] = SimpleQueue()
    run = trial.channel().open(paced(), results)

    assert results.get(timeout=10).key == 0
    assert not run.done.is_set()
    gate.set()
    assert run.done.wait(10)
    assert results.get_nowait().key == 1


def test_the_iterator_is_pulled_from_one_thread_that_is_not_an_event_loop(trial: Trial):
    threads: set[int] = set()

    def watched() -> Iterator[Message]:
        for n in range(50):
            threads.add(threading.get_ident())
            yield trial.message(n)

    trial.send(trial.channel(), watched())

    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_stop_returns_what_was_not_started_and_lets_the_rest_end(trial: Trial):
    channel = trial.channel(in_flight=8)
    trial.sandbox.misbehave(Rule(trial.rig.name, latency=0.03))
    results: SimpleQueue[SendResult] = SimpleQueue()
    taken: list[int] = []

    def noted() -> Iterator[Message]:
        for n in range(500):
            taken.append(n)
            yield trial.message(n)

    run = channel.open(noted(), results)
    wait_for(lambda: results.qsize() >= 3)
    returned = [message.key for message in run.stop()]

    answered = drained(results)
    assert run.done.is_set()
    assert run.error is None
    assert returned == sorted(returned)
    assert sorted([*answered, *returned]) == taken
    assert len(taken) < 500
    assert {result.status for result in answered.values()} == {Status.ACCEPTED}
    assert sorted(trial.received()) == sorted(trial.rig.to(n) for n in answered)


def test_stop_waits_for_a_next_under_way_and_returns_its_message(trial: Trial):
    entered, gate = threading.Event(), threading.Event()

    def blocking() -> Iterator[Message]:
        yield trial.message(0)
        entered.set()
        gate.wait(30)
        yield trial.message(1)
        pytest.fail("taken after stop")

    results: SimpleQueue[SendResult] = SimpleQueue()
    run = trial.channel().open(blocking(), results)
    assert entered.wait(10)
    wait_for(lambda: results.qsize() == 1)
    threading.Timer(0.05, gate.set).start()

    assert [message.key for message in run.stop()] == [1]
    assert list(drained(results)) == [0]


def test_stop_after_the_end_returns_nothing(trial: Trial):
    run, results = trial.send(trial.channel(), trial.messages(3))

    assert run.stop() == []
    assert run.stop() == []
    assert len(results) == 3


def test_an_empty_iterator_ends_the_run_at_once(trial: Trial):
    run, results = trial.send(trial.channel(), [])

    assert run.error is None
    assert results == {}


def test_an_iterator_that_raises_ends_the_run_after_what_it_gave(trial: Trial):
    def broken() -> Iterator[Message]:
        yield from trial.messages(5)
        raise LookupError("secret@example.org")

    run, results = trial.send(trial.channel(), broken())

    assert isinstance(run.error, SourceFailed)
    assert isinstance(run.error.__cause__, LookupError)
    assert "secret" not in str(run.error)
    assert {result.status for result in results.values()} == {Status.ACCEPTED}
    assert len(results) == 5


def test_a_throttled_message_is_a_result_and_the_others_pass(trial: Trial):
    trial.sandbox.misbehave(trial.rig.throttled)
    run, results = trial.send(trial.channel(), trial.messages(20))

    assert run.error is None
    odd = [result for result in results.values() if result.status is not Status.ACCEPTED]
    assert [result.status for result in odd] == [Status.THROTTLED]
    assert odd[0].retry_after == trial.rig.throttled.retry_after
    assert len(trial.received()) == 19


def test_an_error_of_the_server_before_acceptance_is_unreachable(trial: Trial):
    trial.sandbox.misbehave(trial.rig.server_error)
    run, results = trial.send(trial.channel(), trial.messages(20))

    assert run.error is None
    odd = [(r.status, r.reason) for r in results.values() if r.status is not Status.ACCEPTED]
    assert odd == [(Status.UNREACHABLE, Reason.PROVIDER_ERROR)]
    assert len(trial.received()) == 19


def test_a_lost_reply_is_ambiguous_for_that_message_alone(trial: Trial):
    trial.sandbox.misbehave(trial.rig.lost_reply)
    run, results = trial.send(trial.channel(), trial.messages(40))

    assert run.error is None
    odd = [(r.status, r.reason) for r in results.values() if r.status is not Status.ACCEPTED]
    assert odd == [(Status.AMBIGUOUS, Reason.CONNECTION_LOST)]
    assert trial.sandbox.counts(trial.rig.name) == {trial.rig.to(n): 1 for n in range(40)}


def test_a_message_in_doubt_is_found_where_the_channel_finds_and_sent_again_where_not(trial: Trial):
    channel, began = trial.channel(), datetime.now(UTC)
    trial.sandbox.misbehave(trial.rig.lost_reply)
    trial.send(channel, trial.messages(1))
    _, results = trial.send(channel, iter([replace(trial.message(n), doubt_since=began) for n in range(2)]))

    assert {result.status for result in results.values()} == {Status.ACCEPTED}
    assert (results[0].found, results[1].found) == (channel.limits.finds, False)
    assert all(result.reference for result in results.values())
    times = 1 if channel.limits.finds else 2
    assert trial.sandbox.counts(trial.rig.name) == {trial.rig.to(0): times, trial.rig.to(1): 1}


def test_a_refused_recipient_is_final_and_the_others_pass(trial: Trial):
    rule, status = trial.rig.refused
    trial.sandbox.misbehave(rule)
    run, results = trial.send(trial.channel(), trial.messages(20))

    assert run.error is None
    assert sorted(r.status for r in results.values() if r.status is not Status.ACCEPTED) == [status]
    assert len(trial.received()) == 19


def test_a_provider_that_hangs_is_given_up_after_the_read_timeout(trial: Trial):
    trial.sandbox.misbehave(Rule(trial.rig.name, latency=3.0, times=1))
    run, results = trial.send(trial.channel(read_timeout=0.2), trial.messages(10))

    assert run.error is None
    odd = [(r.status, r.reason) for r in results.values() if r.status is not Status.ACCEPTED]
    assert odd == [(trial.rig.hanging, Reason.TIMED_OUT)]


def test_a_provider_that_is_not_there_ends_the_run_and_nothing_was_sent(trial: Trial):
    taken: list[int] = []

    def noted() -> Iterator[Message]:
        for n in range(10_000):
            taken.append(n)
            yield trial.message(n)

    run, results = trial.send(trial.keep(trial.rig.at_closed_port()), noted())

    assert isinstance(run.error, ProviderDown)
    assert sorted(results) == taken
    assert len(taken) < 1000
    assert {result.status for result in results.values()} == {Status.UNREACHABLE}


def test_wrong_credentials_end_the_run_and_nothing_was_sent(trial: Trial):
    run, results = trial.send(trial.keep(trial.rig.misconfigured()), trial.messages(10_000))

    assert isinstance(run.error, Misconfigured)
    assert "wrong" not in str(run.error).replace("is wrong", "")
    assert len(results) < 1000
    assert {result.status for result in results.values()} == {Status.UNREACHABLE}
    assert trial.received() == []


def test_a_message_whose_time_is_over_is_not_sent(trial: Trial):
    _, results = trial.send(trial.channel(), [trial.message(0, validity=0.0), trial.message(1)])

    assert (results[0].status, results[0].reason) == (Status.REJECTED, Reason.EXPIRED)
    assert trial.received() == [trial.rig.to(1)]


def test_one_channel_carries_run_after_run(trial: Trial):
    channel = trial.channel()
    for _ in range(3):
        run, results = trial.send(channel, trial.messages(10))
        assert run.error is None
        assert len(results) == 10
    channel.close()
    run, results = trial.send(channel, trial.messages(10))

    assert run.error is None
    assert trial.sandbox.counts(trial.rig.name) == {trial.rig.to(n): 4 for n in range(10)}


def test_two_runs_at_once_do_not_mix(trial: Trial):
    channel = trial.channel()
    queues: list[SimpleQueue[SendResult]] = [SimpleQueue(), SimpleQueue()]
    runs = [channel.open(trial.messages(200), results) for results in queues]

    for run, results in zip(runs, queues, strict=True):
        assert run.done.wait(30)
        assert len(drained(results)) == 200


def test_no_result_and_no_error_names_an_address(trial: Trial):
    rule, _ = trial.rig.refused
    trial.sandbox.misbehave(rule, trial.rig.lost_reply)
    _, results = trial.send(trial.channel(), trial.messages(10))
    run, _ = trial.send(trial.keep(trial.rig.at_closed_port()), trial.messages(10))

    written = " ".join(result.raw for result in results.values()) + str(run.error)
    assert "@" not in written
    assert "+1555" not in written
