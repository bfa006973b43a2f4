"""Draining: everybody gets the text in the own language once, and every failure has its bound."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from alerting import outlets
from alerting.config import Settings
from alerting.fanout import expand, lookup, worker
from alerting.fanout.drain import Drain
from alerting.fanout.sweep import Sweep
from alerting.store import batches, deliveries, engine, senders
from alerting.store.engine import transaction
from alerting.store.states import Lane
from bench import population
from channels.sandbox.script import Rule
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country


def expand_all(size: int = 50) -> None:
    while expand.expand_next(lambda _: size, now=datetime.now(UTC), percent=10):
        pass


def drained(settings: Settings, channel: str = "sms", **more: object) -> Drain:
    adapter = outlets.channels_from(settings)[channel]
    one = Drain(channel, adapter, settings, **more)  # type: ignore[arg-type]
    one.run()
    return one


def due_now(country: Country) -> None:
    """Let retries that wait for their time be due."""
    country.run("UPDATE batch SET not_before = NULL")


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_everybody_planned_gets_exactly_one_message(
    country: Country, wired: Settings, sandbox: Sandbox, channel: str
) -> None:
    country.warn()
    expand_all()
    planned = country.one(
        "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = :c", c=channel
    )
    drained(wired, channel)
    counts = sandbox.counts(channel)
    assert len(counts) == planned
    assert set(counts.values()) == {1}
    done = country.rows(
        """SELECT v.status, v.attempts, v.maybe_repeated, count(*), count(v.reference) FROM delivery v
           JOIN dispatch d ON d.id = v.dispatch WHERE channel = :c GROUP BY 1, 2, 3""",
        c=channel,
    )
    assert done == [("accepted", 1, False, planned, planned)]
    assert country.tally_differs() == []
    assert country.rows(
        "SELECT DISTINCT b.state FROM batch b JOIN dispatch d ON d.id = b.dispatch WHERE channel = :c",
        c=channel,
    ) == [("done",)]


def test_each_reader_gets_the_own_language(country: Country, wired: Settings, sandbox: Sandbox) -> None:
    alert = country.warn()
    expand_all()
    drained(wired)
    link = f"https://warn.example/w/{alert.hex[:10]}"
    texts = {text.format(link=link): language for language, text in population.TEXTS.items()}
    got = {message.to: texts[message.text] for message in sandbox.received("sms")}
    for i, (to, language) in enumerate(got.items()):
        person = int(to.removeprefix("+4915"))
        assert language == population.LANGUAGES[person % 6], i
    assert len(set(got.values())) == 6


def test_a_text_that_is_not_the_approved_one_is_never_sent(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    country.run("ALTER TABLE rendering DISABLE TRIGGER rendering_never_updated")
    country.run(
        "UPDATE rendering SET text = 'Missiles. This is not a drill.' WHERE channel = 'sms' AND language = 'en'"
    )
    country.run("ALTER TABLE rendering ENABLE TRIGGER rendering_never_updated")
    drained(wired)
    assert sandbox.received("sms") == []
    assert country.rows("SELECT state FROM dispatch WHERE channel = 'sms'") == [("held",)]
    assert country.one("SELECT count(*) FROM audit WHERE act = 'dispatch.held'") == 1


def test_who_stopped_after_the_expansion_gets_nothing(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    stopped = {row[0] for row in country.rows("SELECT address FROM delivery WHERE n <= 20")}
    country.run("UPDATE address SET state = 'stopped' WHERE id = ANY(:ids)", ids=list(stopped))
    country.run("DELETE FROM address WHERE id IN (SELECT address FROM delivery WHERE n BETWEEN 21 AND 25)")
    drained(wired)
    reached = {int(number.removeprefix("+4915")) for number in sandbox.counts("sms")}
    assert not reached & stopped
    statuses = dict(country.rows("SELECT reason, count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms' AND v.status = 'opted_out' GROUP BY 1"))  # fmt: skip
    assert statuses == {"stopped": 20, "erased": 5}


def test_a_refused_recipient_fails_alone(country: Country, wired: Settings, sandbox: Sandbox) -> None:
    country.warn()
    expand_all()
    a, b = (f"+4915{row[0]:09}" for row in country.rows("SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms' AND n IN (3, 9) ORDER BY n"))  # fmt: skip
    sandbox.misbehave(Rule("sms", to=a, http=400, code=21610), Rule("sms", to=b, http=400, code=21211))
    drained(wired)
    rest = Counter(country.statuses())
    assert rest["opted_out"] == 1
    assert rest["rejected"] == 1
    assert dict(country.rows("SELECT state, count(*) FROM address WHERE state <> 'active' GROUP BY 1")) == {
        "stopped": 1,
        "dead": 1,
    }


def test_throttled_messages_are_sent_later_and_nobody_twice(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    sandbox.misbehave(Rule("sms", http=429, code=20429, retry_after=1.0, times=30))
    drained(wired)
    waiting = country.one(
        "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status = 'planned'"
    )
    assert waiting == 30
    assert (
        country.one(
            "SELECT count(*) FROM batch WHERE state = 'ready' AND not_before > now() + interval '0.2 s' AND picked IS NOT NULL"
        )
        >= 1
    )  # type: ignore[operator]
    due_now(country)
    drained(wired)
    assert country.one(
        "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status = 'accepted'"
    ) == len(sandbox.counts("sms"))
    assert set(sandbox.counts("sms").values()) == {1}


def test_an_sms_whose_reply_was_lost_is_found_at_the_provider_and_not_repeated(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    sandbox.misbehave(Rule("sms", drop=True, times=5), Rule("sms", drop=True, queued=True, times=3))
    drained(wired)
    assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'planned'") == 8
    due_now(country)
    drained(wired)
    found = country.rows("SELECT CAST(status AS text), reference FROM delivery WHERE maybe_repeated")
    assert [status for status, _ in found] == ["accepted"] * 8
    assert {sid for _, sid in found} <= {message.reference for message in sandbox.received("sms")}
    assert set(sandbox.counts("sms").values()) == {1}


def test_an_sms_that_the_provider_does_not_have_is_sent_again_as_often_as_it_is_lost(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    some = [f"+4915{row[0]:09}" for row in country.rows("SELECT address FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms' AND n <= 4")]  # fmt: skip
    for _ in range(2):
        sandbox.misbehave(*(Rule("sms", to=to, http=504) for to in some))
        drained(wired)
        assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'planned'") == 4
        due_now(country)
    sandbox.misbehave()
    drained(wired)
    assert set(country.rows("SELECT CAST(status AS text), attempts FROM delivery WHERE maybe_repeated")) == {
        ("accepted", 3)
    }
    assert set(sandbox.counts("sms").values()) == {1}


def test_a_provider_that_will_not_say_is_asked_for_a_bounded_time_and_then_sent_to(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    sandbox.misbehave(Rule("sms", drop=True, times=2))
    drained(wired)
    for _ in range(lookup.MOST - 1):
        sandbox.misbehave(Rule("sms", http=429, times=2))
        due_now(country)
        drained(wired)
        assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'planned'") == 2
    sandbox.misbehave(Rule("sms", drop=True, times=1))
    due_now(country)
    drained(wired)
    assert country.rows(
        "SELECT CAST(status AS text), count(*) FROM delivery WHERE maybe_repeated GROUP BY 1 ORDER BY 1"
    ) == [("accepted", 1), ("unconfirmed", 1)]
    assert sorted(sandbox.counts("sms").values())[-2:] == [2, 2]


def test_a_mail_whose_reply_was_lost_repeats_once_at_most_and_is_marked(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    sandbox.misbehave(Rule("email", drop=True, times=8))
    drained(wired, "email")
    assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated AND status = 'planned'") == 8
    sandbox.misbehave(Rule("email", drop=True, times=3))
    due_now(country)
    drained(wired, "email")
    assert country.rows(
        "SELECT CAST(status AS text), count(*) FROM delivery WHERE maybe_repeated GROUP BY 1 ORDER BY 1"
    ) == [
        ("accepted", 5),
        ("unconfirmed", 3),
    ]


def test_nothing_is_claimed_after_expiry_and_the_sweep_closes_it(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    country.run("UPDATE dispatch SET expires = now() - interval '1 s'")
    drained(wired)
    assert sandbox.received("sms") == []
    Sweep(wired).close_unsent()
    assert set(country.statuses()) == {"expired"}
    assert country.rows("SELECT DISTINCT state FROM dispatch") == [("done",)]
    assert country.tally_differs() == []


def test_a_segment_that_expires_in_mid_batch_ends_there(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.run("DELETE FROM follow WHERE cell IS NOT NULL")
    country.warn(hours=1.2 / 3600)
    expand_all(size=1_000)
    sandbox.misbehave(Rule("sms", latency=0.4))
    drained(replace(wired, sms_in_flight=4))
    statuses = country.rows(
        "SELECT CAST(v.status AS text) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms' GROUP BY 1 ORDER BY 1"
    )
    assert ("expired",) in statuses
    assert len(sandbox.received("sms")) <= 20
    assert country.tally_differs() == []


def test_a_withdrawn_warning_stops_within_one_flush(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn(squares=60)
    expand_all(size=1_000)
    sandbox.misbehave(Rule("sms", latency=0.1))
    slow = replace(wired, sms_in_flight=4)  # 40 a second
    worked = threading.Thread(target=drained, args=(slow,))
    worked.start()
    time.sleep(1.0)
    country.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    at = len(sandbox.received("sms"))
    worked.join(10)
    assert not worked.is_alive()
    assert at <= len(sandbox.received("sms")) <= at + 4 + 4 + 0.6 * 40
    Sweep(wired).close_unsent()
    statuses = country.statuses()
    assert statuses["withdrawn"] > 100
    assert set(statuses) == {"accepted", "withdrawn"}
    assert country.tally_differs() == []


def test_a_lost_lease_writes_nothing_more(country: Country, wired: Settings, sandbox: Sandbox) -> None:
    country.warn()
    expand_all(size=1_000)
    sandbox.misbehave(Rule("sms", latency=0.3))
    slow = replace(wired, sms_in_flight=4)
    worked = threading.Thread(target=drained, args=(slow,))
    worked.start()
    time.sleep(0.15)
    country.run("UPDATE batch SET token = gen_random_uuid() WHERE state = 'leased'")
    country.run("UPDATE batch SET not_before = now() + interval '1 h' WHERE state = 'ready'")
    worked.join(10)
    assert (
        country.one(
            "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status <> 'planned'"
        )
        == 0
    )
    assert country.one("SELECT count(*) FROM batch WHERE state = 'leased'") == 1


def test_rows_of_a_lost_lease_are_marked_up_to_the_allowance_and_sent_again(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all(size=1_000)
    with transaction() as session:
        dispatch = country.one("SELECT id FROM dispatch WHERE channel = 'sms'")
        from uuid import uuid4

        lease = batches.claim(session, dispatch, token=uuid4(), window=25)  # type: ignore[arg-type]
    assert lease is not None
    country.run("UPDATE batch SET lease_until = now() - interval '1 s' WHERE state = 'leased'")
    assert Sweep(wired).recover() == 1
    assert country.one("SELECT count(*) FROM delivery WHERE maybe_repeated") == 25
    drained(wired)
    assert set(sandbox.counts("sms").values()) == {1}
    with transaction() as session:
        assert batches.renew(session, lease, 25) is None
        assert batches.finish(session, lease) is False


def test_a_more_urgent_warning_interrupts_a_batch(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    minor = country.warn(squares=60, priority=40)
    expand_all(size=1_000)
    sandbox.misbehave(Rule("sms", latency=0.1))
    slow = replace(wired, sms_in_flight=4)
    worked = threading.Thread(target=drained, args=(slow,))
    worked.start()
    time.sleep(0.8)
    extreme = country.warn(priority=1)
    expand_all(size=1_000)
    before = len(sandbox.received("sms"))
    time.sleep(1.5)
    sandbox.misbehave()
    worked.join(30)
    order = [extreme.hex[:10] in message.text for message in sandbox.received("sms")]
    assert order.index(True) <= before + 40  # one flush window
    assert not all(order[order.index(True) :])  # what was interrupted went on afterwards
    assert set(Counter((m.to, extreme.hex[:10] in m.text) for m in sandbox.received("sms")).values()) == {1}
    assert minor != extreme


def test_wrong_credentials_give_the_provider_a_rest_and_lose_nothing(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    with transaction() as session:
        senders.ensure(session, channel="sms", provider="sms", name="default", rate=None)
    drained(replace(wired, twilio_auth_token="f" * 32))
    assert sandbox.received("sms") == []
    with transaction() as session:
        assert not senders.outlook(session, "sms")[0]
    assert set(country.statuses()) == {"planned"}
    country.run("UPDATE sender SET resting_until = NULL")
    due_now(country)
    drained(wired)
    assert (
        country.one(
            "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status = 'planned'"
        )
        == 0
    )
    assert country.one("SELECT failures FROM sender") == 0


def test_the_pace_is_shared_and_kept(country: Country, wired: Settings, sandbox: Sandbox) -> None:
    country.warn()
    expand_all(size=20)
    with transaction() as session:
        senders.ensure(session, channel="sms", provider="sms", name="default", rate=40.0)
    both = [threading.Thread(target=drained, args=(wired,), kwargs={"limit": 2.0}) for _ in range(2)]
    started = time.monotonic()
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(20)
    seconds = time.monotonic() - started
    sent = len(sandbox.received("sms"))
    assert 40 <= sent <= 40 * seconds + 2


def test_a_database_that_goes_away_keeps_the_results(
    country: Country, wired: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    country.warn()
    expand_all(size=1_000)
    failing = iter([True, True, False])
    settle = deliveries.settle

    def away(*arguments: object, **more: object) -> None:
        if arguments[2] and next(failing, False):
            raise OperationalError("", None, Exception("server closed the connection"))
        settle(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(deliveries, "settle", away)
    drained(wired)
    assert set(sandbox.counts("sms").values()) == {1}
    assert (
        country.one(
            "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status = 'planned'"
        )
        == 0
    )
    assert country.tally_differs() == []


def test_two_drains_share_a_warning_without_a_repeat(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn(squares=60)
    expand_all(size=20)
    both = [threading.Thread(target=drained, args=(wired,)) for _ in range(3)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(30)
    assert set(sandbox.counts("sms").values()) == {1}
    assert (
        country.one(
            "SELECT count(*) FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE channel = 'sms' AND v.status <> 'accepted'"
        )
        == 0
    )
    assert country.tally_differs() == []


def test_an_expired_not_before_in_the_future_is_not_claimed(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    country.run("UPDATE batch SET not_before = :at", at=datetime.now(UTC) + timedelta(seconds=60))
    drained(wired)
    assert sandbox.received("sms") == []


def test_a_lane_without_its_channel_says_so_and_does_nothing(country: Country, settings: Settings) -> None:
    country.warn()
    expand_all()
    worker.prepare(settings, Lane.EMAIL)
    assert list(worker._channels) == ["email"]
    without = replace(settings, smtp_url="")
    worker.prepare(without, Lane.EMAIL)
    engine.configure(settings.database_url)
    assert worker.turn(Lane.EMAIL, without, limit=1) == 0
    assert country.one("SELECT count(*) FROM delivery WHERE status <> 'planned'") == 0


def test_nothing_leaves_of_a_batch_whose_lease_could_not_be_committed(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    country.run(
        """CREATE FUNCTION lose_the_server() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'admin_shutdown'; END $$"""
    )
    country.run(
        """CREATE CONSTRAINT TRIGGER lost_at_commit AFTER UPDATE OF token ON batch DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW WHEN (new.token IS NOT NULL) EXECUTE FUNCTION lose_the_server()"""
    )
    try:
        drained(wired, limit=1.0)
    finally:
        country.run("DROP TRIGGER lost_at_commit ON batch")
        country.run("DROP FUNCTION lose_the_server")
    assert sandbox.received("sms") == []
    drained(wired)
    assert set(sandbox.counts("sms").values()) == {1}
