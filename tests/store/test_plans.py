"""No statement of the way of a warning grows with its tables: a million rows cost what ten thousand cost.

Each operation runs on both, the tables never analysed (a warning's rows are seconds old) and then analysed, for the first
time and often enough that its plan is made once for all values. What is judged does not depend on the machine: the tables
that were read whole, and the buffers touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from alerting.store import engine
from tests.conftest import TEMPLATE, Servers
from tests.store import operations_planning, operations_sending
from tests.store.crowd import Crowd, Plans, plans_of
from tests.store.operations import OPERATIONS, At

#: Who has entered the operations, by being imported.
ENTERED_BY = (operations_sending, operations_planning)

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
