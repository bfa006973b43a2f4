"""The IPAWS profile v1.0 of the United States: rules US-01 to US-12.

Owns what FEMA's aggregator asks of an alert for EAS, WEA and the weather radio. Which channels an alert is for is told
by BLOCKCHANNEL: all but those named. Invariant: text limits count characters as shown, runs of white space as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, Certainty, Info, MsgType, Severity, Urgency
from alerting.cap.profiles import demands
from alerting.cap.profiles.lists import listed
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import UNREAD, short

CODE: Final = "IPAWSv1.0"
PROFILE: Final = Profile(
    "ipaws",
    "IPAWS Profile v1.0 (United States)",
    "OASIS CAP v1.2 USA IPAWS Profile v1.0; checks of google/cap-library and IpawsAlert",
    (CODE,),
)
_rule = partial(rule, profile=PROFILE.name)

EAS, WEA = "EAS", "CMAS"
CHANNELS: Final = frozenset({EAS, WEA, "NWEM", "PUBLIC", "CAPEXCH"})
ORIGINATORS: Final = frozenset({"PEP", "CIV", "WXR", "EAS"})
TEXT_LIMITS: Final = {"CMAMtext": 90, "CMAMlongtext": 360}
WEA_LIFE: Final = timedelta(hours=24)
EAS_LOCATIONS: Final = 31
_EVENT = re.compile(r"[A-Z]{3}")
_NO_SAME_CODE = "NWS"  # what the National Weather Service writes for products that EAS does not carry
_LOCATION = re.compile(r"[0-9]{6}")
_FOR_WEA = frozenset({"CMAMtext", "CMAMlongtext", "WEAHandling"})
_FOR_CHANNELS = _FOR_WEA | {"BLOCKCHANNEL", "EAS-STN-ID", "EAS-Must-Carry"}
_AUDIO = "eas broadcast content"


def _blocked(info: Info, channel: str) -> bool:
    return any(value == channel for _, value in demands.values(info.parameter, "BLOCKCHANNEL"))


def _names(info: Info) -> set[str]:
    return {pair.value_name.strip() for pair in info.parameter}


def _for_wea(info: Info) -> bool:
    return not _blocked(info, WEA) and not _names(info).isdisjoint(_FOR_WEA)


@_rule(
    "US-01", clause="IPAWS profile: code, info, eventCode, expires, area", severity=ERROR, needs=("msgType",)
)
def required_by_ipaws(alert: Alert, _: Case) -> Iterator[Fault]:
    """The code IPAWSv1.0, an info, and in each info an event code, expires and an area."""
    if CODE not in map(str.strip, alert.code):
        yield Fault(("code",), f"an alert for IPAWS announces its profile: add the code {CODE}")
    yield from demands.an_info(alert, but=())
    for i, info in enumerate(alert.info):
        if not info.event_code:
            yield Fault(("info", i, "eventCode"), "IPAWS wants an event code: add one named SAME")
        if info.expires is None:
            yield Fault(("info", i, "expires"), "IPAWS wants expires: say until when the warning holds")
    yield from demands.an_area(alert)


@_rule("US-02", clause="IPAWS profile: category, eventCode", severity=ERROR, needs=("category", "eventCode"))
def one_same_event(alert: Alert, case: Case) -> Iterator[Fault]:
    """One SAME event code of three letters in each info, from the list; the same categories and event codes in all."""
    for i, info in enumerate(alert.info):
        codes = list(demands.values(info.event_code, "SAME"))
        if info.event_code and len(codes) != 1:
            yield Fault(
                ("info", i, "eventCode"),
                f"an info has one event code named SAME, this one has {len(codes)}: keep or add one",
            )
        for n, value in codes:
            if not _EVENT.fullmatch(value):
                yield Fault(
                    ("info", i, "eventCode", n, "value"),
                    "a SAME event code is three capital letters, such as TOR: correct it",
                )
            elif value != _NO_SAME_CODE and value not in listed("SAME"):
                yield Fault(
                    ("info", i, "eventCode", n, "value"),
                    f"{short(value)} is not an event code of 47 CFR 11.31(e): take one from the list",
                    WARNING,
                )
    yield from demands.same_categories(case)
    yield from demands.same_event_codes(case)


@_rule(
    "US-03", clause="IPAWS profile: sent, expires", severity=WARNING, needs=("sent", "expires", "parameter")
)
def times_are_local_and_short(alert: Alert, _: Case) -> Iterator[Fault]:
    """Times carry a local offset; what is meant for wireless alerts expires within 24 hours."""
    times: list[tuple[tuple[str | int, ...], datetime | None]] = [(("sent",), alert.sent)]
    times += [(("info", i, "expires"), info.expires) for i, info in enumerate(alert.info)]
    for place, time in times:
        if time is not None and time is not UNREAD and not time.utcoffset():
            yield Fault(place, "no place of the United States keeps UTC: write the local time and its offset")
    for i, info in enumerate(alert.info):
        if info.expires is not None and _for_wea(info) and info.expires - alert.sent > WEA_LIFE:
            yield Fault(
                ("info", i, "expires"),
                "a wireless emergency alert lasts 24 hours at most: choose an earlier time, and update later",
                ERROR,
            )


@_rule(
    "US-04", clause="IPAWS profile: effective, onset", severity=WARNING, needs=("sent", "effective", "onset")
)
def in_force_when_issued(alert: Alert, _: Case) -> Iterator[Fault]:
    """effective and onset are ignored: the alert is in force when it is issued."""
    for i, info in enumerate(alert.info):
        for name, time in (("effective", info.effective), ("onset", info.onset)):
            if time is not None and time != alert.sent:
                yield Fault(
                    ("info", i, name), f"IPAWS ignores {name} and is in force when issued: say it in the text"
                )


@_rule("US-05", clause="IPAWS profile: references", severity=ERROR, needs=("msgType", "references", "sent"))
def replaces_all_in_force(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Update or Cancel names every message of its chain that has not expired."""
    yield from demands.references(alert, case)


