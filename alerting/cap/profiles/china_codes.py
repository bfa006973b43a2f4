"""The codes of China's warnings: identifiers, regions, classes and grades, read from text.

Owns the forms of GB/T 35965.1 (identifier), GB/T 2260 (regions), GB/T 35561 (classes) and the four grades with their
colours. Must not import rules. Invariant: what a text does not say is None, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from alerting.cap.model import Category, Severity

BEIJING: Final = timezone(timedelta(hours=8))

# GB/T 2260: the first two of the six digits are a province, a municipality or a special administrative region.
_PROVINCES = frozenset(
    f"{block}{n}"
    for block, numbers in {
        1: "12345",
        2: "123",
        3: "1234567",
        4: "123456",
        5: "01234",
        6: "12345",
        7: "1",
        8: "12",
    }.items()
    for n in numbers
)
_NATION = frozenset({"000000", "100000"})


def is_region(code: str) -> bool:
    """Whether six digits can be a region of GB/T 2260: the nation, or a place in one of its provinces."""
    return code in _NATION or (len(code) == 6 and code.isdecimal() and code[:2] in _PROVINCES)


@dataclass(frozen=True, slots=True)
class MessageId:
    """The fields of `ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N`; `serial` is None in the form that the CMA's feed uses."""

    region: str
    agency: str
    unit: str
    extension: str
    entered: str
    serial: str | None

    @property
    def issuer(self) -> str:
        return self.region + self.agency + self.unit + self.extension

    @property
    def time(self) -> datetime | None:
        """When it was entered, in Beijing time; None where the 14 digits are no time."""
        try:
            return datetime.strptime(self.entered, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        except ValueError:
            return None


_MESSAGE_ID = re.compile(r"([0-9]{6})([0-9]{3})([0-9]{3})([0-9]{2})_([0-9]{14})(?:_([0-9]))?")


def message_id(text: str) -> MessageId | None:
    """The identifier's fields; None where it has not this form."""
    found = _MESSAGE_ID.fullmatch(text.strip())
    return MessageId(*found.groups()) if found else None


class Class(StrEnum):
    """The four classes of emergencies, by their names; GB/T 35561 codes begin with 1 to 4 in this order."""

    NATURAL = "自然灾害"
    ACCIDENT = "事故灾难"
    HEALTH = "公共卫生事件"
    SECURITY = "社会安全事件"


_N, _A, _H, _S = Class
CATEGORIES: Final[dict[Category, frozenset[Class]]] = {
    Category.GEO: frozenset({_N}),
    Category.MET: frozenset({_N}),
    Category.SAFETY: frozenset({_A, _N, _S}),
    Category.SECURITY: frozenset({_S}),
    Category.RESCUE: frozenset(Class),
    Category.FIRE: frozenset({_N, _A}),
    Category.HEALTH: frozenset({_H}),
    Category.ENV: frozenset({_N, _A, _H}),
    Category.TRANSPORT: frozenset({_A}),
    Category.INFRA: frozenset({_A}),
    Category.CBRNE: frozenset({_A, _H, _S}),
    Category.OTHER: frozenset(Class),
}
"""The classes that each CAP category can belong to; a warning is of one class."""

_EVENT_CODE = re.compile(r"([0-9])[0-9][A-Z][0-9]{2}")
_CLASS_NAMES = {name: kind for kind in Class for name in (kind.value, kind.value.removesuffix("事件"))}


def class_name(text: str) -> Class | None:
    """The class that is written out, with or without its last word."""
    return _CLASS_NAMES.get(text.strip())


def class_digit(text: str) -> int | None:
    """The first digit of an event code of GB/T 35561 such as 11B17: 1 to 4 are the classes; None: another code."""
    found = _EVENT_CODE.fullmatch(text.strip())
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade of warning, I to IV, its colour, and the CAP severity that stands for it."""

    roman: str
    colour: str
    severity: Severity


GRADES: Final = (
    Grade("Ⅰ", "红", Severity.EXTREME),
    Grade("Ⅱ", "橙", Severity.SEVERE),
    Grade("Ⅲ", "黄", Severity.MODERATE),
    Grade("Ⅳ", "蓝", Severity.MINOR),
)
_NUMERALS = {"I": 0, "II": 1, "III": 2, "IV": 3}
_ROMAN = re.compile(r"(?<![A-Za-z])(I{1,3}|IV)\s*级|\bLevel\s+(I{1,3}|IV)\b|\[(I{1,3}|IV)/", re.IGNORECASE)
_COLOURS = {"红": 0, "橙": 1, "黄": 2, "蓝": 3, "red": 0, "orange": 1, "yellow": 2, "blue": 3}
_COLOUR = re.compile(r"([红橙黄蓝])色|\b(red|orange|yellow|blue)\b", re.IGNORECASE)


def grades_in(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Which of GRADES a headline names by number, and which by colour, as indexes."""
    plain = unicodedata.normalize("NFKC", text)  # Ⅲ is one character, III are three
    return (
        frozenset(_NUMERALS[next(filter(None, found.groups())).upper()] for found in _ROMAN.finditer(plain)),
        frozenset(_COLOURS[next(filter(None, found.groups())).lower()] for found in _COLOUR.finditer(plain)),
    )
