"""Every figure is described, and every alarm asks for figures and labels that a real scrape has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from alerting.store import counters
from alerting.store.counters import Counted
from alerting.store.engine import transaction
from tests.conftest import ROOT
from tests.fanout.country import Country
from tests.metrics.conftest import Look

RULES = ROOT / "deploy/prometheus/alerting.rules.yml"
PAGE = ROOT / "docs/operations.md"

#: One of each counter, so that a scrape shows its labels.
ONE_OF_EACH: dict[counters.Key, int] = {
    (Counted.SENDS, ("sms", "public", "twilio", "accepted", "")): 1,
    (Counted.LATENCY, ("sms", "public", "0.5")): 1,
    (Counted.LATENCY_SUM, ("sms", "public")): 300,
    (Counted.LEASES_LOST, ("sms",)): 1,
    (Counted.IN_DOUBT, ("sms",)): 1,
    (Counted.RECEIPTS, ("sms", "twilio", "delivered")): 1,
    (Counted.HTTP, ("GET", "/healthz", "200")): 1,
}

_NAME = re.compile(r"\balerting[a-z_]*(?::[a-z_0-9]+)*")
_GROUPED = re.compile(r"by \(([^)]*)\) \((?:increase|rate)?\(?(alerting_[a-z_]+)")
_SELECTED = re.compile(r"(\balerting_[a-z_]+)\{([^}]*)\}")


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


@pytest.fixture
def full(country: Country, look: Callable[[], Look]) -> Look:
    """A scrape with something of everything."""
    country.warn()
    country.run(
        """INSERT INTO sender (channel, provider, name, next_free, rate) VALUES ('sms', 'sms', 'default', now(), 10)
           ON CONFLICT (channel, provider, name) DO UPDATE SET rate = 10"""
    )
    country.run("INSERT INTO beat VALUES ('sweep', now()) ON CONFLICT (process) DO UPDATE SET at = now()")
    country.run(
        """INSERT INTO batch (dispatch, n_from, n_to, state, results, done_at, counted)
           SELECT min(id), 1, 1, 'done', '{"sends": {}, "latency": {"0.5": 1}, "ms": 1}', now(), true FROM dispatch"""
    )
    country.run("INSERT INTO tally SELECT min(id), 0, 'planned', 5 FROM dispatch ON CONFLICT DO NOTHING")
    with transaction() as session:
        counters.add(session, ONE_OF_EACH)
    return look()


def names_and_labels(look: Look) -> dict[str, set[str]]:
    """The labels of each sample's name."""
    found: dict[str, set[str]] = {}
    for name, labels in look.figures:
        found.setdefault(name, set()).update(label for label, _ in labels)
    return found


def test_every_kind_of_counter_is_tried_here() -> None:
    assert {kind for kind, _ in ONE_OF_EACH} == set(Counted)


def test_every_alarm_asks_for_what_a_scrape_has(full: Look) -> None:
    known = names_and_labels(full)
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = 0
    for rule in rules():
        expression = str(rule["expr"])
        assert expression.count("(") == expression.count(")"), rule
        for name in _NAME.findall(expression):
            asked += 1
            assert name in known or name in recorded, rule
        for name, selector in _SELECTED.findall(expression):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            assert labels <= known[name], rule
    assert asked > 30


def test_an_alarm_groups_by_labels_that_a_scrape_has(full: Look) -> None:
    known = names_and_labels(full)
    grouped = 0
    for rule in rules():
        for labels, name in _GROUPED.findall(str(rule["expr"])):
            grouped += 1
            assert set(re.findall(r"\w+", labels)) <= known[name], rule
    assert grouped > 10


def test_refusals_that_come_by_receipt_raise_the_alarm_of_refusals() -> None:
    (refused,) = (rule for rule in rules() if rule.get("alert") == "ManyRefused")
    asked = {name: words for name, words in _SELECTED.findall(refused["expr"]) if "undelivered" in words}
    assert set(asked) == {"alerting_sends_total", "alerting_receipts_total"}


def test_every_alarm_says_how_urgent_it_is_and_what_to_do_and_stands_in_the_page() -> None:
    alarms = [rule for rule in rules() if "alert" in rule]
    names = [rule["alert"] for rule in alarms]
    assert len(names) == len(set(names)) > 15
    page = PAGE.read_text(encoding="utf-8")
    for rule in alarms:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith((".", "?", "`."))
        assert re.search(rf"\b{rule['alert']}\b", page), rule["alert"]


def test_every_figure_is_described_with_its_labels(full: Look) -> None:
    described: dict[str, set[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `alerting_"):
            labels = {word.strip() for word in cells[1].split(",") if word.strip()}
            described |= dict.fromkeys(re.findall(r"`(alerting_\w+)`", cells[0]), labels)
    families = list(text_string_to_metric_families(full.text))
    shown = {f"{each.name}_total" if each.type == "counter" else each.name: each for each in families}
    assert set(shown) == set(described)
    for name, family in shown.items():
        assert family.samples, name
        found = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert found == described[name], name
