"""A small country, its followers, and warnings for it.

Country AA has the provinces AA-1, AA-2 and AA-3, squares of a degree side by side from (0, 0) eastward; AA-1-A is the
south-western quarter of AA-1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from alerting import authoring, gazetteer
from alerting.authoring import Actor, Role, Submitted, policy
from alerting.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Info,
    MsgType,
    NamedValue,
    Reference,
    Scope,
    Severity,
    Status,
    Urgency,
)
from alerting.config import Settings
from alerting.store import alerts, cells, regions
from alerting.store.engine import transaction

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PREPARER = Actor("preparer", Role.PREPARER)
APPROVER = Actor("approver", Role.APPROVER)

#: The middle of AA-1, in its district AA-1-A and out of it.
SQUARE = "0.2,0.2 0.2,0.8 0.8,0.8 0.8,0.2 0.2,0.2"


def box(south: float, west: float, north: float, east: float) -> str:
    """A CAP polygon."""
    return f"{south},{west} {south},{east} {north},{east} {north},{west} {south},{west}"


def coded(*codes: str, desc: str = "somewhere") -> Area:
    return Area(desc, geocode=tuple(NamedValue("ISO3166-2", code) for code in codes))


def info(language: str = "en", **changes: Any) -> Info:
    made = Info(
        category=(Category.MET,),
        event="Flood",
        urgency=Urgency.IMMEDIATE,
        severity=Severity.SEVERE,
        certainty=Certainty.OBSERVED,
        language=language,
        expires=NOW + timedelta(hours=6),
        headline=f"Flood ({language})",
        description=f"The river rises ({language}).",
        instruction=f"Go up ({language}).",
        sender_name="River office",
        area=(coded("AA-1"),),
    )
    return replace(made, **changes)


def warning(identifier: str = "w-1", *infos: Info, **changes: Any) -> Alert:
    made = Alert(
        identifier=identifier,
        sender="river.example",
        sent=NOW,
        status=Status.ACTUAL,
        msg_type=MsgType.ALERT,
        scope=Scope.PUBLIC,
        info=infos or (info(),),
    )
    return replace(made, **changes)


def acting(
    identifier: str, msg_type: MsgType, *on: Alert, infos: tuple[Info, ...] = (), **changes: Any
) -> Alert:
    """An Update, Cancel or Error of other messages."""
    references = tuple(Reference(each.sender, each.identifier, each.sent) for each in on)
    return replace(warning(identifier), msg_type=msg_type, references=references, info=infos, **changes)


class Desk:
    """What an officer does, and what lies in the tables after it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def submit(self, alert: Alert, *, actor: Actor = PREPARER, now: datetime = NOW, **omit: str) -> Submitted:
        return authoring.submit(alert, None, actor=actor, omit=omit, settings=self.settings, now=now)

    def approve(
        self,
        alert: UUID,
        *,
        actor: Actor = APPROVER,
        now: datetime = NOW,
        overrides: Sequence[authoring.Override] = (),
    ) -> authoring.Issued:
        return authoring.approve(alert, actor=actor, settings=self.settings, now=now, overrides=overrides)

    def cancel(
        self,
        alert: UUID,
        *,
        reason: str = "it is over",
        texts: dict[str, str] | None = None,
        now: datetime = NOW,
        **more: Any,
    ) -> Submitted:
        return authoring.cancel(
            alert, reason=reason, texts=texts or {}, actor=PREPARER, settings=self.settings, now=now, **more
        )

    def stored(self, alert: UUID) -> alerts.Stored:
        with transaction() as session:
            found = alerts.get(session, alert)
        assert found is not None
        return found

    def segments(self, alert: UUID) -> list[alerts.Segment]:
        with transaction() as session:
            return alerts.segments_of(session, alert)

    def texts(self, alert: UUID, channel: str = "sms") -> dict[tuple[int, str], str]:
        with transaction() as session:
            return {
                (each.segment, each.language): each.text
                for each in alerts.renderings_of(session, alert, channel)
            }

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        with transaction() as session:
            return [dict(row) for row in session.execute(text(query), values).mappings()]

    def dispatches(self, alert: UUID) -> dict[str, dict[str, Any]]:
        rows = self.rows("SELECT * FROM dispatch WHERE alert = :alert ORDER BY id", alert=alert)
        return {row["channel"]: row for row in rows}

    def codes(self, ids: tuple[int, ...]) -> set[str]:
        with transaction() as session:
            return {found.code for found in regions.of_ids(session, ids).values()}


@pytest.fixture
def country(database: str) -> None:
    def feature(code: str, west: float, side: float, parent: str) -> dict[str, Any]:
        east = west + side
        ring = [[west, 0], [east, 0], [east, side], [west, side], [west, 0]]
        return {
            "type": "Feature",
            "properties": {"code": code, "parent": parent, "name": code},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }

    features = [feature(f"AA-{n}", n - 1, 1, "AA") for n in (1, 2, 3)] + [feature("AA-1-A", 0, 0.5, "AA-1")]
    gazetteer.import_regions(
        json.dumps({"type": "FeatureCollection", "features": features}).encode(),
        mapping=gazetteer.Mapping(geocodes=(("ISO3166-2", "code"),)),
        actor="tester",
        now=NOW,
        source="country.geojson",
    )


@pytest.fixture
def desk(country: None, settings: Settings) -> Desk:
    """With the policy that nobody needs to approve."""
    policy.set_approvers(0, actor="tester", now=NOW)
    return Desk(settings)


@pytest.fixture
def careful_desk(desk: Desk) -> Desk:
    """With the policy that a second person approves."""
    policy.set_approvers(1, actor="tester", now=NOW)
    return desk


Follow = Callable[..., None]


@pytest.fixture
def follow(country: None) -> Follow:
    """Make a subscriber who follows a region (`code`) or a point (`lat`, `lon`)."""

    def follow(
        code: str | None = None,
        *,
        lat: float | None = None,
        lon: float | None = None,
        channel: str = "sms",
        floor: int = 0,
        state: str = "active",
        audience: str = "public",
    ) -> None:
        with transaction() as session:
            region = None
            if code is not None:
                found = regions.by_code(session, code)
                assert found is not None
                region = found.id
            elif lat is not None and lon is not None:
                region = regions.smallest_at(session, lat, lon)
            session.execute(
                text("""
                    WITH s AS (INSERT INTO subscriber (audience, language, token, source, consent_at)
                               VALUES (:audience, 'en', gen_random_uuid()::text, 'api', now()) RETURNING id),
                         a AS (INSERT INTO address (channel, subscriber, state, cipher, key_id, mac)
                               SELECT :channel, id, :state, '', 'k', gen_random_uuid()::text::bytea FROM s)
                    INSERT INTO follow (subscriber, region, lat, lon, cell, floor)
                    SELECT id, :region, :lat, :lon, :cell, :floor FROM s
                """),
                {
                    "audience": audience,
                    "channel": channel,
                    "state": state,
                    "region": region,
                    "lat": lat,
                    "lon": lon,
                    "cell": None if lat is None or lon is None else cells.cell_of(lat, lon),
                    "floor": floor,
                },
            )

    return follow
