"""The failure matrix, two at once: of two sweeps, claimers or approvers exactly one wins; and a cancel in mid-run."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from alerting.fanout.drain import FLUSH
from alerting.fanout.sweep import LOCK
from tests.chaos.conftest import IN_FLIGHT, PEOPLE, RATE, Cluster, Web


@pytest.mark.slow
def test_a_warning_cancelled_at_half_withdraws_the_rest_within_one_flush(cluster: Cluster) -> None:
    web = cluster.web()
    cluster.paced("sms")
    status, made = web.post("/alerts", cluster.document())
    assert status == 201
    cluster.until(lambda: cluster.received() > PEOPLE // 4, 20)
    status, _ = web.post(f"/alerts/{made['id']}/cancel", {"reason": "the river has fallen", "texts": {}})
    assert status == 201
    cluster.until(cluster.finished, 40)
    old = cluster.country.one("SELECT min(id) FROM dispatch WHERE channel = 'sms'")
    cluster.until(
        lambda: (
            not cluster.country.one(
                "SELECT count(*) FROM delivery WHERE dispatch = :d AND status = 'planned'", d=old
            )
        ),
        20,
    )
    late, last = cluster.country.rows(
        """SELECT count(*), extract(epoch FROM coalesce(max(v.at - d.closed_at), interval '0'))
           FROM delivery v JOIN dispatch d ON d.id = v.dispatch
           WHERE d.id = :d AND v.status = 'accepted' AND v.at > d.closed_at""",
        d=old,
    )[0]
    withdrawn = _numbers(cluster, old, "withdrawn")
    assert last <= 2 * FLUSH  # one flush sees it, and what was in flight is written by the next
    assert late <= RATE * 2 * FLUSH + IN_FLIGHT
    assert len(withdrawn) > PEOPLE // 8
    counts = cluster.counts()
    assert not withdrawn & set(counts)  # nobody who was not warned is told that it is over
    assert {counts[to] for to in _numbers(cluster, old, "accepted")} == {2}
    assert cluster.country.tally_differs() == []


def _numbers(cluster: Cluster, dispatch: int, status: str) -> set[str]:
    rows = cluster.country.rows(
        "SELECT address FROM delivery WHERE dispatch = :d AND CAST(status AS text) = :s", d=dispatch, s=status
    )
    return {f"+4915{row[0]:09}" for row in rows}


@pytest.mark.slow
def test_of_two_sweeps_one_works_and_the_other_takes_over_when_it_dies(cluster: Cluster) -> None:
    holders = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :lock"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    rounds = "SELECT at FROM beat WHERE process = 'sweep'"
    cluster.parts.start("one", "sweep")
    cluster.until(lambda: cluster.country.rows(rounds), 20)
    (first,) = cluster.country.rows(holders, lock=LOCK)
    cluster.parts.start("other", "sweep")
    time.sleep(4)
    assert cluster.country.rows(holders, lock=LOCK) == [first]
    cluster.parts.signal("one", signal.SIGKILL)
    killed = cluster.country.one("SELECT clock_timestamp()")
    cluster.until(lambda: cluster.country.one(rounds) > killed, 10)
    (second,) = cluster.country.rows(holders, lock=LOCK)
    assert second != first


@pytest.mark.slow
def test_of_two_claimers_one_gets_each_batch_and_everybody_gets_one_message(cluster: Cluster) -> None:
    cluster.parts.start("plan", "worker", "plan")
    cluster.parts.start("sweep", "sweep")
    for name in ("one", "other", "third"):
        cluster.parts.start(name, "worker", "sms", SMS_RATE=str(RATE))
    holders: set[str] = set()
    cluster.country.warn(squares=100)

    def done() -> bool:
        holders.update(
            str(row[0]) for row in cluster.country.rows("SELECT token FROM batch WHERE token IS NOT NULL")
        )
        return cluster.finished()

    cluster.until(done, 40)
    assert len(holders) > 1
    assert set(cluster.counts()) == cluster.everybody()
    assert set(cluster.counts().values()) == {1}
    assert not cluster.marked()
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_of_two_approvers_at_once_one_issues_the_warning_and_the_other_is_told_so(cluster: Cluster) -> None:
    web = cluster.web(approvers=1)
    approvers = [_key(web, name) for name in ("one", "other")]
    for _ in range(5):
        status, made = web.post("/alerts", cluster.document(squares=2))
        assert (status, made["state"]) == (201, "submitted")
        together, answers = threading.Barrier(2), []

        def approve(secret: str, alert: str = made["id"], together: threading.Barrier = together) -> None:
            together.wait()
            answers.append(web.post(f"/alerts/{alert}/approve", {}, secret)[0])  # noqa: B023  # ends within the loop

        both = [threading.Thread(target=approve, args=(secret,)) for secret in approvers]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(answers) == [200, 409]
        assert (
            cluster.country.one(
                "SELECT count(*) FROM dispatch WHERE alert = :a AND channel = 'sms'", a=made["id"]
            )
            == 1
        )


def _key(web: Web, name: str) -> str:
    status, made = web.post("/keys", {"name": name, "role": "approver"})
    assert status == 201, made
    return str(made["key"])
