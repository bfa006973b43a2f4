"""What is counted is what the rows say, through failures and lost leases."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from alerting import outlets
from alerting.authoring.issue import urgency
from alerting.config import Settings
from alerting.fanout.drain import Drain
from alerting.fanout.sweep import Sweep
from alerting.store.counters import BEYOND, BOUNDS, Results
from alerting.store.deliveries import Outcome
from alerting.store.notices import NOTICE_PRIORITY
from alerting.store.states import DeliveryStatus, Workspace
from alerting.tracking import receipts
from channels.base import ReceiptEvent, Status
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country
from tests.fanout.test_drain import drained, due_now, expand_all
from tests.metrics.conftest import Look


def of_channel(country: Country, where: str = "true") -> dict[str, int]:
    """Rows by channel, counted one by one."""
    return dict(
        country.rows(
            f"SELECT d.channel, count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE {where} GROUP BY 1"
        )  # type: ignore[arg-type]
    )


def test_after_a_drained_warning_the_figures_equal_the_rows(
    country: Country, wired: Settings, sandbox: Sandbox, look: Callable[[], Look]
) -> None:
    country.warn()
    expand_all()
    planned, before = of_channel(country), look()
    assert {name: before("alerting_queue_recipients", channel=name) for name in planned} == planned
    assert before("alerting_queue_recipients", severity="extreme", priority="0") == sum(planned.values())
    assert before("alerting_batches", channel="sms", state="ready") > 1
    assert not before.has("alerting_sends_total")

    for channel in planned:
        drained(wired, channel)
    Sweep(wired).count()
    Sweep(wired).count()  # what was counted is not counted again
    after = look()
    accepted = of_channel(country, "v.status = 'accepted'")
    assert accepted == planned
    for channel, provider in (("sms", "twilio"), ("email", "smtp")):
        labels = {"channel": channel, "audience": "public", "provider": provider, "reason": ""}
        assert after("alerting_sends_total", outcome="accepted", **labels) == accepted[channel]
        assert after("alerting_issue_to_accepted_seconds_count", channel=channel) == accepted[channel]
        assert (
            after("alerting_issue_to_accepted_seconds_bucket", channel=channel, le="+Inf")
            == accepted[channel]
        )
    assert after("alerting_queue_recipients") == 0
    assert after("alerting_batches") == 0


def test_latency_counts_from_the_issue_and_its_quantiles_are_shown(
    country: Country, wired: Settings, sandbox: Sandbox, look: Callable[[], Look]
) -> None:
    country.warn()
    expand_all()
    country.run("UPDATE dispatch SET created_at = created_at - interval '100 s'")
    drained(wired)
    Sweep(wired).count()
    found = look()
    n = found("alerting_issue_to_accepted_seconds_count", channel="sms")
    assert found("alerting_issue_to_accepted_seconds_bucket", channel="sms", le="60") == 0
    assert found("alerting_issue_to_accepted_seconds_bucket", channel="sms", le="120") == n
    assert 100 <= found("alerting_issue_to_accepted_seconds_sum", channel="sms") / n < 120
    for q in ("0.5", "0.95", "0.99"):
        assert 60 < found("alerting_issue_to_accepted_last_hour_seconds", channel="sms", quantile=q) <= 120


def test_failures_are_counted_by_outcome_and_reason(
    country: Country, wired: Settings, sandbox: Sandbox, look: Callable[[], Look]
) -> None:
    country.warn()
    expand_all()
    sandbox.misbehave(
        Rule("sms", http=429, code=20429, retry_after=0.1, times=30),
        Rule("sms", http=400, code=21211, times=2),
        Rule("sms", http=400, code=21610, times=3),
    )
    drained(wired)
    due_now(country)
    drained(wired)
    Sweep(wired).count()
    found = look()
    rows = dict(country.rows("SELECT CAST(v.status AS text), count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' GROUP BY 1"))  # fmt: skip
    sends = {o: found("alerting_sends_total", channel="sms", outcome=o) for o in ("accepted", "rejected", "opted_out", "deferred")}  # fmt: skip
    assert sends == {**rows, "deferred": 30}
    assert found("alerting_sends_total", outcome="rejected", reason="invalid_address") == 2


def test_a_worker_killed_in_mid_batch_takes_no_count_with_it(
    country: Country, wired: Settings, sandbox: Sandbox, look: Callable[[], Look]
) -> None:
    country.warn()
    expand_all(1_000)
    sandbox.misbehave(Rule("sms", latency=0.02))
    killed = Drain("sms", outlets.channels_from(wired)["sms"], wired)
    assert killed._claim()
    killed.flushed_at = killed.clock()
    killed.active[0].allowed = 20
    run = killed.adapter.open(killed.stream, killed.results)
    end = time.monotonic() + 10
    while killed.active[0].settled < 20 and time.monotonic() < end:
        killed._collect()
        time.sleep(0.01)
    killed._flush()
    killed.stream.close()
    assert run.done.wait(10)  # nothing that came back since the flush is written: the worker is dead
    flushed = of_channel(country, "v.status = 'accepted'")["sms"]
    assert flushed == 20

    leases = country.one("SELECT count(*) FROM batch WHERE state = 'leased'")
    country.run("UPDATE batch SET lease_until = now() - interval '2 s' WHERE state = 'leased'")
    assert look()("alerting_lease_overdue_seconds", channel="sms") > 1
    sandbox.reset()
    swept = Sweep(wired)
    swept.recover()
    assert look()("alerting_sends_total", channel="sms", outcome="accepted") == flushed
    country.run("UPDATE batch SET state = 'leased', token = gen_random_uuid(), lease_until = now() - interval '1 s' WHERE picked IS NULL AND attempts = 1")  # fmt: skip
    swept.recover()  # lost again before a word was written: nothing to count
    assert look()("alerting_sends_total", channel="sms", outcome="accepted") == flushed
    drained(wired)
    swept.count()
    found = look()
    assert found("alerting_sends_total", channel="sms", outcome="accepted") == of_channel(country)["sms"]
    assert found("alerting_issue_to_accepted_seconds_count", channel="sms") == of_channel(country)["sms"]
    assert found("alerting_leases_lost_total", channel="sms") == 2 * leases > 0
    doubtful = of_channel(country, "maybe_repeated")["sms"]
    assert found("alerting_in_doubt_total", channel="sms") == 2 * doubtful > 0  # in doubt at each loss


def test_a_lost_reply_is_counted_as_ambiguous() -> None:
    lost = Outcome(1, DeliveryStatus.PLANNED, "connection_lost", None, ambiguous=True)
    later = Outcome(2, DeliveryStatus.PLANNED, None, None, ambiguous=False)
    found = Results().plus("twilio", [lost, later], 1.0).plus("twilio", [lost], 2.0)
    assert found.sends == {"twilio:ambiguous:connection_lost": 2, "twilio:deferred:": 1}
    assert found.latency == {}


def test_each_latency_falls_into_the_class_up_to_its_bound() -> None:
    good = Outcome(1, DeliveryStatus.ACCEPTED, None, "SM1", ambiguous=False)
    found = Results()
    for age in (0.0, BOUNDS[0], BOUNDS[0] + 0.001, 3.0, BOUNDS[-1] + 1):
        found = found.plus("twilio", [good], age)
    assert found.latency == {"0.25": 2, "0.5": 1, "3": 1, BEYOND: 1}
    assert found.sends == {"twilio:accepted:": 5}


def test_what_waits_is_shown_with_its_age(
    country: Country, wired: Settings, look: Callable[[], Look]
) -> None:
    country.warn(priority=27)
    country.run("UPDATE dispatch SET created_at = now() - interval '40 s'")
    found = look()
    assert 40 <= found("alerting_oldest_unplanned_dispatch_seconds", channel="sms") < 60
    assert found("alerting_dispatches", state="planning") == 2
    country.run("UPDATE dispatch SET priority = 3, ranges = 1 WHERE channel = 'email'")
    assert (
        look()("alerting_oldest_unplanned_dispatch_seconds") == 0
    )  # behind mail that is more urgent, and at work
    country.run("UPDATE dispatch SET priority = 27, ranges = 0")
    expand_all()
    country.run("UPDATE batch SET ready_at = now() - interval '9 s'")
    country.run(
        "UPDATE batch SET not_before = now() + interval '1 hour' WHERE id IN (SELECT min(id) FROM batch GROUP BY dispatch)"
    )
    country.run("UPDATE dispatch SET state = 'held' WHERE channel = 'email'")
    found = look()
    assert found("alerting_oldest_unplanned_dispatch_seconds") == 0
    assert 9 <= found("alerting_oldest_ready_batch_seconds", channel="sms") < 30
    assert found("alerting_oldest_ready_batch_seconds", channel="email") == 0
    assert found("alerting_batches", channel="sms", state="deferred") == 1
    assert found("alerting_dispatches", channel="email", state="held") == 1
    assert found("alerting_queue_recipients", severity="severe", channel="sms") == of_channel(country)["sms"]


def test_an_exercise_that_waits_is_no_answer_to_a_citizen_and_no_warning(
    country: Country, look: Callable[[], Look]
) -> None:
    country.warn(priority=urgency(27, Workspace.EXERCISE))
    expand_all()
    n = sum(of_channel(country).values())
    found = look()
    assert found("alerting_queue_recipients", severity="exercise", priority="227") == n > 0
    assert found("alerting_queue_recipients") == n
    country.run("UPDATE dispatch SET priority = :notice", notice=NOTICE_PRIORITY)
    assert look()("alerting_queue_recipients", severity="notice", priority="1000") == n


def test_receipts_are_counted_by_what_they_made_of_deliveries(
    country: Country, wired: Settings, sandbox: Sandbox, look: Callable[[], Look]
) -> None:
    country.warn()
    expand_all()
    drained(wired)
    dispatch = country.one("SELECT id FROM dispatch WHERE channel = 'sms'")
    assert look()("alerting_receipts_total", outcome="delivered") == 0
    words = {1: Status.DELIVERED, 2: Status.DELIVERED, 3: Status.UNDELIVERED, 4: Status.ACCEPTED}
    events = [
        ReceiptEvent("twilio", f"e{n}", f"{dispatch}.{n}", word, None, None, {}) for n, word in words.items()
    ]
    receipts.record([*events, events[0]], now=datetime.now(UTC))
    assert look()("alerting_receipts_waiting") == 4
    Sweep(wired).apply_receipts()
    found = look()
    assert found("alerting_receipts_waiting") == 0
    assert found("alerting_receipts_total", channel="sms", provider="twilio", outcome="delivered") == 2
    assert found("alerting_receipts_total", channel="sms", provider="twilio", outcome="undelivered") == 1
    assert found("alerting_receipts_total") == 3


def test_what_an_older_version_counted_of_receipts_keeps_its_outcome(
    country: Country, look: Callable[[], Look]
) -> None:
    country.run("INSERT INTO metric (name, labels, n) VALUES ('receipts', '{delivered}', 5)")
    found = look()
    assert found("alerting_receipts_total", channel="", provider="", outcome="delivered") == 5
    assert found("alerting_receipts_total", channel="delivered") == 0
