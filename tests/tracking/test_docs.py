"""docs/receipts.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from alerting.config import Settings
from alerting.fanout.sweep import SHARE
from alerting.tracking import receipts, writer

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "receipts.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_the_bounds_are_those_of_the_code() -> None:
    spaced = f"{receipts.CHUNK:,}".replace(",", " ")
    assert f"{spaced} in a transaction, for at most {SHARE} s of each second" in WORDS
    waiting = f"{writer.MOST_WAITING:,}".replace(",", " ")
    assert f"({waiting} callbacks in a process, or {writer.PATIENCE:.0f} s)" in WORDS
    assert f"`WEB_THREADS`, {Settings.__dataclass_fields__['web_threads'].default}" in WORDS


def test_every_answer_that_a_callback_may_get_is_explained() -> None:
    explained = set(re.findall(r"^\| (\d{3})", PAGE, re.MULTILINE))
    assert explained == {"204", "403", "503"}


def test_the_rows_of_the_bench_are_those_that_are_run() -> None:
    from bench.receipts import NAMES

    assert set(re.findall(r"`(receipts\.\w+)`", PAGE)) == set(NAMES)
