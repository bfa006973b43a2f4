"""docs/fanout.md says what the code does."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from alerting.cap import rank
from alerting.cap.model import Certainty, Severity, Urgency
from alerting.fanout.pace import GRANT, LATE, USED
from alerting.fanout.retry import BACKOFF, FINAL, NO_TIME
from alerting.fanout.sweep import RECEIPT_PATIENCE
from alerting.store.batches import LEASE
from alerting.store.outbox import SHARE_WINDOW
from alerting.store.states import FOLLOWS, DeliveryStatus
from channels.base import Status
from channels.twilio_sms import VALIDITY

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fanout.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ][2:]


def test_every_status_of_a_delivery_is_explained_with_what_may_follow() -> None:
    explained = {name: row[2] for row in rows("What becomes of a delivery") for name in row[0].split(", ")}
    assert set(explained) == {status.value for status in DeliveryStatus}
    final = {status.value for status, following in FOLLOWS.items() if not following}
    assert {name for name, following in explained.items() if not following} == final
    named = set(re.findall(r"[a-z_]+", explained["accepted"]))
    assert named == {status.value for status in FOLLOWS[DeliveryStatus.ACCEPTED]}


def test_the_pauses_are_those_of_the_policy() -> None:
    table = {row[0].split(" ")[0]: row[1] for row in rows("What is tried again")}
    for status, (first, longest) in BACKOFF.items():
        numbers = [float(number) for number in re.findall(r"\d+", table[status.value])]
        assert (numbers[0], numbers[-1]) == (first, longest)
    assert {status.value for status in BACKOFF} <= set(table)
    assert Status.AMBIGUOUS in BACKOFF


def test_every_final_answer_stands_there_with_what_it_becomes() -> None:
    table = {row[0]: row[1].partition(":")[0] for row in rows("What an answer becomes")}
    assert table == {answer.value: status.value for answer, status in FINAL.items()}
    assert f"`{NO_TIME}`" in PAGE


def test_the_figures_of_pace_and_order_are_those_of_the_code() -> None:
    assert f"1/({USED} rate)" in PAGE
    assert f"of {GRANT} s" in PAGE
    assert f"more than {LATE * 1000:.0f} ms" in PAGE
    assert f"of the last {SHARE_WINDOW:.0f} s" in PAGE
    assert f"from {VALIDITY[0]} s" in PAGE
    assert f"to {VALIDITY[1]:,} s".replace(",", " ") in PAGE
    assert len({rank.priority(*each) for each in product(Urgency, Severity, Certainty)}) == 125


def test_the_lease_and_the_patience_are_those_of_the_code() -> None:
    assert f"leased for {LEASE:.0f} s" in PAGE
    assert RECEIPT_PATIENCE.total_seconds() == 6 * 3600
    assert "no receipt for six hours" in PAGE
