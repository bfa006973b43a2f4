"""MeteoAlarm, the European exchange of weather warnings: rules EU-01 to EU-05.

Owns the awareness level and type, which MeteoAlarm shows instead of CAP's severity and event. Both are "number; name"
texts that issuers fill by hand. Invariant: number and name are compared with each other; neither is trusted alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, Info, Severity
from alerting.cap.profiles import demands
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule

PROFILE: Final = Profile(
    "meteoalarm",
    "MeteoAlarm (EUMETNET)",
    "MeteoAlarm CAP profile as its members' issuing software and documents write it",
)
_rule = partial(rule, profile=PROFILE.name)

LEVELS: Final = {
    "1": ("green", Severity.MINOR),
    "2": ("yellow", Severity.MODERATE),
    "3": ("orange", Severity.SEVERE),
    "4": ("red", Severity.EXTREME),
}
TYPES: Final = {
    "1": "Wind",
    "2": "snow-ice",
    "3": "Thunderstorm",
    "4": "Fog",
    "5": "high-temperature",
    "6": "low-temperature",
    "7": "coastalevent",
    "8": "forest-fire",
    "9": "avalanches",
    "10": "Rain",
    "12": "flooding",
    "13": "rain-flood",
}
GEOCODES: Final = frozenset({"EMMA_ID", "NUTS2", "NUTS3", "FIPS", "WARNCELLID"})
_NOT_LETTERS = re.compile(r"[^a-z]+")


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", text.casefold())


_TYPE_LETTERS = {number: _letters(name) for number, name in TYPES.items()}


def _level(info: Info) -> tuple[int, Severity | None] | None:
    """Where the awareness level stands and what it says: None where it is not one of the four."""
    for n, value in demands.values(info.parameter, "awareness_level"):
        parts = [part.strip().casefold() for part in value.split(";")]
        colour, severity = LEVELS.get(parts[0], (None, None))
        whole = severity is not None and parts[1:] == [colour, severity.value.casefold()]
        return n, severity if whole else None
    return None


@_rule("EU-01", clause="MeteoAlarm: parameter awareness_level", severity=ERROR, needs=("parameter",))
def awareness_level(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has an awareness level: number, colour and severity of one of the four."""
    for i, info in enumerate(alert.info):
        level = _level(info)
        if level is None:
            yield Fault(
                ("info", i, "parameter"),
                'MeteoAlarm colours by awareness_level: add this parameter, such as "3; orange; Severe"',
            )
        elif level[1] is None:
            yield Fault(
                ("info", i, "parameter", level[0], "value"),
                'write "1; green; Minor", "2; yellow; Moderate", "3; orange; Severe" or "4; red; Extreme"',
            )


@_rule("EU-02", clause="MeteoAlarm: parameter awareness_type", severity=ERROR, needs=("parameter",))
def awareness_type(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has an awareness type: a number of the list and its name."""
    for i, info in enumerate(alert.info):
        given = list(demands.values(info.parameter, "awareness_type"))
        if not given:
            yield Fault(
                ("info", i, "parameter"),
                'MeteoAlarm chooses its symbol by awareness_type: add this parameter, such as "10; Rain"',
            )
        for n, value in given:
            number, _semicolon, name = (part.strip() for part in value.partition(";"))
            place = ("info", i, "parameter", n, "value")
            if number not in TYPES:
                yield Fault(place, f'"number; name" with a number of {", ".join(TYPES)}: correct it')
            elif _letters(name) != _TYPE_LETTERS[number]:
                yield Fault(
                    place, f'{number} is named "{TYPES[number]}": say which of the two is meant', WARNING
                )


@_rule("EU-03", clause="MeteoAlarm: geocode", severity=WARNING, needs=("geocode",), about="areas")
def known_geocodes(_: Alert, case: Case) -> Iterator[Fault]:
    """Each area has an EMMA_ID, NUTS, FIPS or WARNCELLID code."""
    for place, area in case.areas:
        if GEOCODES.isdisjoint(code.value_name.strip() for code in area.geocode):
            yield Fault(
                (*place, "geocode"),
                f"MeteoAlarm finds areas by one of {', '.join(sorted(GEOCODES))}: add one",
            )


@_rule("EU-04", clause="MeteoAlarm: language", severity=WARNING, needs=("language",))
def english_among_the_languages(alert: Alert, case: Case) -> Iterator[Fault]:
    """One info is in English, and each language has one info."""
    if alert.info and not any(demands.speaks(info, "en") for info in alert.info):
        yield Fault(("info",), "travellers read English: add an info in en-GB")
    seen: set[str] = set()
    for i, info in enumerate(case.several):
        tag = demands.language(info)
        if tag in seen:
            yield Fault(("info", i, "language"), "this language has an info already: send another alert")
        seen.add(tag)


@_rule("EU-05", clause="MeteoAlarm: severity", severity=WARNING, needs=("severity", "parameter"))
def level_and_severity_agree(alert: Alert, _: Case) -> Iterator[Fault]:
    """The awareness level and the severity say the same."""
    for i, info in enumerate(alert.info):
        level = _level(info)
        if level is not None and level[1] is not None and level[1] is not info.severity:
            yield Fault(
                ("info", i, "severity"),
                f"the awareness level says {level[1]}, the severity {info.severity}: make them equal",
            )
