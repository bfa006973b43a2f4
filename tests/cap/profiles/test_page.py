"""docs/cap-profiles.md: its examples run as printed, and its tables are those of the register."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from alerting.cap.profiles import PROFILES
from alerting.cap.rules import rules

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cap-profiles.md"


def test_the_examples_run_as_printed() -> None:
    result = doctest.testfile(
        str(PAGE), module_relative=False, encoding="utf-8", optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.failed == 0
    assert result.attempted > 5


def test_each_rule_stands_in_the_table_of_its_profile() -> None:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name, profile in PROFILES.items():
        (section,) = (each for each in sections if each.startswith(f"{name}\n"))
        assert profile.title in section
        assert profile.source in section
        told = [line for line in section.splitlines() if re.match(r"\| [A-Z]+-\d\d \|", line)]
        known = []
        for rule in rules(profile=name):
            late = f", on publishing {rule.publish}" if rule.publish is not rule.severity else ""
            known.append(f"| {rule.id} | {rule.clause} | {rule.severity}{late} | {rule.test.__doc__} |")
        assert told == known
