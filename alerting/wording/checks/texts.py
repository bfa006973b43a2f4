"""The texts of an alert that people read, each with its place.

Knows which elements hold words. Invariant: a text that is missing or blank is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import Place
from alerting.cap.model import Alert, Info

#: What a warning says in sentences: element and attribute.
SPOKEN: Final = ("headline", "description", "instruction")

#: IPAWS texts for telephones: 90 and 360 characters.
SHORT: Final = "CMAMtext"
LONG: Final = "CMAMlongtext"


def spoken(info: Info, i: int) -> Iterator[tuple[Place, str]]:
    """Headline, description and instruction of the info with index `i`."""
    for name in SPOKEN:
        text: str | None = getattr(info, name)
        if text and text.strip():
            yield ("info", i, name), text


def cellular(info: Info, i: int) -> Iterator[tuple[Place, str, str]]:
    """The texts for telephones as place, parameter name, text; the place is that of the parameter's value."""
    for n, parameter in enumerate(info.parameter):
        name = parameter.value_name.strip()
        if name in {SHORT, LONG} and parameter.value.strip():
            yield ("info", i, "parameter", n, "value"), name, parameter.value


def said(info: Info, i: int) -> Iterator[tuple[Place, str]]:
    """Whatever of an info is told to people: the event's name, the spoken texts and those for telephones."""
    if info.event.strip():
        yield ("info", i, "event"), info.event
    yield from spoken(info, i)
    for place, _, text in cellular(info, i):
        yield place, text


def written(alert: Alert) -> Iterator[tuple[Place, str]]:
    """Every text that somebody wrote by hand or a template left: what is said, and the names beside it."""
    if alert.note and alert.note.strip():
        yield ("note",), alert.note
    for i, info in enumerate(alert.info):
        yield from said(info, i)
        for name, text in (
            ("senderName", info.sender_name), ("audience", info.audience), ("contact", info.contact),
        ):  # fmt: skip
            if text and text.strip():
                yield ("info", i, name), text
        for a, area in enumerate(info.area):
            if area.area_desc.strip():
                yield ("info", i, "area", a, "areaDesc"), area.area_desc
