"""One segment in one language, in words: what every channel says, before a template lays it out.

Decides which CAP text or fixed phrase stands for headline, place, time, issuer and what to do. No layout, no templates.
Invariant: place, time with zone, issuer and what to do are never empty, whatever the document leaves out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from alerting.cap import rank
from alerting.cap.model import Alert, Info, MsgType, ResponseType, Status
from alerting.cap.segment import Segment
from alerting.wording.phrases import Phrases, phrases
from alerting.wording.rendered import Issuer

#: What stands before everything else unless the message is real.
MARKERS = {
    Status.EXERCISE: "EXERCISE - NOT A REAL WARNING",
    Status.TEST: "TEST - NOT A REAL WARNING",
    Status.DRAFT: "DRAFT - NOT ISSUED",
    Status.SYSTEM: "SYSTEM MESSAGE",
}

KINDS = {
    MsgType.UPDATE: "UPDATE",
    MsgType.CANCEL: "CANCELLED",
    MsgType.ERROR: "SENT IN ERROR",
}

#: CAP 3.2.2 responseType as a sentence, for a warning without an instruction of its own.
RESPONSES = {
    ResponseType.SHELTER: "Take shelter now.",
    ResponseType.EVACUATE: "Leave the area now.",
    ResponseType.PREPARE: "Get ready to act.",
    ResponseType.EXECUTE: "Carry out your emergency plan.",
    ResponseType.AVOID: "Stay away from the danger.",
    ResponseType.MONITOR: "Follow the news for further information.",
    ResponseType.ASSESS: "Consider what this means for you.",
    ResponseType.ALL_CLEAR: "The danger has passed.",
    ResponseType.NONE: "You need not do anything.",
}

SEVERITIES = {"Extreme": "Extreme", "Severe": "Severe", "Moderate": "Moderate", "Minor": "Minor"}
URGENCIES = {
    "Immediate": "Immediate",
    "Expected": "Expected soon",
    "Future": "In the near future",
    "Past": "Past",
}
CERTAINTIES = {"Observed": "Observed", "Likely": "Likely", "Possible": "Possible", "Unlikely": "Unlikely"}


@dataclass(frozen=True, slots=True)
class Words:
    """One segment in one language. Texts of CAP are cleaned of control characters and otherwise as written."""

    phrases: Phrases
    language: str
    direction: str  # ltr | rtl
    marker: str  # "" when the message is real
    kind: str  # "" for a first warning
    headline: str
    event: str
    areas: tuple[str, ...]
    time: str  # short, with zone
    full_time: str  # with the year
    issued: str
    issuer: str
    action: str
    description: str
    note: str
    severity: str  # "" when unknown
    urgency: str
    certainty: str
    colour: str  # blue | yellow | orange | red; grey for what is withdrawn
    contact: str
    web: str  # an http(s) address or ""

    @property
    def title(self) -> str:
        """Kind and headline on one line."""
        headline = one_line(self.headline)
        return f"{self.kind}: {headline}" if self.kind else headline

    @property
    def place(self) -> str:
        return "; ".join(one_line(area) for area in self.areas)

    def say(self, phrase: str) -> str:
        """A fixed phrase in the language of these words, for templates."""
        return self.phrases.say(phrase)


def words(alert: Alert, segment: Segment, language: str, issuer: Issuer) -> Words:
    """The segment in one of its languages. A Cancel without info speaks in fixed phrases alone."""
    say = phrases(language)
    info = _info_of(alert, segment, language)
    areas = _areas(info, segment)
    time, full_time = _times(alert, segment, info, say, issuer)
    action, description = _action(alert, info, say), _description(alert, info, say, issuer)
    return Words(
        phrases=say,
        language=language,
        direction=say.direction,
        marker=_phrase(say, MARKERS.get(alert.status)),
        kind=_phrase(say, KINDS.get(alert.msg_type)),
        headline=_headline(info, alert, say),
        event=one_line(info.event) if info else "",
        areas=areas or (say.say("Place: see the link"),),
        time=time,
        full_time=full_time,
        issued=say.moment(alert.sent, issuer.time_zone, year=True),
        issuer=one_line((info and info.sender_name) or "") or one_line(issuer.name) or one_line(alert.sender),
        action=action,
        # A Cancel without a text of its officer's says the same in both.
        description="" if one_line(description) == one_line(action) else description,
        note=clean(alert.note or ""),
        severity=_phrase(say, SEVERITIES.get(info.severity) if info else None),
        urgency=_phrase(say, URGENCIES.get(info.urgency) if info else None),
        certainty=_phrase(say, CERTAINTIES.get(info.certainty) if info else None),
        colour=_colour(alert, segment),
        contact=clean((info and info.contact) or ""),
        web=web_address((info and info.web) or ""),
    )


# What leaves no mark on a screen: a text of nothing else is as good as missing.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}


def clean(text: str) -> str:
    """Without control characters (tab and line feed stay) and blank edges; "" if nothing in it can be seen."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()
    return kept if any(unicodedata.category(c) not in _INVISIBLE for c in kept) else ""


