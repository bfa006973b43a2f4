"""What somebody may ask for, and the checks that turn it into what is stored; the same for the API, files and texts.

Pure but for `Regions`, which reads codes and finds the smallest region around a point. Every check raises `Wrong` with what is
wrong and how to mend it; the callers collect them and add where it was. Must not write.
Invariant: no text made here holds an address.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import langcodes
from sqlalchemy.orm import Session

from alerting.store import regions
from alerting.store.cells import cell_of
from alerting.store.states import Floor
from alerting.store.subscribers import HAZARDS, Place

#: So many follows have room in one request or row: whoever wants more wants a region above.
MOST_FOLLOWS = 100


class Wrong(ValueError):
    """Something that cannot be stored; `mend` says what to write instead."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}: {mend}")
        self.problem = problem
        self.mend = mend


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address as it was written: channel "sms" or "email"."""

    channel: str
    written: str


@dataclass(frozen=True, slots=True)
class RegionFollow:
    """Follow a region by its code; `hazards` are CAP categories, None or empty for all."""

    region: str
    floor: Floor = Floor.ANY
    hazards: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class PointFollow:
    """Follow a point, in degrees WGS 84."""

    lat: float
    lon: float
    floor: Floor = Floor.ANY
    hazards: Sequence[str] | None = None


Follow = RegionFollow | PointFollow


@lru_cache(maxsize=1024)
def language_of(written: str) -> str:
    """A language tag in its usual spelling (BCP 47: "zh_hans" -> "zh-Hans"); raises Wrong."""
    mend = "write a tag such as en, zh-Hans or fr-CA"
    try:
        valid = langcodes.tag_is_valid(written)
        tag = str(langcodes.standardize_tag(written)) if valid else ""
    except (ValueError, LookupError):  # langcodes raises its own subclasses for what it cannot take apart
        tag = ""
    if not tag:
        raise Wrong("this is not a language tag (BCP 47)", mend)
    if tag.partition("-")[0] in {"und", "mul", "zxx", "mis"}:
        raise Wrong("this tag names no language that somebody reads", mend)
    return tag


_FLOORS = {floor.name.casefold(): floor for floor in Floor} | {str(int(floor)): floor for floor in Floor}
_FLOORS["unknown"] = Floor.ANY


def floor_of(written: str) -> Floor:
    """A floor of severity by name or number; empty is any; raises Wrong."""
    floor = _FLOORS.get(written.strip().casefold() or "any")
    if floor is None:
        raise Wrong("this is not a severity", "write any, minor, moderate, severe or extreme")
    return floor


_HAZARDS = {hazard.casefold(): hazard for hazard in HAZARDS}


def hazards_of(written: Sequence[str]) -> tuple[str, ...] | None:
    """CAP categories in alphabetical order, None for all; raises Wrong with the number of the first that is none."""
    found = set()
    for number, word in enumerate(written, 1):
        hazard = _HAZARDS.get(word.strip().casefold())
        if hazard is None:
            raise Wrong(f"word {number} is not a CAP category", f"use {', '.join(HAZARDS)}")
        found.add(hazard)
    return tuple(sorted(found)) or None


def latitude_of(degrees: float) -> float:
    """Rounded to 0.1 m: nobody's place is known better, and equal points must be equal; raises Wrong."""
    if not (math.isfinite(degrees) and -90 <= degrees <= 90):
        raise Wrong("the latitude is out of bounds", "write degrees from -90 to 90")
    return round(degrees, 6)


def longitude_of(degrees: float) -> float:
    """As `latitude_of`, for longitudes."""
    if not (math.isfinite(degrees) and -180 <= degrees <= 180):
        raise Wrong("the longitude is out of bounds", "write degrees from -180 to 180")
    return round(degrees, 6)


def external_id_of(written: str | None) -> str | None:
    """The id that the sender of a list knows a person by, None when empty; raises Wrong."""
    external_id = (written or "").strip()
    if len(external_id) > 200 or not external_id.isprintable():
        raise Wrong(
            "the external id is too long or holds control characters", "use at most 200 printable characters"
        )
    return external_id or None


_CODE = re.compile(r"[A-Z]{1,3}[A-Z0-9._:/-]{0,12}")


def shown(written: str) -> str:
    """A value as it may be repeated to whoever sent it: only what looks like a code, never what may be an address."""
    key = regions.value_key(written)
    looks_like_a_code = _CODE.fullmatch(key) and sum(c.isdigit() for c in key) < 7
    return f"{key!r} " if looks_like_a_code else ""


class Regions:
    """Codes and points as regions, read once for many rows."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._codes: dict[str, int | None] = {}
        self._locator: regions.Locator | None = None

    def on(self, session: Session) -> Regions:
        """The same knowledge for another transaction."""
        self._session = session
        return self

    def learn(self, codes: Sequence[str]) -> None:
        """Look up codes that will be asked for, in one statement."""
        new = {regions.value_key(code) for code in codes} - self._codes.keys()
        if new:
            found = regions.ids_of(self._session, new)
            self._codes.update({code: found.get(code) for code in new})

    def id_of(self, code: str) -> int:
        """The id of a region by code, in any case; raises Wrong."""
        self.learn([code])
        found = self._codes[regions.value_key(code)]
        if found is None:
            raise Wrong(
                f"region {shown(code)}is not known", "use a code of the list of regions, such as CN-AH"
            )
        return found

    def around(self, points: Sequence[tuple[float, float]]) -> list[int | None]:
        """The smallest region around each (lat, lon), None at sea."""
        if not points:
            return []
        if len(points) == 1 and self._locator is None:  # reading every border for one point would take longer
            return [regions.smallest_at(self._session, *points[0])]
        if self._locator is None:
            self._locator = regions.Locator(self._session)
        lats, lons = zip(*points, strict=True)
        return self._locator.smallest(lats, lons)


def place_at(
    lat: float, lon: float, region: int | None, floor: Floor, hazards: tuple[str, ...] | None
) -> Place:
    """A checked point with the cell in which it is found."""
    return Place(region, lat, lon, cell_of(lat, lon), floor, hazards)
