"""The invented subscribers of the demo: a list in the form that `alerting subscribers import` takes.

Owns who lives where: most where the warning is, the others around. Pure but for reading the warning; numbers are of the
ranges kept for fiction (+1 xxx 555 01xx), mailboxes of example.org. Invariant: the same warning and seed make the same
people.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from alerting.cap import area
from alerting.cap.model import Alert

LANGUAGES: Final = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")

# Area codes in use: with 555-01xx behind them a number is well-formed and nobody's.
_AREA_CODES: Final = (202, 206, 212, 303, 305, 312, 404, 415, 503, 512, 602, 612, 617, 702, 713, 808)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the warning is: the codes that it names and their neighbours', and the ground of its polygons."""

    inside: tuple[str, ...]
    around: tuple[str, ...]
    ground: BaseGeometry


def codes_of(alert: Alert) -> tuple[str, ...]:
    """The geocode values of every area, each once, in order."""
    return tuple(
        dict.fromkeys(code.value for info in alert.info for place in info.area for code in place.geocode)
    )


def ground_of(alert: Alert) -> BaseGeometry:
    """The union of every polygon and circle."""
    shapes = (area.ground(place) for info in alert.info for place in info.area)
    return shapely.union_all([shape for shape in shapes if shape is not None])


def people(setting: Setting, number: int, *, seed: int = 1) -> Iterator[str]:
    """The lines of a CSV file with `number` people: half by SMS, half by e-mail; some follow regions, some a point."""
    chance = random.Random(seed)  # noqa: S311 - invented people, not secrets
    spots = _spots(setting.ground, chance)
    yield _line(["external_id", "phone", "email", "language", "regions", "lat", "lon"])
    for n in range(number):
        phone, mailbox = (_phone(n // 2), "") if n % 2 == 0 else ("", f"reader{n:05d}@example.org")
        language = LANGUAGES[n % 4 if chance.random() < 0.4 else n % len(LANGUAGES)]
        lat = lon = codes = ""
        if chance.random() < 0.6:
            codes = chance.choice(
                setting.inside if chance.random() < 0.6 else setting.around or setting.inside
            )
        else:
            spot = next(spots)
            lat, lon = f"{spot.y:.5f}", f"{spot.x:.5f}"
        yield _line([f"demo-{n:05d}", phone, mailbox, language, codes, lat, lon])


def _phone(n: int) -> str:
    return f"+1{_AREA_CODES[n // 100 % len(_AREA_CODES)]}55501{n % 100:02d}"


def _spots(ground: BaseGeometry, chance: random.Random) -> Iterator[shapely.Point]:
    """Points without end, about half of them on the ground and the others near it."""
    west, south, east, north = ground.bounds
    while True:
        wide = 0.0 if chance.random() < 0.5 else 0.5
        spot = shapely.Point(
            chance.uniform(max(-180.0, west - wide), min(180.0, east + wide)),
            chance.uniform(max(-89.0, south - wide), min(89.0, north + wide)),
        )
        if wide or ground.contains(spot):
            yield spot


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