def one_line(text: str) -> str:
    """Cleaned, with every run of blanks and line ends as one blank: many feeds wrap lines by hand."""
    return " ".join(clean(text).split())


def web_address(text: str) -> str:
    """The address if a browser should follow it, else nothing: `javascript:` has been seen in feeds."""
    address = text.strip()
    return address if address.lower().startswith(("http://", "https://")) and " " not in address else ""


def _phrase(say: Phrases, phrase: str | None) -> str:
    return say.say(phrase) if phrase else ""


def _colour(alert: Alert, segment: Segment) -> str:
    if alert.msg_type in {MsgType.CANCEL, MsgType.ERROR}:
        return "grey"
    return str(rank.colour(segment.severity))


def _info_of(alert: Alert, segment: Segment, language: str) -> Info | None:
    if not segment.infos:
        return None
    if language not in segment.languages:
        raise ValueError(
            f"segment {segment.n} is not written in {language}: it has {', '.join(segment.languages)}"
        )
    return alert.info[segment.infos[segment.languages.index(language)]]


def _areas(info: Info | None, segment: Segment) -> tuple[str, ...]:
    blocks = info.area if info else segment.area
    written = (clean(area.area_desc) for area in blocks)
    return tuple(dict.fromkeys(text for text in written if text))


def _headline(info: Info | None, alert: Alert, say: Phrases) -> str:
    if info is not None:
        return clean(info.headline or "") or clean(info.event)
    return say.say("Warning withdrawn" if alert.msg_type is MsgType.ERROR else "Warning no longer in force")


def _action(alert: Alert, info: Info | None, say: Phrases) -> str:
    written = clean((info and info.instruction) or "")
    if written:
        return written
    if alert.msg_type is MsgType.CANCEL:
        return say.say("The warning no longer applies.")
    if alert.msg_type is MsgType.ERROR:
        return say.say("Disregard the earlier message.")
    asked = [RESPONSES[response] for response in dict.fromkeys(info.response_type if info else ())]
    return " ".join(map(say.say, asked)) or say.say("Follow the instructions of the authorities.")


def _description(alert: Alert, info: Info | None, say: Phrases, issuer: Issuer) -> str:
    written = clean((info and info.description) or "")
    if written or alert.msg_type not in {MsgType.CANCEL, MsgType.ERROR}:
        return written
    first = min((reference.sent for reference in alert.references), default=None)
    return (
        say.say("The warning was issued %(time)s.", time=say.moment(first, issuer.time_zone)) if first else ""
    )


def _times(
    alert: Alert, segment: Segment, info: Info | None, say: Phrases, issuer: Issuer
) -> tuple[str, str]:
    """From when until when, short and with the year; for a Cancel or Error the time of the message itself."""
    start = (info and (info.onset or info.effective)) or None
    end = (info and info.expires) or segment.expires

    def worded(*, year: bool) -> str:
        def at(moment: datetime) -> str:
            return say.moment(moment, issuer.time_zone, year=year)

        if alert.msg_type in {MsgType.CANCEL, MsgType.ERROR} or end is None:
            return say.say("Issued %(time)s", time=at(alert.sent))
        if start is not None and alert.sent < start < end:
            return say.say("From %(start)s until %(end)s", start=at(start), end=at(end))
        return say.say("Until %(end)s", end=at(end))

    return worded(year=False), worded(year=True)
