"""The order of the queue: the most urgent first, then who has had least, then the oldest; whatever else lies around."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import CursorResult, text

from alerting.cap import rank
from alerting.cap.model import Certainty, Severity, Urgency
from alerting.store import batches, outbox
from alerting.store.engine import transaction
from bench import population

MINOR = rank.priority(Urgency.PAST, Severity.MINOR, Certainty.UNLIKELY)
EXTREME = rank.priority(Urgency.IMMEDIATE, Severity.EXTREME, Certainty.OBSERVED)


def dispatch(database: str, authority: str, priority: int = 50, *, state: str = "open") -> int:
    """One SMS dispatch of an authority; its e-mail sister is done."""
    alert = population.issue(database, squares=2, rows=1, columns=1, priority=priority)
    run("UPDATE dispatch SET state = 'done' WHERE alert = :a AND channel = 'email'", a=alert)
    run("UPDATE dispatch SET authority = :w, state = :s WHERE alert = :a AND channel = 'sms'",
        a=alert, w=authority, s=state)  # fmt: skip
    found: int = run("SELECT id FROM dispatch WHERE alert = :a AND channel = 'sms'", a=alert)[0][0]
    return found


def run(statement: str, **values: object) -> list[tuple[Any, ...]]:
    with transaction() as session:
        result = session.execute(text(statement), values)
        return (
            [tuple(row) for row in result] if isinstance(result, CursorResult) and result.returns_rows else []
        )


def add(of: int, size: int, count: int = 1) -> None:
    """`count` ready batches of `size` messages."""
    with transaction() as session:
        batches.add(session, of, 1, size * count, size)


def claimed(window: int = 1) -> int | None:
    """The dispatch of the batch that the next claimer gets, as a drain does it."""
    with transaction() as session:
        for each in outbox.candidates(session, "sms"):
            lease = batches.claim(session, each, token=uuid4(), window=window)
            if lease is not None:
                return lease.dispatch
    return None


def test_the_priority_is_total_over_severity_urgency_and_certainty() -> None:
    triples = list(product(Urgency, Severity, Certainty))
    numbers = {rank.priority(*triple) for triple in triples}
    assert numbers == set(range(len(triples)))
    worst_minor = rank.priority(Urgency.IMMEDIATE, Severity.MINOR, Certainty.OBSERVED)
    mildest_extreme = rank.priority(Urgency.PAST, Severity.EXTREME, Certainty.UNLIKELY)
    assert mildest_extreme < worst_minor
    later = rank.priority(Urgency.EXPECTED, Severity.SEVERE, Certainty.OBSERVED)
    assert rank.priority(Urgency.IMMEDIATE, Severity.SEVERE, Certainty.UNLIKELY) < later


def test_an_extreme_warning_is_claimed_before_a_million_older_minor_messages(database: str) -> None:
    add(dispatch(database, "a", MINOR), 2_000, 500)
    extreme = dispatch(database, "a", EXTREME)
    add(extreme, 10)
    assert claimed() == extreme


def test_among_equals_the_authority_that_has_had_least_goes_first_and_a_thousand_is_not_starved(
    database: str,
) -> None:
    million = dispatch(database, "large")
    add(million, 2_000, 500)
    assert claimed() == million  # 2 000 are leased now
    thousand = dispatch(database, "small")
    add(thousand, 500, 2)
    assert [claimed() for _ in range(3)] == [thousand, thousand, million]


def test_what_was_sent_lately_counts_and_less_with_its_age(database: str) -> None:
    a, b = dispatch(database, "a"), dispatch(database, "b")
    add(a, 100, 3)
    add(b, 80, 3)
    done = "UPDATE batch SET state = 'done', token = NULL, done_at = now() - make_interval(secs => :age) WHERE dispatch = :d AND state = 'leased'"
    assert claimed() == a
    run(done, d=a, age=0)
    assert claimed() == b
    run(done, d=b, age=0)
    assert claimed() == b
    run(done, d=b, age=2 * outbox.SHARE_WINDOW)  # forgotten
    run(
        "UPDATE batch SET done_at = now() - make_interval(secs => :age) WHERE dispatch = :d",
        d=a,
        age=outbox.SHARE_WINDOW / 2,
    )
    assert claimed() == a  # 50 of the older hundred against 80


def test_among_equals_without_a_history_the_oldest_goes_first(database: str) -> None:
    old, new = dispatch(database, "z"), dispatch(database, "a")
    add(new, 10)
    add(old, 10)
    assert claimed() == old


def test_an_authority_with_many_warnings_gets_no_more_than_one_with_few(database: str) -> None:
    many = [dispatch(database, "many") for _ in range(12)]
    few = dispatch(database, "few")
    for each in (*many, few):
        add(each, 10, 4)
    got = [claimed() for _ in range(8)]
    assert got.count(few) == 4


def test_within_an_authority_the_oldest_goes_first(database: str) -> None:
    old, new = dispatch(database, "a"), dispatch(database, "a")
    add(new, 10, 2)
    add(old, 10, 2)
    assert [claimed() for _ in range(4)] == [old, old, new, new]


def test_fair_share_never_reaches_over_priority(database: str) -> None:
    urgent, mild = dispatch(database, "a", 10), dispatch(database, "b", 11)
    add(urgent, 1_000, 3)
    add(mild, 1, 3)
    assert [claimed() for _ in range(4)] == [urgent, urgent, urgent, mild]


@pytest.mark.parametrize("hidden", ["expired", "held", "waiting", "withdrawn"])
def test_what_may_not_be_sent_hides_nothing_that_may(database: str, hidden: str) -> None:
    first, second = dispatch(database, "a", EXTREME), dispatch(database, "b", MINOR)
    add(first, 10)
    add(second, 10)
    if hidden == "expired":
        run("UPDATE dispatch SET expires = now() WHERE id = :d", d=first)
    elif hidden == "waiting":
        run("UPDATE batch SET not_before = :at WHERE dispatch = :d", d=first, at=later())
    else:
        run("UPDATE dispatch SET state = :s WHERE id = :d", d=first, s=hidden)
    with transaction() as session:
        assert outbox.candidates(session, "sms") == [second]
        assert outbox.urgent_waiting(session, "sms", MINOR) is None


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def test_retries_that_are_due_go_before_what_was_never_tried(database: str) -> None:
    one = dispatch(database, "a")
    add(one, 10, 2)
    with transaction() as session:
        batches.again(session, one, [99], not_before=datetime.now(UTC), attempts=1)
        batches.again(session, one, [98], not_before=later(), attempts=1)
    with transaction() as session:
        leases = [batches.claim(session, one, token=uuid4(), window=1) for _ in range(4)]
    assert [lease.n_from if lease else None for lease in leases] == [99, 1, 11, None]


def test_retries_that_wait_are_not_walked_over(database: str) -> None:
    """Thousands of batches whose time has not come: the claim reads a handful of pages."""
    one = dispatch(database, "a")
    run("""INSERT INTO batch (dispatch, n_from, n_to, state, not_before)
           SELECT :d, n, n, 'ready', now() + interval '1 h' FROM generate_series(1, 20000) AS n""", d=one)  # fmt: skip
    add(one, 10)
    run("UPDATE batch SET n_from = 30000, n_to = 30010 WHERE not_before IS NULL")
    run("ANALYZE batch")
    plan = run(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {_filled(one)}")[0][0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60
    assert claimed() == one


def _filled(one: int) -> str:
    assert one
    return str(outbox._CANDIDATES.text).replace(":channel", "'sms'").replace(":limit", "8").replace(
        ":window", "60"
    )  # fmt: skip


def test_equal_authorities_take_turns_in_expansion_and_the_most_urgent_overtakes(database: str) -> None:
    def expanded() -> int:
        with transaction() as session:
            chosen = outbox.choose_to_expand(session)
            assert chosen is not None
            outbox.advance(
                session, chosen, segment=0, phase="regions", cursor=0, planned=0, ranges=chosen.ranges + 1
            )
        return chosen.id  # fmt: skip

    many = [dispatch(database, "many", state="planning") for _ in range(3)]
    few = dispatch(database, "few", state="planning")
    got = [expanded() for _ in range(6)]
    assert got.count(few) == 3
    assert set(got) == {*many, few}
    extreme = dispatch(database, "many", EXTREME, state="planning")
    run("UPDATE dispatch SET ranges = 99 WHERE id = :d", d=extreme)
    assert expanded() == extreme


def test_whether_something_more_urgent_waits_is_answered_with_how_urgent(database: str) -> None:
    add(dispatch(database, "a", 40), 10)
    add(dispatch(database, "a", 20), 10)
    add(dispatch(database, "a", 30), 10)
    with transaction() as session:
        assert outbox.urgent_waiting(session, "sms", 40) == 20
        assert outbox.urgent_waiting(session, "sms", 20) is None
        assert outbox.urgent_waiting(session, "email", 40) is None
