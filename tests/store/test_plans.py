"""No statement of the way of a warning grows with its tables: a million rows cost what ten thousand cost.

Each operation runs on both, the tables never analysed (a warning's rows are seconds old) and then analysed, for the first
time and often enough that its plan is made once for all values. What is judged does not depend on the machine: the tables
that were read whole, and the buffers touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.orm import Session

from alerting.fanout.cover import cover
from alerting.store import (
    batches,
    closing,
    counters,
    deliveries,
    engine,
    expansion,
    gauges,
    outbox,
    receipts,
    retention,
    tallies,
)
from alerting.store.deliveries import Outcome
from alerting.store.expansion import Span, Wanted
from alerting.store.states import Audience, DeliveryStatus
from bench.population import polygon
from tests.conftest import TEMPLATE, Servers
from tests.store.crowd import BATCH, MAIL, SMS, WITHDRAWN, Crowd, Plans, plans_of

SMALL, LARGE = 10_000, 1_000_000

#: An index of a million has a level more than one of ten thousand, which makes three pages of a look-up's two: so many times
#: the buffers of the small table are allowed, and some for statements that touch but a few.
LEVELS, FEW = 2.5, 40

#: Where the small table is rather read whole: the buffers of one look-up by key in the large one.
BY_KEY = 5

#: After five runs the driver prepares a statement, and after five more PostgreSQL may plan it for all values.
OFTEN = 12

#: What may be read whole: tables that a warning does not fill, and rows of which a country has few.
MAY_BE_SCANNED = {"region", "feed", "sender", "progress", "policy", "feed_head"}

ALERT = UUID("00000000-0000-0000-0000-000000000001")
NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class At:
    """A session on one of the crowds."""

    session: Session
    crowd: Crowd

    @property
    def next(self) -> int:
        """The first n of the texts that waits."""
        return self.crowd.done + 1

    def span(self) -> Span:
        """A range of subscribers in the middle of the walk."""
        return Span(self.crowd.people // 2, self.crowd.people // 2 + BATCH, 1)


Work = Callable[[At], object]
OPERATIONS: dict[str, tuple[Work, int]] = {}


def operation(lookups: int = 0) -> Callable[[Work], Work]:
    """Enter an operation under its name, with the look-ups by key that it makes where those of small tables are no measure."""

    def enter(work: Work) -> Work:
        OPERATIONS[work.__name__] = work, lookups
        return work

    return enter


# ---- claim, read, flush


@operation()
def candidates(at: At):
    return outbox.candidates(at.session, "sms")


@operation()
def urgent_waiting(at: At):
    return outbox.urgent_waiting(at.session, "sms", 5)


@operation()
def nothing_urgent_waits(at: At):
    return outbox.urgent_waiting(at.session, "sms", 1)


@operation()
def expanding(at: At):
    return outbox.expanding(at.session, "sms")


@operation()
def channels_with_work(at: At):
    return outbox.channels_with_work(at.session)


@operation()
def work_to_expand(at: At):
    return outbox.work_to_expand(at.session)


def _claimed(at: At) -> batches.Lease:
    lease = batches.claim(at.session, SMS, token=uuid4(), window=100)
    assert lease is not None
    return lease


@operation()
def claim_and_renew_and_finish(at: At):
    lease = _claimed(at)
    assert batches.renew(at.session, lease, lease.n_from + 10, NOW) == "open"
    assert batches.finish(at.session, lease)
    return lease


@operation()
def again(at: At):
    return batches.again(at.session, SMS, [at.next, at.next + 5], not_before=NOW, attempts=1)


@operation(lookups=2 * BATCH)
def read(at: At):
    rows = deliveries.read(at.session, SMS, at.next, at.next + BATCH - 1, None, tokens=False)
    assert len(rows) == BATCH


@operation(lookups=3 * BATCH)
def read_with_tokens(at: At):
    rows = deliveries.read(at.session, SMS, at.next, at.next + BATCH - 1, None, tokens=True)
    assert rows[0].token is not None


@operation()
def read_picked(at: At):
    picked = range(at.next, at.crowd.people, at.crowd.people // 500)
    rows = deliveries.read(at.session, SMS, at.next, at.next + BATCH - 1, list(picked), tokens=False)
    assert rows


@operation()
def settle(at: At):
    outcomes = [
        Outcome(n, DeliveryStatus.ACCEPTED, None, f"SM{n}", False) for n in range(at.next, at.next + BATCH)
    ]
    return deliveries.settle(at.session, SMS, outcomes, now=NOW)


@operation()
def settle_after_the_receipt(at: At):
    outcomes = [
        Outcome(n, DeliveryStatus.ACCEPTED, None, f"SM{n}", False)
        for n in range(at.next - 1_000, at.next + 500)
    ]
    return deliveries.settle(at.session, SMS, outcomes, now=NOW)


@operation()
def count_planned(at: At):
    return deliveries.count_planned(at.session, SMS, [(region, 5) for region in range(2, 102)])


@operation()
def counts(at: At):
    return deliveries.counts(at.session, SMS), deliveries.planned_left(at.session, SMS)


# ---- the sweep


@operation()
def lost(at: At):
    found = batches.lost(at.session)
    assert found
    return batches.reopen(at.session, found[0].batch)


@operation()
def mark_in_doubt(at: At):
    return deliveries.mark_in_doubt(at.session, SMS, at.next, at.next + 100, None)


@operation()
def finished(at: At):
    return closing.finished(at.session)


@operation()
def out_of_time(at: At):
    return closing.out_of_time(at.session)


@operation()
def withdrawn(at: At):
    assert [ending.id for ending in closing.withdrawn(at.session, 1)] == [WITHDRAWN]


@operation()
def unsettled(at: At):
    assert len(closing.unsettled(at.session, NOW - timedelta(hours=6), 20)) == 20


@operation()
def close_batches(at: At):
    some = batches.close_ready(at.session, WITHDRAWN, 2_000)
    assert [rows.picked for rows in some] == [None]
    rows = some[0]
    assert deliveries.close(
        at.session,
        WITHDRAWN,
        DeliveryStatus.WITHDRAWN,
        now=NOW,
        limit=500,
        n_from=rows.n_from,
        n_to=rows.n_to,
    )


@operation()
def close_a_range(at: At):
    return deliveries.close(
        at.session,
        SMS,
        DeliveryStatus.UNCONFIRMED,
        now=NOW,
        was=DeliveryStatus.ACCEPTED,
        n_from=1_001,
        n_to=1_500,
    )


# ---- receipts


@operation()
def receipts_come_in(at: At):
    some = [
        receipts.Receipt("twilio", f"SM{n}:delivered", SMS, n, "delivered", None, f"SM{n}", {}, NOW)
        for n in range(1, 501)
    ]
    driver = at.session.connection().connection.driver_connection
    assert driver is not None
    assert len(receipts.add(driver.execute, some)) == 500


@operation()
def receipts_are_read(at: At):
    upto = receipts.settled_to(at.session)
    unread = receipts.unread(at.session, upto, 500)
    assert len(unread) == 500
    return receipts.read_to(at.session, unread[-1])


@operation()
def receipts_are_applied(at: At):
    keys = [(SMS, n) for n in range(1, 501)]
    rows = deliveries.locked(at.session, keys)
    assert len(rows) == 500
    return deliveries.apply(at.session, dict.fromkeys(keys, (DeliveryStatus.DELIVERED, None, None)), now=NOW)


# ---- planning


WANTED = Wanted(MAIL, 0, "email", Audience.PUBLIC, 4, ("Met",))
REGIONS = tuple(range(2, 102))


@operation()
def choose_to_expand(at: At):
    assert outbox.choose_to_expand(at.session) is not None


@operation()
def highest_subscriber(at: At):
    return expansion.highest_subscriber(at.session)


@operation()
def highest_recipient(at: At):
    return expansion.highest_recipient(at.session, [SMS, WITHDRAWN])


@operation()
def plan_regions(at: At):
    planned, _ = expansion.plan_regions(at.session, WANTED, REGIONS, at.span())
    assert planned
    return batches.add(at.session, MAIL, 1, BATCH, BATCH)


@operation()
def plan_covered_points(at: At):
    planned, _ = expansion.plan_covered_points(at.session, WANTED, REGIONS, at.span())
    assert planned


@operation()
def plan_inner_points(at: At):
    planned, _ = expansion.plan_inner_points(at.session, WANTED, SHAPE.inner, at.span(), None)
    assert planned


@operation()
def border_points(at: At):
    return expansion.border_points(at.session, WANTED, SHAPE.border, at.span(), None)


@operation()
def plan_recipients_of(at: At):
    span = Span(at.crowd.done // 2, at.crowd.done // 2 + BATCH, 1)
    planned, _ = expansion.plan_recipients_of(at.session, WANTED, [SMS], span)
    assert planned


SHAPE = cover(polygon(5, 8))


# ---- what officers ask


@operation()
def tallies_of_alert(at: At):
    assert tallies.of_alert(at.session, ALERT)


@operation()
def dispatches_of_alert(at: At):
    assert tallies.dispatches_of(at.session, ALERT)


@operation(lookups=200)
def rows_of_alert(at: At):
    rows = tallies.rows_of_alert(
        at.session, ALERT, after=(SMS, at.next), limit=100, channel=None, statuses=()
    )
    assert len(rows) == 100


# ---- figures, and what is forgotten


@operation()
def figures(at: At):
    gauges.bound(at.session, 30)
    assert gauges.queues(at.session)
    return (
        gauges.dispatches(at.session),
        gauges.receipts_waiting(at.session),
        gauges.audit_head(at.session),
        gauges.recent_latency(at.session),
    )


@operation(lookups=gauges.MOST)
def figures_of_batches(at: At):
    gauges.bound(at.session, 30)
    assert gauges.batches(at.session)


@operation()
def count_what_has_ended(at: At):
    return counters.move_ended(at.session)


@operation()
def forget_recipients(at: At):
    assert retention.next_dispatch(at.session, NOW) is not None
    old = retention.Old(WITHDRAWN, None, 0, at.crowd.people // 5)
    assert retention.forget_recipients(at.session, old, now=NOW, limit=500) == 500


@operation()
def empty_receipts(at: At):
    emptied, looked_at = retention.empty_receipts(at.session, NOW + timedelta(days=1), limit=500)
    assert emptied == looked_at == 500


@operation()
def let_go(at: At):
    return retention.let_go(at.session, NOW, now=NOW)


# ---- the judge


@pytest.fixture(scope="module")
def crowds(servers: Servers) -> Iterator[tuple[Crowd, Crowd]]:
    """Ten thousand and a million, in a database each."""
    made = []
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        for people in (SMALL, LARGE):
            name = f"crowd_{people}_{uuid4().hex[:8]}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            made.append(Crowd(f"{servers.database_url.rpartition('/')[0]}/{name}", people))
    for crowd in made:
        crowd.fill()
    yield made[0], made[1]
    engine.dispose()
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        for crowd in made:
            connection.execute(f"DROP DATABASE {crowd.url.rpartition('/')[2]} WITH (FORCE)")


Seen = dict[str, tuple[Plans, Plans] | Exception]


def _look(crowd: Crowd) -> Seen:
    engine.configure(crowd.url)
    seen: Seen = {}
    for name, (work, _) in OPERATIONS.items():
        try:
            seen[name] = plans_of(lambda session, work=work: work(At(session, crowd)), times=OFTEN)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001  # raised again in the test of this operation
            seen[name] = error
    return seen


@pytest.fixture(scope="module")
def seen(crowds: tuple[Crowd, Crowd]) -> dict[str, tuple[Seen, Seen]]:
    """The plans of every operation on both crowds, before the first ANALYZE and after it."""
    never = _look(crowds[0]), _look(crowds[1])
    for crowd in crowds:
        crowd.analyse()
    return {"never analysed": never, "analysed": (_look(crowds[0]), _look(crowds[1]))}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("statistics", ["never analysed", "analysed"])
def test_a_million_rows_cost_what_ten_thousand_cost(
    seen: dict[str, tuple[Seen, Seen]], statistics: str, name: str
):
    small, large = (look[name] for look in seen[statistics])
    if isinstance(small, Exception):
        raise small
    if isinstance(large, Exception):
        raise large
    for few, many in zip(small, large, strict=True):
        assert many.plans
        assert _problem(name, few, many) is None, many.told


def _problem(name: str, few: Plans, many: Plans) -> str | None:
    """What grows with the table, by an operation's plans on the small crowd and on the large one."""
    if whole := many.scanned - MAY_BE_SCANNED:
        return f"reads {', '.join(sorted(whole))} whole"
    if many.buffers > max(LEVELS * few.buffers + FEW, BY_KEY * OPERATIONS[name][1]):
        return f"touches {many.buffers} pages of a million rows and {few.buffers} of ten thousand"
    return None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("candidates", "DROP INDEX dispatch_work_idx, dispatch_expires_idx"),
        ("claim_and_renew_and_finish", "DROP INDEX batch_ready_idx, batch_dispatch_idx"),
        ("read", "ALTER TABLE delivery DROP CONSTRAINT delivery_pkey"),
        ("settle", "ALTER TABLE delivery DROP CONSTRAINT delivery_pkey"),
        ("lost", "DROP INDEX batch_leased_idx, batch_dispatch_idx"),
        ("out_of_time", "DROP INDEX dispatch_expires_idx"),
        ("withdrawn", "DROP INDEX dispatch_withdrawn_idx, dispatch_unsettled_idx"),
        ("unsettled", "DROP INDEX dispatch_unsettled_idx"),
        ("receipts_are_read", "ALTER TABLE receipt DROP CONSTRAINT receipt_pkey"),
        ("plan_regions", "DROP INDEX follow_subscriber_idx, follow_region_idx"),
        ("tallies_of_alert", "ALTER TABLE tally DROP CONSTRAINT tally_pkey"),
    ],
)
def test_a_missing_index_would_be_noticed(
    crowds: tuple[Crowd, Crowd], seen: dict[str, tuple[Seen, Seen]], name: str, without: str
):
    small = seen["analysed"][0][name]
    assert not isinstance(small, Exception)
    engine.configure(crowds[1].url)
    work, _ = OPERATIONS[name]
    first, _ = plans_of(lambda session: work(At(session, crowds[1])), times=1, without=without)
    assert _problem(name, small[0], first) is not None
