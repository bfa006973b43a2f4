"""Times as authorities and feeds write them, as aware times.

Imports the standard library and the strict values. Pure: the present is an argument. Invariant: a time that can be read
in two ways is not read; one without a zone is taken with the zone of the rest of the message, else as the widest span.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

from alerting.cap import values

_BUDDHIST: Final = 543
_FIRST: Final = 1900  # null dates of databases (0001-01-01) are no times
_LAST: Final = 2400  # from here on a year is the Buddhist era's
_EARLIEST: Final = timezone(timedelta(hours=14))
_LATEST: Final = timezone(timedelta(hours=-12))
_YEAR: Final = re.compile(r"(?<![0-9])(2[4-7][0-9]{2})(?![0-9])")
_CLOCK: Final = (
    r"(?:[T ,　]*(?P<half>上午|下午|[AaPp]\.?[Mm]\.?)?\s*(?P<hour>\d{1,2})[:.時时](?P<minute>\d{2})"
    r"(?:[:.分](?P<second>\d{2})(?:[.,]\d+)?)?秒?\s*(?P<late>[AaPp]\.?[Mm]\.?)?)?"
)
_ZONE: Final = r"\s*(?:(?P<utc>Z|z|UTC|GMT)|(?:UTC|GMT)?(?P<sign>[+\-−])(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?)?(?:\[[^\]]*\])?"
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})日?" + _CLOCK + _ZONE
)
_YEAR_LAST: Final = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK + _ZONE)
_COMPACT: Final = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T ]?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?"
    + _ZONE
)
_EPOCH: Final = re.compile(r"(1[0-9]{9})([0-9]{3})?")
_NAMED: Final = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that was read: as written or mended, and under which rules of part C."""

    time: datetime
    said: tuple[tuple[str, str], ...] = ()


def zone_of(texts: list[str]) -> tzinfo | None:
    """The one offset that the times of a message agree on, for those that name none."""
    offsets = set()
    for text in texts:
        try:
            offsets.add(values.time(text).utcoffset())
        except values.BadValue:
            continue
    if len(offsets) != 1:
        return None
    offset = offsets.pop()
    return None if offset is None else timezone(offset)


def read(text: str, *, now: datetime | None, zone: tzinfo | None, ends: bool) -> Moment | None:
    """The moment, None when the text is no time or could be two. `ends` says that it closes a span (expires).

    A time without a zone is taken in `zone`, else as early as it can be, or as late where it ends something.
    """
    text = text.strip()
    if len(text) > 60:
        return None
    said: list[tuple[str, str]] = []
    era = _era(text, now)
    if era != text:
        said.append(("T-05", "the year is of the Buddhist era: 543 were subtracted"))
    try:
        moment = values.time(era)
    except values.BadValue:
        odd = _odd(era, zone, ends=ends)
        if odd is None:
            return None
        moment, more = odd
        said += more
    else:
        if values.zero_written_plus(era):
            said.append(("T-04", "UTC is written +00:00: CAP writes -00:00"))
    return Moment(moment, tuple(said)) if _FIRST <= moment.year < _LAST else None


def _era(text: str, now: datetime | None) -> str:
    """The text with a Buddhist year as the common one: before the calendar is asked, whose leap years differ."""
    match = _YEAR.search(text)
    if match is None:
        return text
    year = int(match[1]) - _BUDDHIST
    if now is not None and abs(year - now.year) > 50:
        return text
    return f"{text[: match.start()]}{year:04}{text[match.end() :]}"


def _odd(text: str, zone: tzinfo | None, *, ends: bool) -> tuple[datetime, list[tuple[str, str]]] | None:
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC), [
            ("T-21", "seconds since 1970 were read as a time")
        ]
    for pattern in (_YEAR_FIRST, _COMPACT, _YEAR_LAST):
        if match := pattern.fullmatch(text):
            return _fields(match.groupdict(), zone, ends=ends)
    return _mail(text, zone, ends=ends) if _NAMED.search(text) else None


def _mail(text: str, zone: tzinfo | None, *, ends: bool) -> tuple[datetime, list[tuple[str, str]]] | None:
    """RFC 2822, as RSS has it; -0000 is UTC."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    said = [("T-21", "the time was written as in e-mail: it was read as that")]
    if moment.tzinfo is None:
        if text.endswith("-0000"):
            return moment.replace(tzinfo=UTC), said
        return _zoned(moment, zone, ends=ends, said=said)
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60 or abs(offset) > timedelta(hours=14):
        return None
    return moment, said


def _fields(
    found: dict[str, str | None], zone: tzinfo | None, *, ends: bool
) -> tuple[datetime, list[tuple[str, str]]] | None:
    date = _date(found)
    clock = _clock(found, ends=ends)
    if date is None or clock is None:
        return None
    try:
        moment = datetime(*date, *clock)  # noqa: DTZ001 - its zone follows
    except ValueError:
        return None
    only_z = found["utc"] in {"Z", "z"}
    rule = ("T-04", "the time ends in Z: CAP writes UTC as -00:00") if only_z else _REWRITTEN
    if found["utc"]:
        return moment.replace(tzinfo=UTC), [rule]
    if found["sign"]:
        offset = timedelta(hours=int(found["h"] or 0), minutes=int(found["m"] or 0))
        if offset > timedelta(hours=14):
            return _zoned(moment, zone, ends=ends, said=[_REWRITTEN])
        return moment.replace(tzinfo=timezone(offset if found["sign"] == "+" else -offset)), [_REWRITTEN]
    return _zoned(moment, zone, ends=ends, said=[])


_REWRITTEN: Final = ("T-21", "the time is not in CAP's form: it was rewritten")


def _date(found: dict[str, str | None]) -> tuple[int, int, int] | None:
    year = int(found["year"] or 0)
    if "a" not in found:
        return year, int(found["month"] or 0), int(found["day"] or 0)
    first, second = int(found["a"] or 0), int(found["b"] or 0)
    if first == second or first > 12:
        return year, second, first
    return (year, first, second) if second > 12 else None  # both could be the month


def _clock(found: dict[str, str | None], *, ends: bool) -> tuple[int, int, int] | None:
    if found.get("hour") is None:  # a day alone: all of it
        return (23, 59, 59) if ends else (0, 0, 0)
    hour = int(found["hour"] or 0)
    half = (found.get("half") or found.get("late") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "p下" else 0)
    return hour, int(found["minute"] or 0), min(int(found["second"] or 0), 59)


def _zoned(
    moment: datetime, zone: tzinfo | None, *, ends: bool, said: list[tuple[str, str]]
) -> tuple[datetime, list[tuple[str, str]]]:
    if zone is not None:
        told = "the time names no zone: that of the message's other times was taken"
        return moment.replace(tzinfo=zone), [*said, ("T-21", told)]
    told = f"the time names no zone: the {'latest' if ends else 'earliest'} moment that it can be was taken"
    return moment.replace(tzinfo=_LATEST if ends else _EARLIEST), [*said, ("T-21", told)]
