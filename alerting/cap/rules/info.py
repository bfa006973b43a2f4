"""The rules of one info, section 3.2.2: its language, words, times and texts.

Owns I-01, I-05 to I-09 and I-11 to I-17; the rules that compare infos lie in `infos`. The vocabularies of category,
responseType, urgency, severity and certainty are checked by the readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import langcodes
from langcodes.tag_parser import LanguageTagError

from alerting.cap.findings import ERROR, WARNING, Level
from alerting.cap.model import Alert, Category, Certainty, NamedValue, ResponseType, Severity, Urgency
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import UNREAD

HEADLINE: Final = 160
# A scheme and something after it; http and https name a host.
_WEB: Final = re.compile(
    r"(?:https?://[^\s/?#]|(?!https?:)[A-Za-z][A-Za-z0-9+.\-]*:[^\s:])\S*", re.IGNORECASE
)
_DOTTED: Final = re.compile(r"(?:[A-Za-z]\.){2,}[A-Za-z]?")
_ACRONYMS: Final = frozenset({"SAME", "FIPS", "ZIP", "UGC", "EMMA_ID"})
_URGE_TO_ACT: Final = frozenset(
    {
        ResponseType.SHELTER,
        ResponseType.EVACUATE,
        ResponseType.PREPARE,
        ResponseType.EXECUTE,
        ResponseType.AVOID,
    }
)
_RECOMMENDED: Final = (
    ("senderName", "name the authority as people know it"),
    ("contact", "say where to ask back"),
    ("responseType", "say what kind of action is wanted"),
    ("instruction", "say what people should do"),
)


@lru_cache(maxsize=512)
def _doubt(tag: str) -> tuple[str, bool] | None:
    """What is wrong with a language tag, and whether it is merely unregistered."""
    try:
        langcodes.standardize_tag(tag)
    except LanguageTagError:
        return "this is not a language tag of RFC 3066 / BCP 47: write one such as en-US or zh-Hans", False
    if not langcodes.tag_is_valid(tag):
        return "a part of this tag is not registered: write one such as en-US or zh-Hans", True
    return None


@rule("I-01", clause="3.2.2", severity=ERROR)
def language_is_a_tag(alert: Alert, _: Case) -> Iterator[Fault]:
    """language is a tag of RFC 3066 / BCP 47; one that is merely unregistered is a warning."""
    for i, info in enumerate(alert.info):
        if info.language is not None and (doubt := _doubt(info.language[:100])):
            message, unregistered = doubt
            yield Fault(("info", i, "language"), message, WARNING if unregistered else None)


@rule("I-05", clause="3.2.2", severity=ERROR, needs=("category",))
def category_is_said_once(alert: Alert, _: Case) -> Iterator[Fault]:
    """No category stands twice in an info."""
    for i, info in enumerate(alert.info):
        if len(info.category) > 1:
            for n in _repeated(info.category):
                yield Fault(("info", i, "category", n), "this category stands here already: leave one")


@rule("I-06", clause="3.2.2", severity=WARNING, needs=("responseType",))
def response_is_said_once(alert: Alert, _: Case) -> Iterator[Fault]:
    """No responseType stands twice in an info, and None only alone."""
    for i, info in enumerate(alert.info):
        wanted = info.response_type
        if len(wanted) < 2:
            continue
        for n in _repeated(wanted):
            yield Fault(("info", i, "responseType", n), "this responseType stands here already: leave one")
        if ResponseType.NONE in wanted and set(wanted) != {ResponseType.NONE}:
            at = ("info", i, "responseType", wanted.index(ResponseType.NONE))
            yield Fault(at, "None says that nothing need be done, another responseType asks for something")


def _repeated(words: tuple[Category, ...] | tuple[ResponseType, ...]) -> Iterator[int]:
    return (n for n, word in enumerate(words) if word in words[:n])


@rule("I-07", clause="3.2.2", severity=WARNING, needs=("urgency", "responseType"))
def urgency_is_known_and_fits(alert: Alert, _: Case) -> Iterator[Fault]:
    """urgency is not Unknown, and not Past where responseType asks for action."""
    for i, info in enumerate(alert.info):
        if info.urgency is Urgency.UNKNOWN:
            yield Fault(("info", i, "urgency"), "Unknown is not recommended: say how soon people must act")
        elif info.urgency is Urgency.PAST and not _URGE_TO_ACT.isdisjoint(info.response_type):
            yield Fault(
                ("info", i, "urgency"), "Past says that no action is needed, responseType asks for one"
            )


@rule("I-08", clause="3.2.2", severity=WARNING, needs=("severity", "certainty"))
def severity_and_certainty_are_known(alert: Alert, _: Case) -> Iterator[Fault]:
    """severity and certainty are not Unknown."""
    for i, info in enumerate(alert.info):
        if info.severity is Severity.UNKNOWN:
            yield Fault(("info", i, "severity"), "Unknown is not recommended: say how severe the event is")
        if info.certainty is Certainty.UNKNOWN:
            yield Fault(("info", i, "certainty"), "Unknown is not recommended: say how certain the event is")


@lru_cache(maxsize=1024)
def _name_fault(name: str) -> tuple[str, Level] | None:
    """What is wrong with a valueName; few names are in use, so each is judged once."""
    if not name.strip():
        return "the name is blank: say which list the value is from", ERROR
    if _DOTTED.fullmatch(name) or (name not in _ACRONYMS and name.upper() in _ACRONYMS):
        return "write acronyms in capitals without periods, such as SAME", WARNING
    return None


def _pairs(alert: Alert) -> Iterator[tuple[int, str, tuple[NamedValue, ...], int | None]]:
    for i, info in enumerate(alert.info):
        if info.event_code:
            yield i, "eventCode", info.event_code, None
        if info.parameter:
            yield i, "parameter", info.parameter, None
        for a, area in enumerate(info.area):
            if area.geocode:
                yield i, "geocode", area.geocode, a


@rule("I-09", clause="3.2.2", severity=ERROR)
def pairs_are_whole(alert: Alert, _: Case) -> Iterator[Fault]:
    """eventCode, parameter and geocode have a valueName and a value; acronyms such as SAME in capitals (a warning)."""
    for i, name, pairs, a in _pairs(alert):
        for n, pair in enumerate(pairs):
            fault = _name_fault(pair.value_name)
            if fault is None and pair.value.strip():
                continue
            place = ("info", i, name, n) if a is None else ("info", i, "area", a, name, n)
            if fault is not None:
                message, level = fault
                yield Fault((*place, "valueName"), message, level)
            if not pair.value.strip():
                yield Fault((*place, "value"), f"the {name} has no value: give it or take the {name} out")


@rule("I-11", clause="3.2.2", severity=WARNING, publish=ERROR)
def expires_is_there(alert: Alert, _: Case) -> Iterator[Fault]:
    """expires is given."""
    for i, info in enumerate(alert.info):
        if info.expires is None:
            yield Fault(
                ("info", i, "expires"), "expires is missing, so each recipient chooses: say when this ends"
            )


@rule("I-12", clause="3.2.2", severity=ERROR, needs=("sent",))
def times_are_in_order(alert: Alert, case: Case) -> Iterator[Fault]:
    """sent <= effective < expires, onset < expires and sent < expires; when issuing, expires lies ahead."""
    sent = alert.sent
    for i, info in enumerate(alert.info):
        effective, onset, expires = info.effective, info.onset, info.expires
        if effective is not None and effective < sent and sent is not UNREAD:
            yield Fault(
                ("info", i, "effective"), "effective is before sent: no message holds before it is sent"
            )
        if expires is None:
            continue
        at = ("info", i, "expires")
        if effective is not None and expires <= effective:
            yield Fault(at, "expires is not after effective: correct one of them")
        if onset is not None and expires <= onset:
            yield Fault(at, "expires is not after onset: a warning must outlast the beginning of its event")
        if expires <= sent and sent is not UNREAD:
            yield Fault(at, "expires is not after sent: the message would never hold")
        if case.publishing and case.now is not None and expires <= case.now:
            yield Fault(at, "expires has passed already: choose a later time")


@rule("I-13", clause="3.2.2", severity=WARNING)
def headline_is_short(alert: Alert, _: Case) -> Iterator[Fault]:
    """A headline has 160 characters at most."""
    for i, info in enumerate(alert.info):
        if info.headline is not None and len(info.headline) > HEADLINE:
            length = len(info.headline)
            yield Fault(
                ("info", i, "headline"), f"the headline has {length} characters: shorten it to {HEADLINE}"
            )


@rule("I-14", clause="3.2.2", severity=WARNING)
def texts_differ(alert: Alert, _: Case) -> Iterator[Fault]:
    """headline, description and instruction differ from each other."""
    for i, info in enumerate(alert.info):
        headline, description, instruction = info.headline, info.description, info.instruction
        if description and headline and description.strip() == headline.strip():
            yield Fault(
                ("info", i, "description"), "description repeats headline: say more in the description"
            )
        if instruction and (
            (description and instruction.strip() == description.strip())
            or (headline and instruction.strip() == headline.strip())
        ):
            yield Fault(
                ("info", i, "instruction"), "instruction repeats another text: say what people should do"
            )


@rule("I-15", clause="3.2.2", severity=ERROR)
def web_is_absolute(alert: Alert, _: Case) -> Iterator[Fault]:
    """web is an absolute URI."""
    for i, info in enumerate(alert.info):
        web = info.web
        if web is not None and _WEB.fullmatch(web) is None:
            yield Fault(
                ("info", i, "web"), "web is not a full address: write it with its scheme, such as https://"
            )


@rule("I-16", clause="3.2.2", severity=WARNING)
def recommended_elements(alert: Alert, _: Case) -> Iterator[Fault]:
    """senderName, contact, responseType and instruction are given."""
    for i, info in enumerate(alert.info):
        if info.sender_name and info.contact and info.response_type and info.instruction:
            continue
        given = (info.sender_name, info.contact, info.response_type, info.instruction)
        for value, (name, advice) in zip(given, _RECOMMENDED, strict=True):
            if not value:
                yield Fault(("info", i, name), f"{name} is recommended: {advice}")


@rule("I-17", clause="3.2.2", severity=WARNING)
def warning_is_told(alert: Alert, _: Case) -> Iterator[Fault]:
    """description and web are given."""
    for i, info in enumerate(alert.info):
        if not info.description:
            yield Fault(("info", i, "description"), "description is recommended: say what happens and where")
        if info.web is None:
            yield Fault(("info", i, "web"), "web is recommended: give the page that says more")
