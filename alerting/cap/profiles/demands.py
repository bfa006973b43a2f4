"""What several profiles ask in the same way: to be announced, one event, references, and fields that help the reader.

Owns generators of faults that rules of profiles yield from; a profile adds its id, severity and reason. Must not
import a profile. Invariant: places and wording are those of the core's rules about the same elements.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from alerting.cap.model import Alert, Info, MsgType, NamedValue
from alerting.cap.rules.references import all_replaced_messages_named
from alerting.cap.rules.registry import Case, Fault

REPLACING = frozenset({MsgType.UPDATE, MsgType.CANCEL})
RECEIPTS = frozenset({MsgType.ACK, MsgType.ERROR})  # what needs no info in most profiles


def language(info: Info) -> str:
    """The language of an info in lower case; absent it is en-US (3.2.2)."""
    return (info.language or "en-US").casefold()


def speaks(info: Info, tag: str) -> bool:
    """Whether the info is in this primary language, whatever its region."""
    return language(info).partition("-")[0] == tag


def values(pairs: tuple[NamedValue, ...], name: str) -> Iterator[tuple[int, str]]:
    """Index and value, without outer blanks, of the pairs of exactly this valueName."""
    for n, pair in enumerate(pairs):
        if pair.value_name.strip() == name:
            yield n, pair.value.strip()


def references(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Update or Cancel names all messages of its chain that are still in force, one at least."""
    if alert.msg_type in REPLACING and not alert.references:
        yield Fault(
            ("references",),
            f"this {alert.msg_type} names no message: list all that it replaces and that have not expired",
        )
    else:
        yield from all_replaced_messages_named(alert, case)


def an_info(alert: Alert, *, but: Container[MsgType] = RECEIPTS) -> Iterator[Fault]:
    if not alert.info and alert.msg_type not in but:
        yield Fault(("info",), f"the profile wants an info in every {alert.msg_type}: add one")


def an_area(alert: Alert) -> Iterator[Fault]:
    for i, info in enumerate(alert.info):
        if not info.area:
            yield Fault(("info", i, "area"), "the profile wants an area in every info: add one")


def same_categories(case: Case) -> Iterator[Fault]:
    for i, info in enumerate(case.several):
        if set(info.category) != set(case.several[0].category):
            yield Fault(
                ("info", i, "category"),
                "all infos of an alert have the same categories: take over those of the first, or send two alerts",
            )


def same_event_codes(case: Case) -> Iterator[Fault]:
    for i, info in enumerate(case.several):
        if set(info.event_code) != set(case.several[0].event_code):
            yield Fault(
                ("info", i, "eventCode"),
                "all infos of an alert have the same event codes: take over those of the first, or send two alerts",
            )


def same_events(case: Case) -> Iterator[Fault]:
    events: dict[str, str] = {}
    for i, info in enumerate(case.several):
        if events.setdefault(language(info), info.event) != info.event:
            yield Fault(
                ("info", i, "event"),
                "the infos of one language name the same event: take over that of the first, or send two alerts",
            )


_ADVISED = {
    "expires": ("expires", "say until when the warning holds"),
    "senderName": ("sender_name", "name the issuer as the public knows it"),
    "responseType": ("response_type", "say what kind of action is asked for"),
    "instruction": ("instruction", "say what people should do"),
    "web": ("web", "give a page with more information"),
}


def advised(alert: Alert, *names: str) -> Iterator[Fault]:
    """Elements of info that a profile strongly recommends, by their CAP names."""
    for i, info in enumerate(alert.info):
        for name in names:
            attribute, why = _ADVISED[name]
            given = getattr(info, attribute)
            if not (given.strip() if isinstance(given, str) else given):
                yield Fault(("info", i, name), f"the profile recommends {name}: {why}")


def a_shape(alert: Alert) -> Iterator[Fault]:
    for i, info in enumerate(alert.info):
        for a, area in enumerate(info.area):
            if not area.polygon and not area.circle:
                yield Fault(
                    ("info", i, "area", a),
                    "a polygon or circle says more exactly where than codes do: add one where it is known",
                )
