"""What a submission freezes: the ground of each segment and every text in which it will leave.

Pure but for reading regions. Architecture section 3: a Cancel is told to those whom the warning reached, in one text
outside of any ground (NO_SEGMENT), and to those in the area only when the warning was issued in error; an Update is told
to its ground, and whoever was reached before and is outside of it hears that it no longer applies there.
Invariant: every text that a dispatch can need is here, with its hash, before anybody approves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from alerting.authoring import ground
from alerting.authoring.lineage import Lineage
from alerting.cap import chain, jsonform, rank, segment
from alerting.cap.findings import ERROR, Finding
from alerting.cap.model import Alert, Area, Info, MsgType
from alerting.cap.segment import Segment
from alerting.store import alerts
from alerting.store.alerts import Rendering, Stored
from alerting.store.states import NO_SEGMENT
from alerting.wording import Issuer, render_all

#: How long a Cancel is in force at least: those who were away from their telephones must still find it.
CANCEL_LIFE = chain.CANCEL_LIFE

#: In the note of a Cancel these words say that the warning should never have been: then the area is told as well.
IN_ERROR = "issued in error"

#: Channels whose recipients are single people: those outside the ground are told on them.
_ADDRESSED = frozenset({"sms", "email"})


@dataclass(frozen=True, slots=True)
class Frozen:
    """Rows to be written; `priority` is cap.rank's, smaller is more urgent; `expires` of the last segment."""

    segments: tuple[alerts.Segment, ...]
    renderings: tuple[Rendering, ...]
    priority: int | None
    expires: datetime
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Print:
    """How texts are made: on which channels, by whom, with which link, and how long a warning without expires lives."""

    channels: tuple[str, ...]
    issuer: Issuer
    link: str
    life: timedelta


def document(stored: Stored) -> Alert:
    """The document of a stored alert; raises ValueError when it cannot be read, which the constraints rule out."""
    read = jsonform.from_json(stored.cap)
    if read.alert is None:
        raise ValueError(f"the stored document of alert {stored.id} cannot be read")
    return read.alert


def takes_back(alert: Alert) -> bool:
    """Whether a warning is lifted because it should never have gone out."""
    if alert.msg_type is MsgType.ERROR:
        return True
    return alert.msg_type is MsgType.CANCEL and IN_ERROR in (alert.note or "").casefold()


def freeze(session: Session, alert: Alert, lineage: Lineage, how: Print, now: datetime) -> Frozen:
    """Resolve and render a document; what is wrong with its ground is in `findings`."""
    originals = [document(stored) for stored in lineage.known]
    if alert.msg_type in {MsgType.CANCEL, MsgType.ERROR}:
        return _lifting(session, alert, lineage, originals, how, now)
    parts = segment.segments(alert)
    rows, findings = _grounded(session, parts, lambda part: part.expires or part.effective + how.life)
    if not parts:
        findings.append(
            Finding("GROUND", ERROR, ("info",), "without info there is nothing to say and nobody to tell")
        )
    texts = list(_texts(alert, parts, how))
    if alert.msg_type is MsgType.UPDATE:
        texts += _outside(alert, parts, originals, how)
    return _frozen(rows, texts, now + how.life, findings)


def _lifting(
    session: Session, alert: Alert, lineage: Lineage, originals: list[Alert], how: Print, now: datetime
) -> Frozen:
    """A Cancel or an Error: with infos its own words, without them those of the originals."""
    lasts = _expires(alert, lineage, now)
    parts = segment.segments(alert)
    findings: list[Finding] = []
    rows: list[alerts.Segment] = []
    if takes_back(alert):
        if parts:
            rows, findings = _grounded(session, parts, lambda _: lasts)
        else:
            rows = [replace(row, expires=lasts) for row in _ground_of(session, lineage)]
            parts = tuple(_silent(row, originals, lasts) for row in rows)
    told = parts or tuple(part for each in originals for part in segment.segments(each))
    texts = list(_texts(alert, parts, how)) if rows else []
    if len(told) == 1 and alert.info:
        texts += _texts(alert, [replace(told[0], n=NO_SEGMENT)], how)
    elif told:
        spoken, ended = _ended(alert, [alert] if parts and alert.info else originals, _areas(told), lasts)
        texts += _texts(spoken, [ended], how)
    return _frozen(rows, texts, lasts, findings)


def _expires(alert: Alert, lineage: Lineage, now: datetime) -> datetime:
    """A Cancel with expires ends then; one without ends with what it lifts, and not before CANCEL_LIFE."""
    stated = [info.expires for info in alert.info if info.expires is not None]
    if stated:
        return max(stated)
    inherited = [stored.expires for stored in lineage.known if stored.expires is not None]
    return max([now + CANCEL_LIFE, *inherited])


