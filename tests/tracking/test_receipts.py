"""Receipts: doubled, out of order, early, forged: no status goes backwards and none is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from alerting.store import deliveries
from alerting.store import receipts as store_receipts
from alerting.store.deliveries import Outcome
from alerting.store.engine import transaction
from alerting.store.states import FOLLOWS, DeliveryStatus
from alerting.tracking import receipts
from channels.base import Reason, ReceiptEvent, Status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def planned(database: str) -> int:
    """A dispatch (of a notice) with five deliveries."""
    with transaction() as session:
        notice = session.execute(
            text("""INSERT INTO notice (kind, language, text, segments, sha256, created_at)
                    VALUES ('reply', 'en', 'x', 1, '', now()) RETURNING id""")
        ).scalar_one()
        dispatch = session.execute(
            text("""INSERT INTO dispatch (notice, audience, channel, state, priority, created_at, expires)
                    VALUES (:n, 'person', 'sms', 'open', 1, now(), now() + interval '1 h') RETURNING id"""),
            {"n": notice},
        ).scalar_one()
        session.execute(
            text("""INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
                    SELECT :d, n, n, -1, 0, 'en', 'planned' FROM generate_series(1, 5) AS n"""),
            {"d": dispatch},
        )
        deliveries.count_planned(session, dispatch, [(0, 5)])
    return int(dispatch)


def event(delivery: str, status: Status, *, event_id: str = "", reference: str = "SM1") -> ReceiptEvent:
    return ReceiptEvent("twilio", event_id or f"{delivery}:{status}", delivery, status, None, reference, {})


def state(dispatch: int) -> list[str]:
    with transaction() as session:
        return list(
            session.execute(
                text("SELECT CAST(status AS text) FROM delivery WHERE dispatch = :d ORDER BY n"),
                {"d": dispatch},
            ).scalars()
        )


def apply_all() -> None:
    while receipts.apply_next(now=NOW):
        pass


def accept(dispatch: int, *ns: int) -> None:
    with transaction() as session:
        rows = [Outcome(n, DeliveryStatus.ACCEPTED, None, f"SM{n}", ambiguous=False) for n in ns]
        deliveries.settle(session, dispatch, rows, now=NOW)


def test_what_a_provider_calls_a_message_is_kept_as_it_is(planned: int) -> None:
    odd = ["plain", 'two words, "quoted"', "back\\slash {brace}", "NULL", "ünï 警", ""]
    rows = [
        Outcome(n, DeliveryStatus.ACCEPTED, "a 'reason', so", odd[n], ambiguous=False) for n in range(1, 6)
    ]
    rows[0] = rows[0]._replace(reference=None, reason=None)
    with transaction() as session:
        deliveries.settle(session, planned, rows, now=NOW)
        found = session.execute(
            text("SELECT reference, reason FROM delivery WHERE dispatch = :d ORDER BY n"), {"d": planned}
        ).all()
    assert found == [(None, None), *((odd[n], "a 'reason', so") for n in range(2, 6))]


def test_a_receipt_moves_its_delivery_and_the_tally(planned: int) -> None:
    accept(planned, 1, 2)
    receipts.record(
        [event(f"{planned}.1", Status.DELIVERED), event(f"{planned}.2", Status.UNDELIVERED)], now=NOW
    )
    apply_all()
    assert state(planned) == ["delivered", "undelivered", "planned", "planned", "planned"]
    with transaction() as session:
        assert deliveries.counts(session, planned) == {"delivered": 1, "undelivered": 1, "planned": 3}


def test_a_replayed_event_is_written_once(planned: int) -> None:
    accept(planned, 1)
    one = event(f"{planned}.1", Status.DELIVERED)
    assert receipts.record([one], now=NOW) == 1
    assert receipts.record([one, one], now=NOW) == 0
    apply_all()
    assert receipts.record([one], now=NOW) == 0
    assert receipts.apply_next(now=NOW) == 0


def test_a_receipt_before_the_send_is_recorded_keeps_its_word(planned: int) -> None:
    receipts.record([event(f"{planned}.1", Status.DELIVERED)], now=NOW)
    apply_all()
    accept(planned, 1)
    assert state(planned)[0] == "delivered"
    with transaction() as session:
        attempts = session.execute(text("SELECT attempts FROM delivery WHERE n = 1")).scalar_one()
        assert attempts == 0  # the reference was there already; nothing else is written over a receipt
        assert deliveries.counts(session, planned) == {"delivered": 1, "planned": 4}


def test_words_that_come_late_or_are_not_known_move_nothing(planned: int) -> None:
    accept(planned, 1)
    receipts.record(
        [
            event(f"{planned}.1", Status.DELIVERED),
            event(f"{planned}.1", Status.ACCEPTED),
            event(f"{planned}.1", Status.UNKNOWN),
            event(f"{planned}.1", Status.UNDELIVERED),
        ],
        now=NOW,
    )
    apply_all()
    assert state(planned)[0] == "delivered"


@pytest.mark.parametrize(
    "delivery", ["", "x", "1", "1.2.3", "-1.2", "99999.1", "1.99999999999999999999", "１.１", "1. 2"]
)
def test_a_receipt_for_nobody_is_kept_and_moves_nothing(planned: int, delivery: str) -> None:
    assert receipts.record([event(delivery, Status.DELIVERED)], now=NOW) == 1
    apply_all()
    assert state(planned) == ["planned"] * 5


def test_a_reason_and_the_reference_are_kept(planned: int) -> None:
    accept(planned, 1)
    receipts.record(
        [
            ReceiptEvent(
                "twilio",
                "e",
                f"{planned}.1",
                Status.UNDELIVERED,
                Reason.LANDLINE,
                "SMx",
                {"ErrorCode": "30006"},
            )
        ],
        now=NOW,
    )
    apply_all()
    with transaction() as session:
        row = session.execute(text("SELECT reason, reference FROM delivery WHERE n = 1")).one()
        raw = session.execute(text("SELECT raw FROM receipt")).scalar_one()
    assert tuple(row) == ("landline", "SM1")
    assert raw == {"ErrorCode": "30006"}


def test_a_receipt_of_a_slower_transaction_is_not_jumped_over(planned: int) -> None:
    from alerting.store import engine

    accept(planned, 1, 2)
    slow = engine.engine().connect()
    slow.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": store_receipts.WRITING})
    slow.execute(
        text("""INSERT INTO receipt (provider, event_id, dispatch, n, status, raw, received_at)
                VALUES ('twilio', 'slow', :d, 1, 'delivered', '{}', now())"""),
        {"d": planned},
    )
    receipts.record([event(f"{planned}.2", Status.DELIVERED)], now=NOW)
    assert receipts.apply_next(now=NOW) == 0  # it waits: the slow one came first and may still commit
    slow.commit()
    slow.close()
    apply_all()
    assert state(planned)[:2] == ["delivered", "delivered"]


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from([*receipts.MOVES, Status.UNKNOWN]), st.booleans()),
        max_size=25,
    )
)
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_and_grouping_of_receipts_only_moves_forward(
    planned: int, words: list[tuple[int, Status, bool]]
) -> None:
    with transaction() as session:
        session.execute(text("UPDATE delivery SET status = 'planned'"))
        session.execute(text("DELETE FROM tally"))
        deliveries.count_planned(session, planned, [(0, 5)])
    mark = uuid4()  # not drawn: a repeated example must not be a replay
    expected = [DeliveryStatus.PLANNED] * 5
    for i, (n, status, pause) in enumerate(words):
        receipts.record([event(f"{planned}.{n}", status, event_id=f"{mark}{i}")], now=NOW)
        moved = receipts.MOVES.get(status)
        if moved in FOLLOWS[expected[n - 1]]:
            expected[n - 1] = moved  # type: ignore[assignment]
        if pause:
            apply_all()
    apply_all()
    assert state(planned) == [status.value for status in expected]
    with transaction() as session:
        counts = deliveries.counts(session, planned)
    assert counts == {status.value: expected.count(status) for status in set(expected)}
