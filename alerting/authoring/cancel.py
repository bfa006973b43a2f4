"""The Cancel of an issued warning, written by the service: identifier, time and references are its work.

CAP practice: the infos keep event, area, severity and certainty of the original, urgency becomes Past and the response
AllClear; the reason stands in `note`. What people read is the officer's text of their language, else the standard one.
Invariant: the Cancel goes through `submit` like any other document, under the same rules and the same policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from alerting.authoring.errors import NotFound, Refused, WrongState
from alerting.authoring.freeze import CANCEL_LIFE, IN_ERROR, document
from alerting.authoring.submit import submit
from alerting.authoring.values import Actor, Submitted
from alerting.cap import rank
from alerting.cap.findings import ERROR, Finding
from alerting.cap.model import Alert, Area, Info, MsgType, Reference, ResponseType, Urgency
from alerting.cap.segment import canonical_language
from alerting.config import Settings
from alerting.store import alerts
from alerting.store.engine import transaction
from alerting.store.states import AlertState
from alerting.wording.phrases import phrases


def cancel(
    alert_id: UUID,
    *,
    reason: str,
    texts: Mapping[str, str],
    in_error: bool = False,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> Submitted:
    """Submit the Cancel of a warning in force; `texts` by language of the original, the standard text where missing.

    Told are those whom the warning reached or may have reached; with `in_error` (the warning should never have gone
    out) everyone in the area as well. `reason` becomes the note of the document, which is public. Raises NotFound,
    WrongState, Refused.
    """
    with transaction() as session:
        stored = alerts.get(session, alert_id)
        if stored is None:
            raise NotFound(f"there is no warning {alert_id}")
        if stored.msg_type not in {MsgType.ALERT, MsgType.UPDATE}:
            raise WrongState(f"a {stored.msg_type} cannot be cancelled: issue a new Alert")
        if stored.state is not AlertState.ISSUED or (stored.expires is not None and stored.expires <= now):
            state = AlertState.EXPIRED if stored.state is AlertState.ISSUED else stored.state
            raise WrongState(f"the warning is {state.value}: only one in force can be cancelled")
        before = [
            each for each in alerts.predecessors(session, alert_id) if each.expires and each.expires > now
        ]
        original = document(stored)
    note = reason.strip()
    if in_error and IN_ERROR not in note.casefold():
        note = f"{IN_ERROR.capitalize()}: {note}"
    named = [Reference(each.sender, each.identifier, document(each).sent) for each in before]
    referenced = (*named, Reference(original.sender, original.identifier, original.sent))
    expires = max(now + CANCEL_LIFE, stored.expires or now)
    made = compose(
        original, str(uuid4()), references=referenced, note=note, texts=texts, expires=expires, now=now
    )
    return submit(made, None, actor=actor, omit=_omitted(stored.omit), settings=settings, now=now)


def compose(
    original: Alert,
    identifier: str,
    *,
    references: tuple[Reference, ...],
    note: str,
    texts: Mapping[str, str],
    expires: datetime,
    now: datetime,
) -> Alert:
    """The Cancel of a message as a document; times in the zone in which the original writes.

    Raises Refused for a text in a language that the original does not speak: nobody would read it.
    """
    languages = dict.fromkeys(canonical_language(info.language) for info in original.info)
    written = {canonical_language(language): text.strip() for language, text in texts.items()}
    strange = [
        Finding(
            "CANCEL",
            ERROR,
            ("texts", language),
            f"the warning has no text in this language: it has {', '.join(languages)}",
        )
        for language in texts
        if canonical_language(language) not in languages
    ]
    if strange:
        raise Refused(strange)
    zone = original.sent.tzinfo
    return replace(
        original,
        identifier=identifier,
        # Never before what it refers to, though the clock of the original's author may have been ahead.
        sent=max(now.astimezone(zone).replace(microsecond=0), original.sent),
        msg_type=MsgType.CANCEL,
        note=note or None,
        references=references,
        info=tuple(
            _info(original, language, written.get(language), expires.astimezone(zone).replace(microsecond=0))
            for language in languages
        ),
    )


def _info(original: Alert, language: str, text: str | None, expires: datetime) -> Info:
    """One info for a language: the most urgent one's words, every area of the original.

    All languages get the same areas, so that they are one segment; named are they as this language names them.
    """
    own = [info for info in original.info if canonical_language(info.language) == language]
    first = min(own, key=lambda info: rank.priority(info.urgency, info.severity, info.certainty))
    worst = min(original.info, key=lambda info: rank.priority(info.urgency, info.severity, info.certainty))
    others = [info for info in original.info if canonical_language(info.language) != language]
    areas = tuple(_each_once(area for info in (*own, *others) for area in info.area))
    categories = dict.fromkeys(category for info in original.info for category in info.category)
    return replace(
        first,
        category=tuple(categories),
        response_type=(ResponseType.ALL_CLEAR,),
        urgency=Urgency.PAST,
        severity=worst.severity,
        certainty=worst.certainty,
        effective=None,
        onset=None,
        expires=expires,
        # "CANCELLED: Leave the river bank now" would be read as an order: the event is what is over.
        headline=first.event,
        description=phrases(language).say("The warning no longer applies."),
        instruction=text,
        resource=(),
        area=areas,
    )


def _each_once(areas: Iterable[Area]) -> Iterator[Area]:
    """The blocks that add a polygon, a circle or a code to those before."""
    seen: set[object] = set()
    for area in areas:
        ground: set[object] = {*area.polygon, *area.circle, *area.geocode}
        if not ground <= seen:
            seen |= ground
            yield area


def _omitted(omit: Mapping[str, str]) -> dict[str, str]:
    """A Cancel goes over the channels of what it lifts: nobody was reached on the others.

    What a BLOCKCHANNEL closed is closed by the same parameter of the Cancel.
    """
    return {channel: reason for channel, reason in omit.items() if not reason.startswith("BLOCKCHANNEL")}
