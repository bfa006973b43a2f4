"""The failure matrix, receipts: doubled, out of order and before the send is recorded; no status goes backwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alerting.store.states import FOLLOWS, DeliveryStatus
from tests.chaos.conftest import Cluster

# Every arrow that a row really took, noted by the database itself.
_NOTE = """
CREATE SCHEMA noted;
CREATE TABLE noted.arrow (dispatch bigint, n bigint, old text, new text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION noted.note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO noted.arrow VALUES (old.dispatch, old.n, old.status, new.status); RETURN NULL; END $$;
CREATE TRIGGER noted_arrow AFTER UPDATE OF status ON delivery FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION noted.note()
"""


@contextmanager
def every_arrow_noted(cluster: Cluster) -> Iterator[None]:
    for statement in _NOTE.split(";\nCREATE"):
        cluster.country.run(statement if statement.startswith("\nCREATE") else f"CREATE{statement}")
    try:
        yield
    finally:
        cluster.country.run("DROP SCHEMA noted CASCADE")


@pytest.mark.slow
def test_receipts_doubled_out_of_order_and_before_the_send_is_recorded_move_no_status_backwards(
    telling: Cluster,
) -> None:
    telling.provider.misbehave(
        # Taken and called back, but never answered: the receipt is there ten seconds before the send has a result.
        {"channel": "sms", "hang": True, "drop": True, "times": 5},
        {"channel": "sms", "share": 0.1, "final": "undelivered", "error_code": 30003, "callback_times": 3},
        {"channel": "sms", "share": 0.3, "callback_delay": 1.0, "callback_reversed": True},
        {"channel": "sms", "callback_times": 2},
    )
    web = telling.web()
    with every_arrow_noted(telling):
        telling.country.warn(squares=100)
        telling.paced("sms", PUBLIC_BASE_URL=web.url)
        telling.until(lambda: telling.finished() and not _open(telling), 60)
        arrows = set(telling.country.rows("SELECT old, new FROM noted.arrow"))
        early = telling.country.one(
            "SELECT count(*) FROM noted.arrow WHERE old = 'planned' AND new = 'delivered'"
        )
        backwards = {
            (old, new) for old, new in arrows if DeliveryStatus(new) not in FOLLOWS[DeliveryStatus(old)]
        }
    assert backwards == set()
    assert early >= 5
    ends = telling.country.statuses()
    # Beside them e-mail, for which no worker runs, until the sweep's child serves that lane.
    assert set(ends) - {"planned", "accepted"} == {"delivered", "undelivered"}
    assert telling.country.one("SELECT count(*) FROM receipt") == 2 * len(telling.counts())
    assert set(telling.counts().values()) == {1}
    assert telling.country.tally_differs() == []


def _open(cluster: Cluster) -> int:
    """SMS whose fate is not known yet, and receipts still to come."""
    return int(
        cluster.country.one(
            """SELECT count(*) FILTER (WHERE v.status NOT IN ('delivered', 'undelivered'))
                      + 2 * count(*) - (SELECT count(*) FROM receipt)
               FROM delivery v JOIN dispatch d ON d.id = v.dispatch WHERE d.channel = 'sms'"""
        )
    )
