"""The Canadian profile CAP-CP, versions 0.4 and 1.0, with the layer SOREM of its broadcasters: rules CA-01 to CA-12.

Owns what Public Safety Canada's profile and the aggregator NAADS ask. The managed list of events is not at hand as
data, so that event codes are judged by their form. Invariant: a code of any version of the profile counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, MsgType
from alerting.cap.profiles import demands
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule

PREFIX: Final = "profile:CAP-CP:"
PROFILE: Final = Profile(
    "cap-cp",
    "CAP Canadian Profile 0.4 and 1.0",
    "CAP-CP Introduction and Rule Set (rule numbers in brackets); checks of google/cap-library",
    (PREFIX,),
)
_rule = partial(rule, profile=PROFILE.name)

_EVENT = re.compile(r"[a-z][A-Za-z]{1,11}")
_SGC = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{7}")
_CLC = re.compile(r"[0-9]{6}")
_MINOR = re.compile(rf"{PREFIX}[^:]+:MinorChange")
_MINOR_KINDS = frozenset({"text", "correction", "resource", "layer", "other", "none"})
_YES_OR_NO = re.compile(r"layer:SOREM:[^:]+:(?:Broadcast_Immediately|WirelessImmediate)")
_MISSING_LANGUAGES = {"en": "English", "fr": "French"}


@_rule("CA-01", clause="CAP-CP (3)", severity=ERROR)
def announces_the_profile(alert: Alert, _: Case) -> Iterator[Fault]:
    """A code says the version of the profile."""
    if not any(code.strip().startswith(PREFIX) for code in alert.code):
        yield Fault(("code",), f"an alert in CAP-CP says its version: add a code such as {PREFIX}0.4")


@_rule("CA-02", clause="CAP-CP (2)", severity=ERROR, needs=("eventCode",), about="several")
def one_subject_event(_: Alert, case: Case) -> Iterator[Fault]:
    """All infos have the same event codes."""
    yield from demands.same_event_codes(case)


@_rule("CA-03", clause="CAP-CP (5)", severity=ERROR, needs=("msgType",))
def info_present(alert: Alert, _: Case) -> Iterator[Fault]:
    """There is an info, but in an Ack or Error."""
    yield from demands.an_info(alert)


@_rule("CA-04", clause="CAP-CP (6)", severity=WARNING, needs=("language",))
def both_languages(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info says its language, and English and French are both there."""
    for i, info in enumerate(alert.info):
        if info.language is None:
            yield Fault(("info", i, "language"), "say the language: without it the info counts as en-US")
    for tag, name in _MISSING_LANGUAGES.items():
        if alert.info and not any(demands.speaks(info, tag) for info in alert.info):
            yield Fault(("info",), f"Canada warns in two languages: add an info in {name} ({tag}-CA)")


@_rule("CA-05", clause="CAP-CP (7, 8)", severity=ERROR, needs=("eventCode",))
def recognised_event(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has an event code of the CAP-CP list, in the form of that list."""
    for i, info in enumerate(alert.info):
        codes = [(n, c) for n, c in enumerate(info.event_code) if c.value_name.startswith(f"{PREFIX}Event:")]
        if not codes:
            yield Fault(
                ("info", i, "eventCode"),
                f"name the event from the list of CAP-CP: add an event code {PREFIX}Event:0.4",
            )
        for n, code in codes:
            if not _EVENT.fullmatch(code.value.strip()):
                yield Fault(
                    ("info", i, "eventCode", n, "value"),
                    "events of CAP-CP are one word of 2 to 12 letters, the first small, such as flashFlood: correct it",
                )


@_rule("CA-06", clause="CAP-CP (9)", severity=ERROR, needs=("geocode",), about="areas")
def recognised_location(_: Alert, case: Case) -> Iterator[Fault]:
    """Each area has an SGC code of 2, 4 or 7 digits; a CLC has 6."""
    for place, area in case.areas:
        known = False
        for n, code in enumerate(area.geocode):
            value = code.value.strip()
            if code.value_name.startswith(f"{PREFIX}Location:"):
                known = True
                if not _SGC.fullmatch(value):
                    yield Fault(
                        (*place, "geocode", n, "value"),
                        "a location is Statistics Canada's SGC code of 2, 4 or 7 digits: correct it",
                    )
            elif code.value_name.endswith(":CLC") and not _CLC.fullmatch(value):
                yield Fault(
                    (*place, "geocode", n, "value"),
                    "a Canadian Location Code has 6 digits with its leading zeros: correct it",
                    WARNING,
                )
        if not known:
            yield Fault(
                (*place, "geocode"),
                f"say the place by its SGC code: add a geocode {PREFIX}Location:0.3",
            )


@_rule("CA-07", clause="CAP-CP (10)", severity=ERROR)
def area_present(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has an area."""
    yield from demands.an_area(alert)


@_rule("CA-08", clause="CAP-CP (12)", severity=ERROR, needs=("msgType", "references", "sent"))
def replaces_all_active(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Update or Cancel names every active message of its chain."""
    yield from demands.references(alert, case)


@_rule(
    "CA-09",
    clause="CAP-CP (13, 14, 15)",
    severity=WARNING,
    needs=("expires", "senderName", "responseType", "instruction"),
)
def recommended_by_cap_cp(alert: Alert, _: Case) -> Iterator[Fault]:
    """expires, senderName, responseType and instruction are there."""
    yield from demands.advised(alert, "expires", "senderName", "responseType", "instruction")


@_rule("CA-10", clause="CAP-CP (16)", severity=WARNING, needs=("msgType", "parameter"))
def minor_changes_are_changes(alert: Alert, _: Case) -> Iterator[Fault]:
    """MinorChange stands in an Update alone and has one of its values."""
    for i, info in enumerate(alert.info):
        for n, pair in enumerate(info.parameter):
            if not _MINOR.fullmatch(pair.value_name.strip()):
                continue
            place = ("info", i, "parameter", n)
            if pair.value.strip() not in _MINOR_KINDS:
                yield Fault(
                    (*place, "value"),
                    f"a minor change is one of {', '.join(sorted(_MINOR_KINDS))}: correct it",
                )
            if alert.msg_type is not MsgType.UPDATE:
                yield Fault(
                    place, f"only an Update can be a minor change, this is {alert.msg_type}: take it out"
                )


@_rule("CA-11", clause="CAP-CP (18)", severity=WARNING)
def shape_preferred(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each area has a polygon or circle."""
    yield from demands.a_shape(alert)


@_rule("CA-12", clause="layer SOREM 1.0, 2.0", severity=ERROR, needs=("parameter",))
def must_carry_is_yes_or_no(alert: Alert, _: Case) -> Iterator[Fault]:
    """Broadcast_Immediately and WirelessImmediate are Yes or No."""
    for i, info in enumerate(alert.info):
        for n, pair in enumerate(info.parameter):
            if _YES_OR_NO.fullmatch(pair.value_name.strip()) and pair.value.strip().casefold() not in {
                "yes",
                "no",
            }:
                yield Fault(
                    ("info", i, "parameter", n, "value"),
                    "broadcasters and carriers obey Yes or No alone: write one of them",
                )
