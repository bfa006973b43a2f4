"""What the wording checks say of real warnings: hardly anything, and what they block is looked at by name."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerting.cap import xml
from alerting.cap.model import Alert, MsgType, Status
from alerting.wording.checks import check_words, contradicting

#: Real documents of status Actual that say that they are a test, or that speak of an exercise.
BLOCKED = {
    "invalid/AU_cfsmedia-cfs-sa-gov-au_607f7dc1.xml",  # "McLaren Vale TEST"
    "valid/CA_cap-ec-gc-ca_c3b2fc65.xml",  # "created for testing and evaluation purposes only"
    "valid/CA_cap-ec-gc-ca_c98c9012.xml",  # the same
}
#: Real warnings, not tests, that an approver would have to let pass: both tell of a NATO exercise.
INNOCENT = "SE_https-www-krisinformation-se"


@pytest.fixture(scope="module")
def real(shared_path: Path) -> dict[str, Alert]:
    return dict(_real(shared_path / "cap" / "corpus"))


def _real(corpus: Path) -> Iterator[tuple[str, Alert]]:
    with (corpus / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["origin"] != "real":
                continue
            read = xml.read((corpus / row["file"]).read_bytes())
            alert = read.alert or read.draft
            if alert is not None:
                yield row["file"], alert


def test_of_real_warnings_those_alone_are_blocked_that_speak_of_a_test(real: dict[str, Alert]) -> None:
    judged = {
        name: alert
        for name, alert in real.items()
        if alert.status is Status.ACTUAL and alert.msg_type in {MsgType.ALERT, MsgType.UPDATE}
    }
    blocked = {name for name, alert in judged.items() if contradicting(alert)}
    innocent = {name for name in blocked if INNOCENT in name}
    print(
        f"{len(blocked)} of {len(judged)} real Actual alerts and updates are blocked by W-03: {sorted(blocked)}"
    )
    assert blocked - innocent == BLOCKED
    assert len(innocent) <= 2
    assert len(judged) > 100


def test_no_real_text_is_said_to_be_in_another_language(real: dict[str, Alert]) -> None:
    told = [
        (name, each.message)
        for name, alert in real.items()
        for each in check_words(alert)
        if each.rule == "W-01"
    ]
    assert told == []
