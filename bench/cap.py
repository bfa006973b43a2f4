"""`cap.*`: CAP documents read, checked, cut into segments and written, against other people's verdicts on the same file.

Owns the ratio rows; the hostile ones lie in `bench.cap_hostile`. A reference does less than ours: `vs_xsd` and
`check_vs_xsd` lxml's parser and the OASIS schema, built once; `check_vs_capvalidator` that package's own entry point
(schema and signature); `check_vs_xmlschema` lxml's parser and that package's schema, built once. Of the corpus's CAP 1.2
files of 4.6 to 5.6 kB the one with the worst ratio is shown. Needs the folder `shared` (ALERTING_SHARED, else beside the
checkout); without it there are no rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from lxml import etree

from alerting.cap.rules import check
from alerting.cap.segment import segments
from alerting.cap.xml import read, write
from bench import cap_hostile

SAMPLES = 7
SIZES = range(4_600, 5_601)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)

Work = Callable[[bytes], object]


def rows(wanted: Callable[[str], bool] = lambda _: True, shared: Path | None = None) -> list[dict[str, Any]]:
    """Values and references are documents a second; samples alternate."""
    shared = shared or Path(
        os.environ.get("ALERTING_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    )
    xsd = shared / "cap" / "CAP-v1.2.xsd"
    made: list[dict[str, Any]] = []
    if xsd.is_file():
        files = _files(shared / "cap" / "corpus")
        for name, ours, reference, goal, rounds in (
            ("cap.vs_xsd", _checked_and_written, _lxml, 0.15, 400),
            ("cap.check_vs_xsd", _checked, _lxml, 0.2, 400),
            ("cap.check_vs_capvalidator", _checked, _capvalidator, 2, 40),
            ("cap.check_vs_xmlschema", _checked, _xmlschema, 2, 40),
        ):
            if wanted(name):
                made.append(_row(name, files, ours, reference(xsd), goal=goal, rounds=rounds))
    return made + (cap_hostile.rows() if wanted("cap.hostile") else [])


def _files(corpus: Path) -> list[bytes]:
    """The CAP 1.2 documents of the size in question that can be read at all: a refusal would be quicker."""
    sized = [file.read_bytes() for file in sorted(corpus.glob("*/*.xml")) if file.stat().st_size in SIZES]
    return [data for data in sized if read(data).alert is not None]


def _checked(data: bytes) -> None:
    document = read(data)
    assert document.alert is not None
    check(document)
    segments(document.alert)


def _checked_and_written(data: bytes) -> None:
    document = read(data)
    assert document.alert is not None
    check(document)
    segments(document.alert)
    write(document.alert)


def _lxml(xsd: Path) -> Work:
    schema = etree.XMLSchema(etree.parse(xsd))
    return lambda data: schema.validate(etree.fromstring(data, _PARSER))


def _capvalidator(_: Path) -> Work:
    from capvalidator import validate_cap_message

    return lambda data: validate_cap_message(data, strict=False)  # not strict: an unsigned file passes


def _xmlschema(xsd: Path) -> Work:
    from xmlschema import XMLSchema

    schema = XMLSchema(str(xsd))
    return lambda data: schema.is_valid(etree.fromstring(data, _PARSER))


def _row(
    name: str, files: list[bytes], ours: Work, reference: Work, *, goal: float, rounds: int
) -> dict[str, Any]:
    def ratio(data: bytes) -> float:
        found = _samples(data, ours, reference, samples=3, rounds=max(5, rounds // 8))
        return max(value for value, _ in found) / max(other for _, other in found)

    samples = _samples(min(files, key=ratio), ours, reference, samples=SAMPLES, rounds=rounds)
    return {
        "name": name,
        "value": median(value for value, _ in samples),
        "unit": "documents/s",
        "reference": median(other for _, other in samples),
        "goal": goal,
        "samples": samples,
    }


def _samples(data: bytes, ours: Work, reference: Work, *, samples: int, rounds: int) -> list[list[float]]:
    ours(data)
    reference(data)
    return [[_rate(ours, data, rounds), _rate(reference, data, rounds)] for _ in range(samples)]


def _rate(work: Work, data: bytes, rounds: int) -> float:
    began = perf_counter()
    for _ in range(rounds):
        work(data)
    return rounds / (perf_counter() - began)
