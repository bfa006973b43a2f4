"""The operations of whoever sends, of the sweep, and of receipts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from alerting.store import batches, closing, deliveries, landing, outbox, receipts
from alerting.store.deliveries import Outcome
from alerting.store.states import DeliveryStatus
from tests.store.crowd import BATCH, SMS, WITHDRAWN
from tests.store.operations import At, operation

NOW = datetime.now(UTC)

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
    rows = landing.standing(at.session, keys)
    assert len(rows) == 500
    moves = {
        key: landing.Move(was, DeliveryStatus.DELIVERED, None, None, "twilio") for key, was in rows.items()
    }
    return landing.move(at.session, moves, now=NOW)
