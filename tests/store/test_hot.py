"""A change of a delivery or a tally stays on its page (HOT): no index learns of it, and no flush leaves entries behind.

An index on a column that a flush changes, or a predicate of an index that names one, undoes that without a word.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store import deliveries
from alerting.store.deliveries import Outcome
from alerting.store.engine import transaction
from alerting.store.states import DeliveryStatus
from bench import population

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROWS = 1_000


def planned(session: Session) -> int:
    """Plan rows in ten regions; the dispatch."""
    dispatch = int(session.execute(text("SELECT id FROM dispatch WHERE channel = 'sms'")).scalar_one())
    session.execute(
        text("""
            INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
            SELECT :dispatch, n, n, 0, n % 10, 'en', 'planned' FROM generate_series(1, :rows) AS n
        """),
        {"dispatch": dispatch, "rows": ROWS},
    )
    deliveries.count_planned(session, dispatch, [(region, ROWS // 10) for region in range(10)])
    return dispatch


def changed(session: Session, table: str) -> tuple[int, int]:
    """(rows of a table changed by this transaction, those of them that stayed on their page)."""
    query = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = :table")
    row = session.execute(query, {"table": table}).one()
    return row[0], row[1]


def test_what_a_flush_changes_stays_on_its_page(database: str):
    population.issue(database, squares=1, rows=1, columns=1)
    with transaction() as session:
        dispatch = planned(session)
    with transaction() as session:
        outcomes = [
            Outcome(n, DeliveryStatus.ACCEPTED, None, f"SM{n:032x}", False) for n in range(1, ROWS + 1)
        ]
        for half in (outcomes[:400], outcomes[400:]):
            deliveries.settle(session, dispatch, half, now=NOW)
        moved, stayed = changed(session, "tally")
        assert moved >= 30
        assert stayed == moved
        moved, stayed = changed(session, "delivery")
        assert moved == ROWS
        # A row is as long again with its reference, so that a page may lack room for the last of its own.
        assert stayed >= 0.9 * ROWS
