"""The operations of the planner, and what is asked of a warning, counted and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from alerting.fanout.cover import cover
from alerting.store import batches, counters, expansion, gauges, outbox, retention, tallies
from alerting.store.expansion import Span, Wanted
from alerting.store.states import CHANNELS, Audience
from bench.population import polygon
from tests.store.crowd import BATCH, MAIL, SMS, WITHDRAWN
from tests.store.operations import At, operation

ALERT = UUID("00000000-0000-0000-0000-000000000001")
NOW = datetime.now(UTC)

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


@operation(lookups=len(CHANNELS) * gauges.MOST)
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
