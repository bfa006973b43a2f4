"""Which property of a feature is what: its code, parent, names, time zone and the codes of other schemes.

Imports store's spelling of keys, nothing else of the service. Invariant: a Place that comes out has a code and a name,
and every geocode in the spelling under which it will be looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

import shapely

from alerting.gazetteer.errors import Problem, Refused
from alerting.gazetteer.features import Feature
from alerting.store.regions import scheme_key, value_key


@dataclass(frozen=True, slots=True)
class Mapping:
    """The properties of a file.

    `code` is required of each feature. `parent` holds the code of the region above; `under` is that code for the
    features that have none. `names` are (language, property) pairs; with none, the property `names` holds an object of
    names by language, or `name` one in English. `geocodes` are (scheme, property) pairs.
    """

    code: str = "code"
    parent: str = "parent"
    under: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    time_zone: str = "time_zone"
    geocodes: tuple[tuple[str, str], ...] = ()


#: Of the built-in file.
BUILTIN = Mapping(geocodes=(("ISO3166-2", "code"),))


@dataclass(frozen=True, slots=True)
class Place:
    """One region of a file; `stated_country` is the file's name of the parent, for a country that has no row yet."""

    pointer: str
    code: str
    parent: str | None
    names: dict[str, str]
    geocodes: tuple[tuple[str, str], ...]
    time_zone: str | None
    geometry: shapely.Geometry | None
    stated_country: str | None = None


def places(features: Sequence[Feature], mapping: Mapping) -> list[Place]:
    """The regions of a file; raises Refused with everything that is missing or wrong, by pointer."""
    problems: list[Problem] = []
    found = [_place(feature, mapping, problems) for feature in features]
    first: dict[str, str] = {}
    problems += [
        Problem(
            f"{place.pointer}/properties/{mapping.code}",
            f"{place.code} is the code of {first[place.code]} too",
        )
        for place in found
        if place.code and first.setdefault(place.code, place.pointer) != place.pointer
    ]
    if not found:
        problems.append(Problem("", "holds no features"))
    if problems:
        raise Refused(problems)
    return found


def _place(feature: Feature, mapping: Mapping, problems: list[Problem]) -> Place:
    at = f"{feature.pointer}/properties"
    stated = feature.properties
    code = value_key(_text(stated.get(mapping.code)) or "")
    if not code:
        problems.append(Problem(f"{at}/{mapping.code}", "is missing: each region needs a code (see --code)"))
    names = _names(stated, mapping)
    if not names:
        wanted = ", ".join(name for _, name in mapping.names) or "names"
        problems.append(Problem(f"{at}/{wanted}", "is missing: each region needs a name (see --name)"))
    zone = _text(stated.get(mapping.time_zone))
    if zone is not None and zone not in available_timezones():
        problems.append(Problem(f"{at}/{mapping.time_zone}", "is no IANA time zone, such as Europe/Paris"))
    geocodes = [
        (scheme_key(scheme), value_key(value))
        for scheme, name in mapping.geocodes
        for value in _texts(stated.get(name))
    ]
    parent = value_key(_text(stated.get(mapping.parent)) or mapping.under or "") or None
    if parent is not None and parent == code:
        problems.append(Problem(f"{at}/{mapping.parent}", "is the region itself"))
    return Place(
        pointer=feature.pointer,
        code=code,
        parent=parent,
        names=names,
        geocodes=tuple(dict.fromkeys(geocodes)),
        time_zone=zone,
        geometry=feature.geometry,
        stated_country=_text(stated.get("country")),
    )


def _names(stated: dict[str, Any], mapping: Mapping) -> dict[str, str]:
    if mapping.names:
        pairs = [(language, _text(stated.get(name))) for language, name in mapping.names]
    elif isinstance(stated.get("names"), dict):
        pairs = [(str(language), _text(name)) for language, name in stated["names"].items()]
    else:
        pairs = [("en", _text(stated.get("name")))]
    return {language: name for language, name in pairs if name}


def _text(value: object) -> str | None:
    """A property as text; numbers are codes that lost their quotes. None for what is empty or cannot be stored."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    written = str(value).strip()
    storable = written.isprintable() or not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in written)
    return written if written and storable else None


def _texts(value: object) -> list[str]:
    """A property that holds one code or an array of them."""
    many = value if isinstance(value, list) else [value]
    return [found for found in map(_text, many) if found]
