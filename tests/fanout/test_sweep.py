"""The sweep: what was left behind is found, and each thing ends once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerting.config import Settings
from alerting.fanout import bell, sweep
from alerting.fanout.sweep import Sweep
from alerting.store import audit, outbox
from alerting.store.engine import ProcessLock, transaction
from alerting.store.states import DispatchState, Lane
from channels.sandbox.server import Sandbox
from tests.fanout.country import Country
from tests.fanout.test_drain import drained, expand_all


def test_a_dispatch_is_done_when_its_batches_are_and_the_audit_says_with_what_counts(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    drained(wired)
    swept = Sweep(wired)
    swept.close_finished()
    assert country.rows("SELECT channel, state FROM dispatch ORDER BY 1") == [
        ("email", "open"),
        ("sms", "done"),
    ]
    swept.close_finished()
    detail = country.rows("SELECT detail FROM audit WHERE act = 'dispatch.done'")
    assert len(detail) == 1
    assert detail[0][0]["counts"] == {"accepted": len(sandbox.received("sms"))}  # type: ignore[index]
    with transaction() as session:
        assert audit.verify(session) is None


def test_a_withdrawn_warnings_lost_lease_stays_in_doubt_and_is_not_repeated(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all(size=1_000)
    country.run(
        """UPDATE batch SET state = 'leased', token = gen_random_uuid(), started_to = n_from + 9,
           lease_until = now() - interval '1 s'"""
    )
    country.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    swept = Sweep(wired)
    swept.recover()
    swept.close_unsent()
    # Of each channel two batches at least, one for each segment and phase; ten rows of each may have left.
    leased = country.one("SELECT count(*) FROM batch WHERE n_to - n_from >= 9")
    assert country.statuses()["unconfirmed"] >= 10 * leased  # type: ignore[operator]
    assert set(country.statuses()) == {"unconfirmed", "withdrawn"}
    drained(wired)
    assert sandbox.received("sms") == []
    assert country.tally_differs() == []


def test_what_is_leased_is_not_closed(country: Country, wired: Settings) -> None:
    country.warn()
    expand_all(size=1_000)
    country.run(
        """UPDATE batch SET state = 'leased', token = gen_random_uuid(), started_to = n_from,
           lease_until = now() + interval '9 s'"""
    )
    country.run("UPDATE dispatch SET state = 'withdrawn', closed_at = now()")
    Sweep(wired).round()
    assert set(country.statuses()) == {"planned"}


def test_an_sms_of_which_nothing_more_was_heard_ends_unconfirmed(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    drained(wired)
    drained(wired, "email")
    later = Sweep(wired, now=lambda: datetime.now(UTC) + sweep.RECEIPT_PATIENCE + timedelta(minutes=1))
    later.close_finished()
    country.run("UPDATE dispatch SET closed_at = now()")
    later.give_up_receipts()
    assert dict(
        country.rows(
            "SELECT channel || ' ' || CAST(tally.status AS text), sum(n) FROM tally JOIN dispatch d ON d.id = dispatch WHERE n > 0 GROUP BY 1"
        )
    ) == {
        "sms unconfirmed": len(sandbox.received("sms")),
        "email accepted": len(sandbox.received("email")),
    }


def test_warnings_expire(country: Country, wired: Settings) -> None:
    alert = country.warn()
    Sweep(wired, now=lambda: datetime.now(UTC) + timedelta(hours=7)).expire()
    assert country.one("SELECT state FROM alert_state WHERE alert = :a", a=alert) == "expired"


def test_the_bell_is_rung_for_the_lanes_that_have_work(country: Country, wired: Settings) -> None:
    country.warn()
    bell.configure(wired.redis_url)
    Sweep(wired).ring()
    assert _queued(wired) == {"plan": 1, "sms": 0, "email": 0, "web": 0}
    expand_all()
    swept = Sweep(wired)
    swept.ring()
    swept.ring()  # a bell that has been rung is not rung again
    assert _queued(wired) == {"plan": 1, "sms": 1, "email": 1, "web": 0}


def _queued(settings: Settings) -> dict[str, int]:
    client = bell.connect(settings.redis_url, timeout=1)
    with client:
        return {lane.value: int(client.llen(f"rq:queue:{lane.value}")) for lane in Lane}  # type: ignore[arg-type]


def test_a_bell_without_redis_costs_little_and_raises_nothing(wired: Settings) -> None:
    before = bell.failures()
    bell.configure("redis://127.0.0.1:1/0")
    started = datetime.now(UTC)
    assert [bell.ring(Lane.SMS) for _ in range(50)] == [False] * 50
    assert (datetime.now(UTC) - started).total_seconds() < 0.5
    assert bell.failures() == before + 1
    bell.configure(wired.redis_url)
    assert bell.ring(Lane.SMS)


def test_one_sweep_at_a_time(database: str) -> None:
    first, second = ProcessLock(database, sweep.LOCK), ProcessLock(database, sweep.LOCK)
    assert first.held()
    assert first.held()
    assert not second.held()
    first.release()
    assert second.held()
    second.release()


def test_a_held_dispatch_is_neither_claimed_nor_closed(
    country: Country, wired: Settings, sandbox: Sandbox
) -> None:
    country.warn()
    expand_all()
    with transaction() as session:
        outbox.set_state(session, country.one("SELECT id FROM dispatch WHERE channel = 'sms'"), DispatchState.HELD, now=datetime.now(UTC))  # type: ignore[arg-type]  # fmt: skip
    drained(wired)
    Sweep(wired).round()
    assert sandbox.received("sms") == []
    assert set(country.statuses()) == {"planned"}
