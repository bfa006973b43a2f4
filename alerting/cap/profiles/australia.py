"""The Australian profile CAP-AU 1.0: rules AU-01 to AU-05.

Owns what CAP-AU-STD asks, with the national event list AUeventLIST 1.0 of the vocabulary. Invariant: an info in a
language other than English is not compared with the English names of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, Info, MsgType, Status
from alerting.cap.profiles import demands
from alerting.cap.profiles.lists import australian_events
from alerting.cap.profiles.profile import Profile
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import short

CODE: Final = "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0"
PROFILE: Final = Profile(
    "cap-au",
    "CAP Australian Profile 1.0",
    "CAP-AU-STD 1.0, AUeventLIST 1.0; checks of google/cap-library; messages of NSW RFS and the Bureau of Meteorology",
    (CODE,),
)
_rule = partial(rule, profile=PROFILE.name)

EVENT_LISTS: Final = frozenset({"https://govshare.gov.au/xmlui/handle/10772/6495", f"{CODE}:AUeventLIST:1.0"})
# What the standard names, and the shorter names that issuers write after the profile's own code.
_GEOCODES = re.compile(
    r"http://www\.psma\.com\.au/\?product=(?:g-naf|postcode-boundaries)"
    r"|http://www\.iso\.org/iso/country_codes\.html|http://www\.ga\.gov\.au/place-name/?"
    r"|.*(?:ISO ?3166-2|G-NAF|postcode|gazetteer).*",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@_rule(
    "AU-01",
    clause="CAP-AU: code, info, area, references",
    severity=ERROR,
    needs=("msgType", "references", "sent"),
)
def required_by_cap_au(alert: Alert, case: Case) -> Iterator[Fault]:
    """The code of the profile, an info but in an Ack or Error, an area in each, and the references of an Update or Cancel."""
    if CODE not in map(str.strip, alert.code):
        yield Fault(("code",), f"an alert in CAP-AU announces its profile: add the code {CODE}")
    yield from demands.an_info(alert)
    yield from demands.an_area(alert)
    yield from demands.references(alert, case)


@_rule(
    "AU-02",
    clause="CAP-AU: category, eventCode, event",
    severity=ERROR,
    needs=("category", "eventCode", "event"),
)
def infos_about_one_event(_: Alert, case: Case) -> Iterator[Fault]:
    """All infos have the same categories and event codes, and in one language the same event."""
    yield from demands.same_categories(case)
    yield from demands.same_event_codes(case)
    yield from demands.same_events(case)


def _listed(info: Info) -> list[tuple[int, str]]:
    return [
        (n, code.value.strip())
        for n, code in enumerate(info.event_code)
        if code.value_name.strip() in EVENT_LISTS
    ]


def _is_one_of(event: str, names: tuple[str, ...]) -> bool:
    written = event.strip()
    return written in names or written.casefold() in map(str.casefold, names)


@_rule("AU-03", clause="CAP-AU: AUeventLIST 1.0", severity=ERROR, needs=("eventCode", "event", "language"))
def one_event_of_the_list(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each info has one event code of AUeventLIST; in English the event is its tier I or tier II name."""
    for i, info in enumerate(alert.info):
        codes = _listed(info)
        if len(codes) != 1:
            yield Fault(
                ("info", i, "eventCode"),
                f"an info has one event code of AUeventLIST, this one has {len(codes)}: name it {CODE}:AUeventLIST:1.0",
            )
            continue
        n, value = codes[0]
        names = australian_events().get(value, ())
        if not names:
            yield Fault(
                ("info", i, "eventCode", n, "value"),
                f"{short(value)} is not in AUeventLIST 1.0: take a code from the list",
            )
        elif demands.speaks(info, "en") and not _is_one_of(info.event, names):
            yield Fault(
                ("info", i, "event"),
                f"the list names the event {value} {' or '.join(names)}: write one of them",
            )


@_rule("AU-04", clause="CAP-AU: effective", severity=ERROR, needs=("msgType", "effective"))
def no_effective_in_a_cancel(alert: Alert, _: Case) -> Iterator[Fault]:
    """A Cancel has no effective."""
    if alert.msg_type is MsgType.CANCEL:
        for i, info in enumerate(alert.info):
            if info.effective is not None:
                yield Fault(("info", i, "effective"), "a Cancel is in force at once: take effective out")


@_rule(
    "AU-05",
    clause="CAP-AU: recommended elements",
    severity=WARNING,
    needs=("sender", "status", "expires", "senderName", "responseType", "instruction", "geocode"),
)
def recommended_by_cap_au(alert: Alert, case: Case) -> Iterator[Fault]:
    """The sender is an e-mail address, the status is not Test, and what the reader needs is there."""
    if not _EMAIL.fullmatch(alert.sender.strip()):
        yield Fault(
            ("sender",), "the agency is named by an address such as warnings@agency.example: write it so"
        )
    if alert.status is Status.TEST:
        yield Fault(("status",), "a Test is logged and reaches nobody: use Exercise to be seen")
    yield from demands.advised(alert, "expires", "senderName", "responseType", "instruction")
    yield from demands.a_shape(alert)
    for place, area in case.areas:
        if not any(_GEOCODES.fullmatch(code.value_name.strip()) for code in area.geocode):
            yield Fault(
                (*place, "geocode"),
                "add a geocode of G-NAF, ISO 3166-2, the gazetteer of places or a postcode",
            )