@_rule("US-06", clause="IPAWS profile: geocode", severity=ERROR, needs=("geocode", "parameter"))
def same_locations(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each area has a SAME location of six digits; EAS carries 31 at most."""
    for i, info in enumerate(alert.info):
        locations: set[str] = set()
        for a, area in enumerate(info.area):
            codes = list(demands.values(area.geocode, "SAME"))
            locations.update(value for _, value in codes)
            if not codes:
                yield Fault(
                    ("info", i, "area", a, "geocode"),
                    "EAS finds an area by a geocode named SAME (PSSCCC): add one",
                    WARNING,
                )
            for n, value in codes:
                if not _LOCATION.fullmatch(value):
                    yield Fault(
                        ("info", i, "area", a, "geocode", n, "value"),
                        "a SAME location is six digits, PSSCCC (part, state, county): correct it",
                    )
        if len(locations) > EAS_LOCATIONS and not _blocked(info, EAS):
            yield Fault(
                ("info", i, "area"),
                f"EAS carries {EAS_LOCATIONS} SAME locations at most, here are {len(locations)}: send several"
                " alerts or add the BLOCKCHANNEL EAS",
            )


@_rule(
    "US-07", clause="IPAWS profile: parameter EAS-ORG", severity=WARNING, publish=ERROR, needs=("parameter",)
)
def eas_originator(alert: Alert, _: Case) -> Iterator[Fault]:
    """What EAS shall carry names its originator, PEP, CIV, WXR or EAS, in the parameter EAS-ORG."""
    for i, info in enumerate(alert.info):
        given = list(demands.values(info.parameter, "EAS-ORG"))
        for n, value in given:
            if value not in ORIGINATORS:
                yield Fault(
                    ("info", i, "parameter", n, "value"),
                    f"EAS-ORG is one of {', '.join(sorted(ORIGINATORS))}: correct it",
                    ERROR,
                )
        if not given and not _blocked(info, EAS):
            # Bulletins that were never meant for EAS (USGS, tsunami centres) name no channel at all.
            meant = not _names(info).isdisjoint(_FOR_CHANNELS)
            yield Fault(
                ("info", i, "parameter"),
                "EAS wants to know who speaks: add the parameter EAS-ORG, such as CIV, or the BLOCKCHANNEL EAS",
                ERROR if meant else None,
            )


@_rule("US-08", clause="IPAWS profile: parameter BLOCKCHANNEL", severity=WARNING, needs=("parameter",))
def blocked_channels_are_known(alert: Alert, _: Case) -> Iterator[Fault]:
    """BLOCKCHANNEL names a channel that there is."""
    for i, info in enumerate(alert.info):
        for n, value in demands.values(info.parameter, "BLOCKCHANNEL"):
            if value not in CHANNELS:
                yield Fault(
                    ("info", i, "parameter", n, "value"),
                    f"this blocks no channel: use one of {', '.join(sorted(CHANNELS))}",
                )


@_rule(
    "US-09", clause="47 CFR 10.430; parameters CMAMtext, CMAMlongtext", severity=ERROR, needs=("parameter",)
)
def wireless_text_fits(alert: Alert, _: Case) -> Iterator[Fault]:
    """CMAMtext holds 90 characters at most, CMAMlongtext 360."""
    for i, info in enumerate(alert.info):
        for n, pair in enumerate(info.parameter):
            limit = TEXT_LIMITS.get(pair.value_name.strip())
            length = len(" ".join(pair.value.split())) if limit else 0
            if limit and length > limit:
                yield Fault(
                    ("info", i, "parameter", n, "value"),
                    f"{pair.value_name.strip()} holds {limit} characters, this has {length}: shorten it",
                )


_WEA_URGENCY = frozenset({Urgency.IMMEDIATE, Urgency.EXPECTED})
_WEA_SEVERITY = frozenset({Severity.EXTREME, Severity.SEVERE})
_WEA_CERTAINTY = frozenset({Certainty.OBSERVED, Certainty.LIKELY})


@_rule(
    "US-11",
    clause="47 CFR 10.400(b); parameter WEAHandling",
    severity=ERROR,
    needs=("msgType", "urgency", "severity", "certainty", "parameter"),
)
def imminent_threat_is_imminent(alert: Alert, _: Case) -> Iterator[Fault]:
    """An imminent threat is Immediate or Expected, Extreme or Severe, Observed or Likely."""
    if alert.msg_type not in {MsgType.ALERT, MsgType.UPDATE}:
        return
    for i, info in enumerate(alert.info):
        handling = {value.casefold() for _, value in demands.values(info.parameter, "WEAHandling")}
        if "imminent threat" not in handling or _blocked(info, WEA):
            continue
        if info.urgency not in _WEA_URGENCY:
            yield Fault(("info", i, "urgency"), "an imminent threat is Immediate or Expected: correct it")
        if info.severity not in _WEA_SEVERITY:
            yield Fault(("info", i, "severity"), "an imminent threat is Extreme or Severe: correct it")
        if info.certainty not in _WEA_CERTAINTY:
            yield Fault(("info", i, "certainty"), "an imminent threat is Observed or Likely: correct it")


@_rule("US-12", clause="ECIG CAP-to-EAS guide: audio", severity=WARNING, about="resources")
def eas_audio_is_audio(_: Alert, case: Case) -> Iterator[Fault]:
    """The audio for EAS has an audio type and the description by which EAS finds it."""
    for place, resource in case.resources:
        marked = resource.resource_desc.strip().casefold() == _AUDIO
        kind = resource.mime_type.strip().casefold()
        if marked and not kind.startswith("audio/"):
            yield Fault((*place, "mimeType"), "EAS plays this resource: give it an audio type")
        if not marked and kind.startswith("audio/x-ipaws-audio"):
            yield Fault(
                (*place, "resourceDesc"),
                'EAS finds its audio by the description "EAS Broadcast Content": write it',
            )
