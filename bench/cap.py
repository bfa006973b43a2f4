"""`cap.vs_xsd`: everything done with a CAP document as it comes in, against the schema's verdict alone.

Owns one row. Ours is read, segments, every rule and write; the reference is lxml's parser and the OASIS schema, built
once. Of the corpus's CAP 1.2 files of 4.6 to 5.6 kB the one with the worst ratio is shown. Needs the folder `shared`
(ALERTING_SHARED, else beside the checkout); without it there is no row.
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

GOAL = 0.15
SAMPLES = 7
ROUNDS = 400
SIZES = range(4_600, 5_601)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def rows(shared: Path | None = None) -> list[dict[str, Any]]:
    """The row; value and reference are documents a second, the samples alternate."""
    shared = shared or Path(
        os.environ.get("ALERTING_SHARED") or Path(__file__).resolve().parents[2] / "shared"
    )
    xsd = shared / "cap" / "CAP-v1.2.xsd"
    if not xsd.is_file():
        return []
    schema = etree.XMLSchema(etree.parse(xsd))
    files = _files(shared / "cap" / "corpus")
    worst = min(files, key=lambda data: _ratio(_samples(data, schema, samples=3, rounds=100)))
    samples = _samples(worst, schema, samples=SAMPLES, rounds=ROUNDS)
    return [
        {
            "name": "cap.vs_xsd",
            "value": median(value for value, _ in samples),
            "unit": "documents/s",
            "reference": median(reference for _, reference in samples),
            "goal": GOAL,
            "samples": samples,
        }
    ]


def _files(corpus: Path) -> list[bytes]:
    """The CAP 1.2 documents of the size in question that can be read at all: a refusal would be quicker."""
    sized = [file.read_bytes() for file in sorted(corpus.glob("*/*.xml")) if file.stat().st_size in SIZES]
    return [data for data in sized if read(data).alert is not None]


def _samples(data: bytes, schema: etree.XMLSchema, *, samples: int, rounds: int) -> list[list[float]]:
    def ours() -> None:
        document = read(data)
        assert document.alert is not None
        check(document)
        segments(document.alert)
        write(document.alert)

    def reference() -> None:
        schema.validate(etree.fromstring(data, _PARSER))

    ours()
    reference()
    return [[_rate(ours, rounds), _rate(reference, rounds)] for _ in range(samples)]


def _rate(work: Callable[[], None], rounds: int) -> float:
    began = perf_counter()
    for _ in range(rounds):
        work()
    return rounds / (perf_counter() - began)


def _ratio(samples: list[list[float]]) -> float:
    return median(value for value, _ in samples) / median(reference for _, reference in samples)
