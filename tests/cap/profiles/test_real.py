"""What the profiles say about the real alerts of the corpus: the figures of docs/cap-profiles.md."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.cap import model as m
from alerting.cap.profiles import PROFILES, announced
from alerting.cap.xml import read
from tests.cap.profiles.judge import said

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cap-profiles.md"


def _is_aware(alert: m.Alert) -> bool:
    return any(pair.value_name == "awareness_level" for info in alert.info for pair in info.parameter)


CHOSEN: dict[str, Callable[[m.Alert], bool]] = {
    "meteoalarm": _is_aware,
    "wmo": lambda alert: "2.49.0" in alert.identifier,
    "china": lambda alert: alert.sender == "Baoding_Meteorological_Observatory",
}


@pytest.fixture(scope="module")
def alerts(shared_path: Path) -> dict[str, m.Alert]:
    corpus = shared_path / "cap" / "corpus"
    with (corpus / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        names = [row["file"] for row in csv.DictReader(index, delimiter="\t") if row["origin"] == "real"]
    documents = {name: read((corpus / name).read_bytes()).alert for name in names}
    return {name: alert for name, alert in documents.items() if alert is not None}


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{rule}: {counts[rule]}" for rule in sorted(counts))


@pytest.mark.parametrize("name", PROFILES)
def test_the_figures_are_those_of_the_page(alerts: dict[str, m.Alert], name: str) -> None:
    chosen = CHOSEN.get(name, lambda alert: PROFILES[name] in announced(alert))
    meant = [alert for alert in alerts.values() if chosen(alert)]
    errors, warnings = Counter[str](), Counter[str]()
    wrong = 0
    for alert in meant:
        found = said(name, alert)
        bad = {finding.rule for finding in found if finding.severity == "error"}
        wrong += bool(bad)
        errors.update(bad)
        warnings.update({finding.rule for finding in found} - bad)
    cells = ["", name, str(len(meant)), str(wrong), listed(errors), listed(warnings), ""]
    row = " | ".join(cells).strip()
    told = [re.sub(r"\s+", " ", line) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    assert re.sub(r"\s+", " ", row) in told
