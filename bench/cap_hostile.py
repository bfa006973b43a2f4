"""`cap.hostile*`: what documents made to hurt cost a process that is already warm.

Owns three rows: the slowest refusal (s), the most memory that one adds (MB), and the slowest of the largest documents
that the limits let through (s). Each is read, checked and cut into segments in a child of this process, so that its
peak of memory is its own.
"""

from __future__ import annotations

import gc
import math
import os
import pickle
import resource
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from alerting.cap.area import ground
from alerting.cap.limits import LIMITS
from alerting.cap.rules import check
from alerting.cap.segment import segments
from alerting.cap.xml import read

SAMPLES = 3
_SOUND = b"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>river-2026-1</identifier><sender>river.example</sender><sent>2026-03-01T09:00:00+08:00</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info>
    <language>en</language><category>Met</category><event>Flood</event>
    <urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>
    <expires>2026-03-01T15:00:00+08:00</expires><headline>The river rises</headline>
    <description>TEXT</description>
    <area><areaDesc>Plain</areaDesc>AREA</area>
  </info>
</alert>
"""


def rows() -> list[dict[str, Any]]:
    """Time, memory, and time of the largest; references are null."""
    refusals = [[_cost(data) for data in map(_call, REFUSED)] for _ in range(SAMPLES)]
    allowed = [[_cost(data) for data in map(_call, ALLOWED)] for _ in range(SAMPLES)]
    assert not any(accepted for run in refusals for _, _, accepted in run)
    return [
        _row("cap.hostile", "s", 0.2, [max(seconds for seconds, _, _ in run) for run in refusals]),
        _row("cap.hostile_memory", "MB", 64, [max(added for _, added, _ in run) for run in refusals]),
        _row("cap.hostile_largest", "s", 1, [max(seconds for seconds, _, _ in run) for run in allowed]),
    ]


def _row(name: str, unit: str, goal: float, values: list[float]) -> dict[str, Any]:
    samples = [[value, None] for value in values]
    return {
        "name": name, "value": median(values), "unit": unit, "reference": None, "goal": goal, "samples": samples
    }  # fmt: skip


def _call(make: Callable[[], bytes]) -> bytes:
    return make()


def _cost(data: bytes) -> tuple[float, float, bool]:
    """Seconds, MB added at the peak, and whether an alert came out of it without an error."""
    take(_SOUND)  # warm
    gc.collect()
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = perf_counter()
        accepted = take(data)
        seconds = perf_counter() - began
        added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        os.write(there, pickle.dumps((seconds, added, accepted)))
        os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    found: tuple[float, float, bool] = pickle.loads(answer)  # noqa: S301 - our own child wrote it
    return found


def take(data: bytes) -> bool:
    """All that is done with a document as it comes in; whether nothing in it was an error."""
    document = read(data)
    findings = check(document)
    if document.alert is None:
        return False
    for segment in segments(document.alert):
        for area in segment.area:
            ground(area)
    return not any(finding.severity == "error" for finding in findings)


# ---- documents ----


def _with(area: str, text: str = "The river rises.") -> bytes:
    """A sound document with this inside its area, and this as its description."""
    return _SOUND.replace(b"AREA", area.encode()).replace(b"TEXT", text.encode())


def entities() -> bytes:
    """1 MB of entities, each ten times the one before."""
    head = '<?xml version="1.0"?>\n<!DOCTYPE alert [<!ENTITY e0 "water">'
    nested = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12_500))
    return (head + nested + "]>\n").encode() + _with("", "&e9;")


def undeclared() -> bytes:
    """1 MB of entities that nothing declares."""
    return _with("", "&lol;" * 200_000)


def points() -> bytes:
    """10^6 points in one polygon."""
    return _with(f"<polygon>{'1,1 ' * 1_000_000}</polygon>")


def points_within_bytes() -> bytes:
    """As many points as the bytes allow."""
    return _with(f"<polygon>{'1,1 ' * (LIMITS.size // 4 - 1_000)}</polygon>")


def depth() -> bytes:
    """10^5 elements inside each other."""
    return _with("<a>" * 100_000 + "</a>" * 100_000)


def text() -> bytes:
    """50 MB of text."""
    return _with("", "water " * 8_500_000)


def elements() -> bytes:
    """More elements than the limit."""
    return _with("<geocode/>" * 40_000)


REFUSED: tuple[Callable[[], bytes], ...] = (
    entities, undeclared, points, points_within_bytes, depth, text, elements
)  # fmt: skip


def coast() -> bytes:
    """One ring of nearly all the points that are allowed, each written long."""
    count = LIMITS.points - 1_000
    turns = [2 * math.pi * n / count for n in range(count)]
    ring = [(5 * math.sin(a) + math.sin(40 * a), 5 * math.cos(a) + math.cos(40 * a) / 3) for a in turns]
    return _with("<polygon>" + " ".join(f"{y:.5f},{x:.5f}" for y, x in [*ring, ring[0]]) + "</polygon>")


def comb() -> bytes:
    """Two rings whose teeth cross each other wherever they can."""
    teeth = 20_000
    up = [f"{(n % 2) * 10},{n / teeth * 10:.5f}" for n in range(teeth)]
    across = [f"{n / teeth * 10:.5f},{(n % 2) * 10}" for n in range(teeth)]
    rings = ([*up, "-1,10", "-1,0", up[0]], [*across, "10,-1", "0,-1", across[0]])
    return _with("".join(f"<polygon>{' '.join(ring)}</polygon>" for ring in rings))


def crossed() -> bytes:
    """One ring that crosses itself as often as it can."""
    teeth = 20_000
    up = [f"{(n % 2) * 10},{n / teeth * 10:.5f}" for n in range(teeth)]
    across = [f"{n / teeth * 10:.5f},{(n % 2) * 10}" for n in range(teeth)]
    return _with(f"<polygon>{' '.join([*up, *across, up[0]])}</polygon>")


def stairs() -> bytes:
    """Thousands of thin polygons, the boxes of which all overlap while the polygons do not."""
    strips = (
        f"<polygon>{n / 1000:.4f},0 {n / 1000 + 20:.4f},20 {n / 1000 + 20.0004:.4f},20 {n / 1000 + 0.0004:.4f},0 "
        f"{n / 1000:.4f},0</polygon>"
        for n in range(LIMITS.points // 5 - 100)
    )
    return _with("".join(strips))


def codes() -> bytes:
    """As many elements as are allowed."""
    count = LIMITS.elements // 3 - 20
    return _with("<geocode><valueName>SAME</valueName><value>006037</value></geocode>" * count)


def words() -> bytes:
    """As much text as is allowed."""
    return _with("", "water &amp; mud " * ((LIMITS.size - 10_000) // 16))


ALLOWED: tuple[Callable[[], bytes], ...] = (coast, comb, crossed, stairs, codes, words)
