"""Signed documents of real authorities: the facts of each signature against those on record."""

from __future__ import annotations

import csv
import doctest
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from lxml import etree

from alerting.cap.signature import Facts, examine, verify
from alerting.cap.signature.algorithms import fits
from alerting.cap.signature.parts import parts_of

DOCS = Path(__file__).resolve().parents[2] / "docs" / "cap-signatures.md"
DS = "http://www.w3.org/2000/09/xmldsig#"


def recorded(shared: Path) -> dict[str, list[str]]:
    """What is on record for each signature of each file, such as "sigOK/digOK(self) rsa-sha1"."""
    with (shared / "cap" / "corpus" / "SIGNATURES.tsv").open(encoding="utf-8", newline="") as table:
        _, *rows = csv.reader(table, delimiter="\t")
    return {row[0]: [" ".join(part.split()[:2]) for part in row[4].split("||")] for row in rows}


def told(facts: Facts) -> str:
    if facts.problem and not facts.algorithm:
        return "no SignedInfo"
    covers = f"digOK({facts.coverage})" if facts.coverage else "digBAD(all)"
    return f"{'sigOK' if facts.fits else 'sigBAD'}/{covers} {facts.algorithm}"


def explained() -> dict[str, str]:
    """The files of the table of differences in the docs, with what is said to be on record and what is found."""
    rows = re.findall(r"^\| `([^`]+\.xml)` \| ([^|]+) \| ([^|]+) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    return {name: f"{old.strip()} -> {new.strip()}" for name, old, new in rows}


def test_the_facts_are_those_on_record_but_for_what_the_docs_explain(shared_path: Path) -> None:
    different: dict[str, str] = {}
    files = recorded(shared_path)
    for name, record in files.items():
        found = [told(each) for each in examine((shared_path / "cap" / "corpus" / name).read_bytes())]
        if found != record:
            different[name] = f"{' and '.join(record)} -> {' and '.join(found)}"
    assert len(files) == 30
    assert different == explained()


def test_where_the_record_is_wrong_another_canonical_form_fits_too(shared_path: Path) -> None:
    """Python's own, of SignedInfo as it stands in the file: neither lxml nor libxml2 had a hand in it."""
    for name in explained():
        data = (shared_path / "cap" / "corpus" / name).read_bytes()
        (written, *_) = re.findall(rb"<SignedInfo>.*?</SignedInfo>", data, re.DOTALL)
        alone = written.replace(b"<SignedInfo>", f'<SignedInfo xmlns="{DS}">'.encode(), 1)
        signature = next(etree.fromstring(data).iter(f"{{{DS}}}Signature"))
        parts = parts_of(signature)
        keys = [parts.key, *(each.public_key() for each in parts.certificates)]
        canonical = ET.canonicalize(alone.decode(), with_comments=True).encode()
        assert any(key is not None and fits(parts.method, key, canonical, parts.value) for key in keys), name


def test_the_record_is_what_a_canonical_form_inside_the_document_gives(shared_path: Path) -> None:
    """The reason for the differences: lxml loses the default namespace of an element inside a document."""
    for name in explained():
        root = etree.fromstring((shared_path / "cap" / "corpus" / name).read_bytes())
        signed_info = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}SignedInfo"))
        assert b' xmlns=""' in etree.tostring(signed_info, method="c14n", with_comments=False)


def test_none_is_valid_without_anchors_and_the_indented_ones_are_told(shared_path: Path) -> None:
    indented: set[str] = set()
    for name in recorded(shared_path):
        data = (shared_path / "cap" / "corpus" / name).read_bytes()
        for each in verify(data, (), at=datetime(2024, 7, 1, tzinfo=UTC)):
            assert each.verdict != "valid"
            if "white space" in each.message:
                indented.add(Path(name).name[:2])
    assert indented == {"BF", "SC", "TG"}


def test_a_real_signature_is_valid_at_its_time_under_its_own_pin(shared_path: Path) -> None:
    """Tight again, the warning of Burkina Faso is as it was signed."""
    (file,) = (shared_path / "cap" / "corpus" / "valid").glob("BF_*.xml")
    tight = etree.fromstring(file.read_bytes(), etree.XMLParser(remove_blank_text=True))
    data = etree.tostring(tight)
    (facts,) = examine(data)
    at = datetime(2024, 7, 2, 20, 10, tzinfo=UTC)
    assert [each.verdict for each in verify(data, facts.certificates, at=at)] == ["valid"]
    assert [each.verdict for each in verify(data, facts.certificates, at=at.replace(year=2025))] == [
        "untrusted"
    ]


@pytest.mark.parametrize("name", ["valid/US_athoc_f882740e.xml"])
def test_an_old_digest_is_not_trusted_beside_a_good_signature(shared_path: Path, name: str) -> None:
    data = (shared_path / "cap" / "corpus" / name).read_bytes()
    (facts,) = examine(data)
    at = facts.signers[0].not_valid_before_utc
    (found,) = verify(data, facts.certificates, at=at)
    assert (found.verdict, found.algorithm, "SHA-1" in found.message) == ("untrusted", "rsa-sha256", True)


def test_the_examples_of_the_page_run_as_printed() -> None:
    failed, tried = doctest.testfile(
        str(DOCS), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert failed == 0
    assert tried > 10
