"""China's national warnings as CAP: rules CN-01 to CN-06, after GB/T 35965.1-2018 and the CMA's international feed.

Owns the demands on identifier, Beijing time, class, grade, region and on the messages that an update or cancel names.
The form of the codes is china_codes'. Invariant: what the CMA itself sends is never refused, at most warned of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial, reduce
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, Info, MsgType
from alerting.cap.profiles import demands
from alerting.cap.profiles.china_codes import (
    CATEGORIES,
    GRADES,
    Class,
    class_digit,
    class_name,
    grades_in,
    is_region,
    message_id,
)
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import UNREAD, short

PROFILE: Final = Profile(
    "china",
    "China: national warning information",
    "GB/T 35965.1-2018, GB/T 2260, GB/T 35561-2017; CAP messages of the China Meteorological Administration",
)
_rule = partial(rule, profile=PROFILE.name)

GEOCODE: Final = "CPEAS Geographic Code"
_EIGHT_HOURS = timedelta(hours=8)
_REGION = re.compile(r"([0-9]{6})0{6}")


@_rule("CN-01", clause="GB/T 35965.1-2018 A.1.1, A.1.2", severity=ERROR, needs=("identifier", "sent"))
def identifier_of_31_characters(alert: Alert, _: Case) -> Iterator[Fault]:
    """The identifier has 31 characters: region, agency, unit, extension, time of entry and serial, each valid."""
    found = message_id(alert.identifier)
    if found is None:
        yield Fault(
            ("identifier",),
            "31 characters are wanted, ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N (region 6, agency 3, unit 3, extension 2,"
            " time of entry 14, serial 1): correct it",
        )
        return
    if not is_region(found.region):
        yield Fault(
            ("identifier",), f"{found.region} is no region of GB/T 2260: begin with the issuer's six digits"
        )
    if found.agency == "000":
        yield Fault(
            ("identifier",), "000 is no agency of GB/T 4657: write the issuer's, such as 416 (meteorology)"
        )
    if found.time is None:
        yield Fault(("identifier",), f"{found.entered} is no time: write YYYYMMDDhhmmss in Beijing time")
    elif alert.sent is not UNREAD and found.time > alert.sent:
        yield Fault(("identifier",), "the time of entry is later than sent: correct one of the two", WARNING)
    if found.serial is None:
        yield Fault(
            ("identifier",),
            "the serial is missing (_0 to _9): the feed of the CMA leaves it out too",
            WARNING,
        )


@_rule(
    "CN-02", clause="GB/T 35965.1-2018 A.1.3", severity=ERROR, needs=("sent", "effective", "onset", "expires")
)
def times_are_beijing_time(alert: Alert, _: Case) -> Iterator[Fault]:
    """All times are written with the offset +08:00."""
    times: list[tuple[tuple[str | int, ...], datetime | None]] = [(("sent",), alert.sent)]
    for i, info in enumerate(alert.info):
        times += [(("info", i, name), getattr(info, name)) for name in ("effective", "onset", "expires")]
    for place, time in times:
        if time is not None and time is not UNREAD and time.utcoffset() != _EIGHT_HOURS:
            yield Fault(place, "all of China keeps Beijing time: write this time with the offset +08:00")


def _stated(info: Info) -> Iterator[tuple[tuple[str | int, ...], str, Class | None]]:
    """The classes that an info names in event codes and parameters; None where the code's digit is no class."""
    for name, pairs in (("eventCode", info.event_code), ("parameter", info.parameter)):
        for n, pair in enumerate(pairs):
            digit = class_digit(pair.value) if name == "eventCode" else None
            kind = class_name(pair.value)
            if digit is not None:
                kind = tuple(Class)[digit - 1] if 1 <= digit <= 4 else None
            if digit is not None or kind is not None:
                yield (name, n, "value"), pair.value.strip(), kind


