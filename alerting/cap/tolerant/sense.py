"""A value that has CAP's form and does not make sense: times that end before they begin, Unknown beside a colour.

Works on the model alone, after reading. Imports the model. Invariant: sense is made only of what the message itself says,
never from outside it, and no area is widened.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerting.cap.model import Alert, Area, Info, Severity
from alerting.cap.tolerant.mends import Notes

_LIFE: Final = timedelta(days=366)
_SCALES: Final = frozenset(
    {"awarenesslevel", "semaforo", "alertcolor", "websitecolor", "warningcolor", "color", "colour"}
)
_COLOURS: Final = {
    Severity.EXTREME: ("red", "rojo", "roja", "rouge", "紅", "紅色", "红", "红色"),
    Severity.SEVERE: ("orange", "naranja", "amber", "橙", "橙色"),
    Severity.MODERATE: ("yellow", "amarillo", "amarilla", "jaune", "黃", "黃色", "黄", "黄色"),
    Severity.MINOR: (
        "green",
        "verde",
        "vert",
        "blue",
        "azul",
        "bleu",
        "綠",
        "綠色",
        "绿",
        "绿色",
        "藍",
        "藍色",
        "蓝",
        "蓝色",
    ),
}
_BY_COLOUR: Final = {word: severity for severity, words in _COLOURS.items() for word in words}
_PLACES: Final = re.compile(
    r"(?:^|[:_\s.])(?:regi[oó]n|regions|regiones|areas?|locations?|places?|province|ubicaci[oó]n|localizaci[oó]n|lugar|zona|"
    r"trayectoria)(?:$|[:_\s.0-9])"
)


def made(alert: Alert, notes: Notes) -> Alert:
    """The alert with its infos made sensible."""
    infos = tuple(_info(info, alert.sent, n, notes) for n, info in enumerate(alert.info))
    return replace(alert, info=infos) if infos != alert.info else alert


def _info(info: Info, sent: datetime, n: int, notes: Notes) -> Info:
    info = _times(info, sent, n, notes)
    if info.severity is Severity.UNKNOWN and (severity := _severity(info)) is not None:
        notes.add(
            "T-15",
            ("info", n, "severity"),
            f"severity is Unknown and a parameter says a colour: {severity} was taken",
        )
        info = replace(info, severity=severity)
    if not info.area and (place := _place(info)):
        notes.add(
            "T-09", ("info", n, "area"), "no area, but a parameter names a place: it was taken as areaDesc"
        )
        info = replace(info, area=(Area(place),))
    return info


def _times(info: Info, sent: datetime, n: int, notes: Notes) -> Info:
    """An expiry before the sending says nothing about the warning: the recipient's own maximum life then holds."""
    expires = info.expires
    if expires is None:
        return info
    at = ("info", n, "expires")
    if expires <= sent:
        notes.add(
            "T-17",
            at,
            "expires is not later than sent: it was left out, and the recipient's own maximum life holds",
        )
        return replace(info, expires=None)
    if expires - sent > _LIFE:
        notes.add("T-17", at, "expires is more than a year after sent: it was set to a year")
        expires = sent + _LIFE
        info = replace(info, expires=expires)
    if info.effective is not None and info.effective >= expires:
        told = "effective is not earlier than expires: it was left out, so that the warning holds from its sending"
        notes.add("T-17", ("info", n, "effective"), told)
        return replace(info, effective=None)
    return info


def _severity(info: Info) -> Severity | None:
    """What the parameters' colours say, where they agree."""
    found = set()
    for pair in info.parameter:
        if _letters(pair.value_name).rpartition(":")[2] in _SCALES:
            words = re.split(r"[;,\s]+", pair.value.lower())
            found |= {_BY_COLOUR[word] for word in words if word in _BY_COLOUR}
    return found.pop() if len(found) == 1 else None


def _letters(name: str) -> str:
    flat = unicodedata.normalize("NFD", name.lower())
    return "".join(letter for letter in flat if letter.isalpha() or letter == ":")


def _place(info: Info) -> str:
    names = [pair.value.strip() for pair in info.parameter if _PLACES.search(pair.value_name.lower())]
    return "; ".join(dict.fromkeys(name for name in names if name and not name.replace(".", "").isdigit()))
