"""The rules about text as such: what must not be blank, and what is mark-up rather than words.

Owns X-05 and X-07. The other X rules are about bytes and elements, which only the readers see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.schema import INFO

_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_TEXTS: Final = ("event", "audience", "senderName", "headline", "description", "instruction", "contact")
_texts_of: Final = attrgetter(*(INFO.by_name[name].attr for name in _TEXTS))
_ENTITY: Final = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")


def _markup(text: str) -> str | None:
    if "<" in text and _TAG.search(text):
        return "HTML tags stand in this text: recipients show them as they are, take them out"
    if "&" in text and _ENTITY.search(text):
        return "HTML entities stand in this text: recipients show them as they are, write the characters"
    return None


@rule("X-05", clause="3.3.3", severity=WARNING, about="markup")
def text_is_plain(alert: Alert, _: Case) -> Iterator[Fault]:
    """Texts hold no HTML tags or entities."""
    if alert.note and (message := _markup(alert.note)):
        yield Fault(("note",), message)
    for i, info in enumerate(alert.info):
        for name, text in zip(_TEXTS, _texts_of(info), strict=True):
            if text and ("<" in text or "&" in text) and (message := _markup(text)):
                yield Fault(("info", i, name), message)
        for n, pair in enumerate(info.parameter):
            value = pair.value
            if ("<" in value or "&" in value) and (message := _markup(value)):
                yield Fault(("info", i, "parameter", n, "value"), message)
        for r, resource in enumerate(info.resource):
            if message := _markup(resource.resource_desc):
                yield Fault(("info", i, "resource", r, "resourceDesc"), message)
        for a, area in enumerate(info.area):
            if message := _markup(area.area_desc):
                yield Fault(("info", i, "area", a, "areaDesc"), message)


@rule("X-07", clause="3.2", severity=ERROR)
def required_text_is_there(alert: Alert, _: Case) -> Iterator[Fault]:
    """identifier, sender, event and areaDesc are not blank."""
    if not alert.identifier.strip():
        yield Fault(("identifier",), "identifier is blank: every message needs one of its own")
    if not alert.sender.strip():
        yield Fault(("sender",), "sender is blank: name the originator")
    for i, info in enumerate(alert.info):
        if not info.event.strip():
            yield Fault(("info", i, "event"), "event is blank: say what kind of event this is")
        for a, area in enumerate(info.area):
            if not area.area_desc.strip():
                yield Fault(
                    ("info", i, "area", a, "areaDesc"), "areaDesc is blank: describe the area in words"
                )