def _grounded(
    session: Session, parts: Sequence[Segment], expires: Callable[[Segment], datetime]
) -> tuple[list[alerts.Segment], list[Finding]]:
    rows: list[alerts.Segment] = []
    findings: list[Finding] = []
    for part in parts:
        resolved = ground.resolve(session, part.area, part.infos[0])
        findings += resolved.findings
        if resolved.ground is not None:
            rows.append(_row(part, resolved.ground, expires(part)))
    return rows, findings


def _row(part: Segment, found: ground.Ground, expires: datetime) -> alerts.Segment:
    return alerts.Segment(
        n=part.n,
        rank=rank.priority(part.urgency, part.severity, part.certainty),
        severity=rank.floor_of(part.severity),
        infos=part.infos,
        languages=part.languages,
        categories=tuple(dict.fromkeys(category.value for category in part.category)),
        area="; ".join(dict.fromkeys(area.area_desc for area in part.area)),
        effective=part.effective,
        expires=expires,
        regions=found.regions,
        covered=found.covered,
        geometry=found.geometry,
    )


def _ground_of(session: Session, lineage: Lineage) -> list[alerts.Segment]:
    """The frozen grounds of what is taken back, numbered anew: they belong to no info of this document."""
    rows = [row for stored in lineage.ended for row in alerts.segments_of(session, stored.id)]
    return [replace(row, n=n, infos=()) for n, row in enumerate(rows)]


def _silent(row: alerts.Segment, originals: Sequence[Alert], expires: datetime) -> Segment:
    """A segment without infos on a ground of the originals: it speaks in fixed phrases."""
    first = next(part for each in originals for part in segment.segments(each))
    return replace(
        first, n=row.n, infos=(), languages=row.languages, area=(Area(row.area),), onset=None, expires=expires
    )


def _areas(parts: Sequence[Segment]) -> tuple[Area, ...]:
    return tuple({area.area_desc: area for part in parts for area in part.area}.values())


def _ended(
    alert: Alert, sources: Sequence[Alert], areas: tuple[Area, ...], expires: datetime
) -> tuple[Alert, Segment]:
    """What tells the end of several segments as one that belongs to no ground, in all their languages.

    It names the event and the sender as `sources` do in each language: a reader with two warnings must know which ended.
    """
    parts = [(each, part) for each in sources for part in segment.segments(each)]
    parts.sort(key=lambda one: rank.priority(one[1].urgency, one[1].severity, one[1].certainty))
    named: dict[str, Info] = {}
    for each, part in parts:
        for index, language in zip(part.infos, part.languages, strict=True):
            named.setdefault(language, each.info[index])
    infos = tuple(
        Info(
            category=info.category,
            event=info.event,
            urgency=info.urgency,
            severity=info.severity,
            certainty=info.certainty,
            language=language,
            sender_name=info.sender_name,
            area=areas,
        )
        for language, info in named.items()
    )
    told = replace(
        parts[0][1],
        n=NO_SEGMENT,
        infos=tuple(range(len(infos))),
        languages=tuple(named),
        area=areas,
        onset=None,
        expires=expires,
    )
    return replace(alert, info=infos), told


def _outside(
    alert: Alert, parts: Sequence[Segment], originals: Sequence[Alert], how: Print
) -> Iterator[Rendering]:
    """What an Update says to those who were reached and are outside now: the warning no longer applies there.

    Named are the areas that the Update leaves out; where a border moved under the same name, the page shows it.
    """
    before = [part for each in originals for part in segment.segments(each)]
    if not before:
        return
    kept = {area.area_desc for area in _areas(parts)}
    dropped = tuple(area for area in _areas(before) if area.area_desc not in kept)
    lifted, told = _ended(replace(alert, msg_type=MsgType.CANCEL), originals, dropped, alert.sent)
    channels = tuple(name for name in how.channels if name in _ADDRESSED)
    yield from _texts(lifted, [told], replace(how, channels=channels))


def _texts(alert: Alert, parts: Sequence[Segment], how: Print) -> Iterator[Rendering]:
    for part in parts:
        made = render_all(alert, part, how.channels, how.issuer, how.link)
        for (channel, language), text in made.items():
            yield Rendering(
                part.n, channel, language, text.subject, text.text, text.html, text.segments, text.sha256
            )


def _frozen(
    rows: Sequence[alerts.Segment], texts: Sequence[Rendering], default: datetime, findings: Sequence[Finding]
) -> Frozen:
    return Frozen(
        segments=tuple(rows),
        renderings=tuple(texts),
        priority=min((row.rank for row in rows), default=None),
        expires=max((row.expires for row in rows), default=default),
        findings=tuple(findings),
    )
