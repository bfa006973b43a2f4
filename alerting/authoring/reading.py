"""Warnings as officers see them: lists in pages, and one with its segments and its lineage.

Owns these transactions, which only read. Must not import tracking: what became of the messages is told there. Invariant:
nothing here passes the gate to the public; whoever calls has checked that an officer asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.authoring.issue import urgency
from alerting.cap import rank
from alerting.cap.model import Certainty, Severity, Urgency
from alerting.store import alerts, forecast
from alerting.store.alerts import Stored
from alerting.store.engine import transaction
from alerting.store.forecast import Forecast
from alerting.store.states import CHANNELS, AlertState

__all__ = [
    "CHANNELS",
    "AlertState",
    "Detail",
    "Page",
    "Segment",
    "Summary",
    "detail",
    "exists",
    "forecasts",
    "listing",
]


@dataclass(frozen=True, slots=True)
class Summary:
    """A warning in a list; `event`, `colour` and `languages` are of the document, None or empty without an info.

    Times are aware UTC.
    """

    id: UUID
    state: str
    sender: str
    identifier: str
    sent: datetime
    status: str
    scope: str
    msg_type: str
    event: str | None
    colour: str | None
    languages: tuple[str, ...]
    submitted_by: str
    approved_by: str | None
    received_at: datetime
    issued_at: datetime | None
    ended_at: datetime | None
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `severity` and `colour` are those of its infos, which share them."""

    n: int
    languages: tuple[str, ...]
    categories: tuple[str, ...]
    severity: str
    colour: str
    area: str
    effective: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Detail:
    """One warning; `cap` is the document in JSON form, `people` were counted at approval, by channel."""

    summary: Summary
    slug: str
    omit: Mapping[str, str]
    people: Mapping[str, int]
    supersedes: tuple[UUID, ...]
    superseded_by: tuple[UUID, ...]
    segments: tuple[Segment, ...]
    cap: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page:
    """Warnings, the newest first, and the number before which the next page begins; None at the end."""

    rows: tuple[Summary, ...]
    next: int | None


def listing(*, state: str | None, before: int | None, limit: int) -> Page:
    """Warnings in `state`, or all, that came before the number `before`."""
    with transaction() as session:
        wanted = None if state is None else AlertState(state)
        found = alerts.listing(session, before=before, limit=limit + 1, state=wanted)
    rows = found[:limit]
    return Page(tuple(map(_summary, rows)), rows[-1].seq if len(found) > limit else None)


def exists(alert: UUID) -> bool:
    """Whether there is such a warning."""
    with transaction() as session:
        return alerts.get(session, alert) is not None


def detail(alert: UUID) -> Detail | None:
    """One warning with everything but its deliveries; None when there is none of this id."""
    with transaction() as session:
        found = alerts.get(session, alert)
        if found is None:
            return None
        segments = alerts.segments_of(session, alert)
        before, after = alerts.predecessors(session, alert), alerts.successors(session, alert)
    return Detail(
        summary=_summary(found),
        slug=found.slug,
        omit=found.omit,
        people=found.people,
        supersedes=tuple(each.id for each in before),
        superseded_by=tuple(each.id for each in after),
        segments=tuple(map(_segment, segments)),
        cap=found.cap,
    )


def forecasts(alert: UUID, *, now: datetime) -> tuple[Forecast, ...]:
    """How long the channels with a rate need for a warning that waits for approval; empty for any other."""
    with transaction() as session:
        found = alerts.get(session, alert)
        if found is None or found.state is not AlertState.SUBMITTED or found.expires is None:
            return ()
        ranks = [row.rank for row in alerts.segments_of(session, alert)]
        first = urgency(min(ranks, default=0), found.workspace)
        return forecast.of_people(
            session, alert, found.people, priority=first, expires=found.expires, now=now
        )


def _infos(stored: Stored) -> Sequence[Mapping[str, Any]]:
    found: Any = stored.cap.get("info", [])
    infos: Sequence[Mapping[str, Any]] = found
    return infos


def _summary(stored: Stored) -> Summary:
    infos = _infos(stored)
    # The most urgent info names and colours the whole warning.
    first = min(infos, key=_priority, default=None)
    return Summary(
        id=stored.id,
        state=stored.state.value,
        sender=stored.sender,
        identifier=stored.identifier,
        sent=stored.sent,
        status=stored.status,
        scope=stored.scope,
        msg_type=stored.msg_type,
        event=None if first is None else first["event"],
        colour=None if first is None else _colour(first),
        languages=tuple(dict.fromkeys(info.get("language", "en-US") for info in infos)),
        submitted_by=stored.submitted_by,
        approved_by=stored.approved_by,
        received_at=stored.received_at,
        issued_at=stored.issued_at,
        ended_at=stored.ended_at,
        expires=stored.expires,
    )


def _grades(info: Mapping[str, Any]) -> tuple[Urgency, Severity, Certainty]:
    return Urgency(info["urgency"]), Severity(info["severity"]), Certainty(info["certainty"])


def _priority(info: Mapping[str, Any]) -> int:
    return rank.priority(*_grades(info))


def _colour(info: Mapping[str, Any]) -> str:
    return str(rank.colour(Severity(info["severity"])))


def _segment(segment: alerts.Segment) -> Segment:
    # From the row: the segments of a message that takes another back may have no info of their own.
    severity = next(each for each in Severity if rank.floor_of(each) == segment.severity)
    return Segment(
        n=segment.n,
        languages=segment.languages,
        categories=segment.categories,
        severity=severity.value,
        colour=str(rank.colour(severity)),
        area=segment.area,
        effective=segment.effective,
        expires=segment.expires,
    )
