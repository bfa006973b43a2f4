"""Files of real authorities: a usable warning from each, mended ones that the strict reader and the schema take."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from alerting.cap.jsonform import digest
from alerting.cap.model import Alert, Severity
from alerting.cap.tolerant import Tolerated, read_tolerant
from alerting.cap.xml import read, write

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_ALERT = {
    # Feeds of the National Weather Service that say "There are no active watches, warnings or advisories".
    "feed_alert-NJC013-xml_96c49199.xml",
    "feed_alert-NJC013-xml_cc6b6417.xml",
    "feed_alert-NYC061-xml_c13c8611.xml",
    "feed_alert-NYC061-xml_c5778961.xml",
    # The same feed with no entry at all.
    "feed_empty-weather-index-atom_7178f809.xml",
}


@dataclass(frozen=True, slots=True)
class File:
    name: str
    origin: str
    data: bytes
    taken: Tolerated


@cache
def corpus(shared: Path) -> list[File]:
    root = shared / "cap" / "corpus"
    with (root / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = [(row["file"], row["origin"]) for row in csv.DictReader(index, delimiter="\t")]
    files: list[File] = []
    for name, origin in rows:
        data = (root / name).read_bytes()
        files.append(File(Path(name).name, origin, data, read_tolerant(data, now=NOW)))
    return files


@cache
def schema(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "cap" / "CAP-v1.2.xsd"))


def usable(alert: Alert | None) -> bool:
    """Text, the time of sending, a severity (Unknown is one) and an area that is described or resolvable."""
    return alert is not None and any(
        (info.headline or info.description or info.event)
        and info.severity in Severity
        and any(area.area_desc.strip() or area.polygon or area.circle or area.geocode for area in info.area)
        for info in alert.info
    )


def test_real_files_give_usable_warnings(shared_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = [file for file in corpus(shared_path) if file.origin == "real" and file.name not in NO_ALERT]
    assert len(real) >= 169
    failed = [
        file.name
        for file in real
        if not file.taken.alerts or not all(usable(taken.document.alert) for taken in file.taken.alerts)
    ]
    share = 1 - len(failed) / len(real)
    with capsys.disabled():
        print(f"\nusable warnings from {len(real) - len(failed)} of {len(real)} real files: {share:.1%}")
    assert share >= 0.99, failed


def test_files_without_an_alert_say_so(shared_path: Path) -> None:
    for file in corpus(shared_path):
        if file.name in NO_ALERT:
            assert [finding.rule for finding in file.taken.findings] == ["X-02"]
            assert not file.taken.alerts


def test_what_is_handed_out_is_strict_cap(shared_path: Path) -> None:
    for file in corpus(shared_path):
        for taken in file.taken.alerts:
            if taken.document.alert is None:
                assert taken.document.findings, file.name
                continue
            written = write(taken.document.alert)
            assert read(written).alert == taken.document.alert, file.name
            assert schema(shared_path).validate(etree.fromstring(written)), file.name


def test_what_was_mended_is_not_mended_again(shared_path: Path) -> None:
    """Circles that are points and areas that have only a name stay as they are, and are said each time."""
    stays = {"T-10", "T-11"}
    for file in corpus(shared_path):
        for taken in file.taken.alerts:
            if taken.document.alert is not None:
                again = read_tolerant(write(taken.document.alert), now=NOW).alerts[0]
                assert again.document.alert == taken.document.alert, file.name
                assert {mend.rule for mend in again.mended} <= stays, file.name


def test_a_file_that_is_one_alert_keeps_its_bytes(shared_path: Path) -> None:
    for file in corpus(shared_path):
        if read(file.data).alert is not None:
            assert [taken.source for taken in file.taken.alerts] == [file.data], file.name


def test_strict_files_without_faults_are_read_alike(shared_path: Path) -> None:
    untouched = 0
    for file in corpus(shared_path):
        strict = read(file.data).alert
        if strict is not None and not {mend.rule for mend in file.taken.alerts[0].mended} - {"T-01", "T-11"}:
            mine = file.taken.alerts[0].document.alert
            assert mine is not None
            assert digest(mine) == digest(strict), file.name
            untouched += 1
    assert untouched >= 20


def test_wrappers_give_every_alert_in_them(shared_path: Path) -> None:
    found = {file.name: len(file.taken.alerts) for file in corpus(shared_path)}
    assert found["EDXLDistribution_bushfire-valid-edxlde_871b44a2.xml"] == 59
    assert found["EDXLDistribution_bushfire-edxlde_602bf1ef.xml"] == 7
    assert found["feed_noaaExample1-xml_c72aac6e.xml"] == 215
    assert found["rss_au-bom-en-rss-xml_f32fa5db.xml"] == 1


def test_every_row_of_the_corpus_is_met(shared_path: Path) -> None:
    rules = Counter(
        mend.rule for file in corpus(shared_path) for taken in file.taken.alerts for mend in taken.mended
    )
    expected = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 21, 23, 24}
    assert {f"T-{n:02}" for n in expected} <= set(rules)


@settings(max_examples=60)
@given(st.data())
def test_cut_and_flipped_files_raise_nothing(shared_path: Path, data: st.DataObject) -> None:
    small = [file for file in corpus(shared_path) if len(file.data) < 30_000]
    octets = bytearray(data.draw(st.sampled_from(small)).data)
    for at, octet in data.draw(
        st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255)), max_size=5)
    ):
        octets[at] = octet
    cut = data.draw(st.integers(0, len(octets)))
    for mangled in (bytes(octets), bytes(octets[:cut])):
        for taken in read_tolerant(mangled).alerts:
            if taken.document.alert is not None:
                assert read(write(taken.document.alert)).alert == taken.document.alert