@_rule(
    "CN-03",
    clause="GB/T 35561-2017: four classes",
    severity=ERROR,
    needs=("category", "eventCode", "parameter"),
)
def one_of_four_classes(alert: Alert, _: Case) -> Iterator[Fault]:
    """The categories belong to one class of emergency, and so do event codes and parameters that name one."""
    for i, info in enumerate(alert.info):
        possible = reduce(frozenset[Class].__and__, (CATEGORIES[c] for c in info.category), frozenset(Class))
        if not possible:
            yield Fault(
                ("info", i, "category"),
                "the categories are of different classes of emergency: keep those of one",
            )
        for step, text, kind in _stated(info):
            if kind is None:
                yield Fault(
                    ("info", i, *step),
                    f"{short(text)} is of none of the four classes: event codes begin with 1, 2, 3 or 4",
                )
            elif possible and kind not in possible:
                yield Fault(
                    ("info", i, *step),
                    f"{short(text)} is of the class {kind}, the category is not: make event code and category agree",
                )


@_rule(
    "CN-04",
    clause="GB/T 35965.1-2018: four grades",
    severity=ERROR,
    needs=("severity", "headline", "msgType"),
)
def grade_colour_and_severity_agree(alert: Alert, _: Case) -> Iterator[Fault]:
    """The headline names a grade and its colour, and the severity is that of the grade."""
    for i, info in enumerate(alert.info):
        if not info.headline:
            continue
        place = ("info", i, "headline")
        romans, colours = grades_in(info.headline)
        # A headline that changes the grade ("from orange to red") names two; only one alone is compared.
        if len(romans) == len(colours) == 1 and romans != colours:
            yield Fault(place, "grade and colour differ: I is red, II orange, III yellow, IV blue")
            continue
        named = romans if len(romans) == 1 else colours
        if not romans and not colours:
            if alert.msg_type in {MsgType.ALERT, MsgType.UPDATE}:
                yield Fault(
                    place,
                    "the headline names no grade: say its colour and number, such as 黄色预警[Ⅲ级/较重]",
                    WARNING,
                )
        elif len(named) == 1:
            grade = GRADES[next(iter(named))]
            if info.severity is not grade.severity and alert.msg_type is not MsgType.CANCEL:
                yield Fault(
                    ("info", i, "severity"),
                    f"grade {grade.roman} ({grade.colour}) is {grade.severity} in CAP, not {info.severity}: correct one",
                )


@_rule("CN-05", clause="GB/T 2260; CPEAS Geographic Code", severity=ERROR, needs=("geocode",), about="areas")
def regions_of_gb_t_2260(_: Alert, case: Case) -> Iterator[Fault]:
    """Each area has a CPEAS code: six digits of GB/T 2260 and six zeros."""
    for place, area in case.areas:
        codes = list(demands.values(area.geocode, GEOCODE))
        if not codes:
            yield Fault(
                (*place, "geocode"),
                f"say the region: add a geocode {GEOCODE}, the six digits of GB/T 2260 and six zeros",
                WARNING if area.polygon or area.circle else None,
            )
        for n, value in codes:
            found = _REGION.fullmatch(value)
            if found is None or not is_region(found[1]):
                yield Fault(
                    (*place, "geocode", n, "value"),
                    "twelve digits are wanted, a region of GB/T 2260 and six zeros, such as 130602000000: correct it",
                )


@_rule(
    "CN-06",
    clause="GB/T 35965.1-2018: reference to the first message",
    severity=ERROR,
    needs=("identifier", "msgType", "references", "sent"),
)
def linked_to_the_first_message(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Update or Cancel names the first message of the warning, at the time when that was sent."""
    if alert.msg_type not in demands.REPLACING:
        return
    if not alert.references:
        yield Fault(("references",), f"this {alert.msg_type} names no message: name the first of the warning")
        return
    own = message_id(alert.identifier)
    for n, reference in enumerate(alert.references):
        other = message_id(reference.identifier)
        if other is None:
            yield Fault(
                ("references", n), "the message named has no identifier of the national form: correct it"
            )
        elif own is not None and own.time and other.time and other.time > own.time:
            yield Fault(
                ("references", n), "the first message was entered after this one: name the one before"
            )
        elif own is not None and own.issuer != other.issuer:
            yield Fault(
                ("references", n), "the message named is another unit's: is it the right one?", WARNING
            )
        if reference.sent == alert.sent and alert.sent is not UNREAD:
            yield Fault(
                ("references", n),
                "this is the time of the message itself: write when the one named was sent",
                WARNING,
            )
    known = [case.context.known.get((r.sender, r.identifier)) for r in alert.references]
    resolved = [message for message in known if message is not None]
    if resolved and all(message.msg_type is not MsgType.ALERT for message in resolved):
        yield Fault(("references",), "only later messages are named: name the first of the warning too")
