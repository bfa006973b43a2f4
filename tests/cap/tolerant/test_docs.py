"""docs/cap-tolerant.md says what the code does: its examples run, and its table has every id that is ever noted."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "cap-tolerant.md"


def test_the_examples_run_as_printed() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 8


def test_the_table_has_every_id() -> None:
    sources = (ROOT / "alerting" / "cap" / "tolerant").glob("*.py")
    noted = {
        each for source in sources for each in re.findall(r'"(T-\d\d)"', source.read_text(encoding="utf-8"))
    }
    assert set(re.findall(r"^\| (T-\d\d) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == noted
