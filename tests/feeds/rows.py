"""Rows of warnings as issuing leaves them, written straight into the tables: feeds are tested without authoring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from alerting.cap import jsonform, rank, xml
from alerting.cap.model import Alert, Status
from alerting.cap.segment import segments
from alerting.store import publications, tables
from alerting.store.engine import transaction
from alerting.wording import Issuer, render_all

LIFE = timedelta(hours=24)


def regions(*codes: str) -> dict[str, int]:
    """A region for each code, side by side."""
    with transaction() as session:
        return {
            code: session.execute(
                insert(tables.region)
                .values(code=code, low=n, high=n, names={"en": f"Region {code}", "fr": f"Région {code}"})
                .returning(tables.region.c.id)
            ).scalar_one()
            for n, code in enumerate(codes, start=1)
        }


def issue(
    told: Alert,
    *,
    now: datetime,
    ground: Sequence[int],
    replaces: Sequence[UUID] = (),
    ended: str = "superseded",
    channels: Sequence[str] = ("rss", "web"),
    approved: bool = True,
    slug: str = "",
) -> UUID:
    """Put a warning in force on a ground, end those that it replaces, and raise the version: one transaction."""
    alert_id = uuid4()
    with transaction() as session:
        _document(session, alert_id, told, now, slug)
        for part in segments(told):
            session.execute(
                insert(tables.segment).values(
                    alert=alert_id,
                    n=part.n,
                    rank=rank.priority(part.urgency, part.severity, part.certainty),
                    severity=rank.floor_of(part.severity),
                    infos=list(part.infos),
                    languages=list(part.languages),
                    categories=[category.value for category in part.category],
                    area="; ".join(area.area_desc for area in part.area),
                    effective=part.effective,
                    expires=part.expires or part.effective + LIFE,
                    regions=list(ground),
                    covered=list(ground),
                )
            )
            issuer = Issuer("Water Office", "en", "UTC", "http://127.0.0.1:8000")
            for (channel, language), made in render_all(
                told, part, channels, issuer, "http://127.0.0.1/w/x"
            ).items():
                session.execute(
                    insert(tables.rendering).values(
                        alert=alert_id,
                        segment=part.n,
                        channel=channel,
                        language=language,
                        subject=made.subject,
                        text=made.text,
                        html=made.html,
                        segments=made.segments,
                        sha256=made.sha256,
                    )
                )
        _state(session, alert_id, told, now, approved=approved)
        for old in replaces:
            session.execute(insert(tables.supersedes).values(new=alert_id, old=old))
            session.execute(
                text("UPDATE alert_state SET state = :state, ended_at = :now WHERE alert = :old"),
                {"state": ended, "now": now, "old": old},
            )
        publications.bump(session, now)
    return alert_id


def _document(session: Session, alert_id: UUID, told: Alert, now: datetime, slug: str) -> None:
    written = xml.write(told)
    session.execute(
        insert(tables.alert).values(
            id=alert_id,
            slug=slug or alert_id.hex[:8],
            workspace="live" if told.status is Status.ACTUAL else "exercise",
            sender=told.sender,
            identifier=told.identifier,
            sent=told.sent,
            status=told.status.value,
            scope=told.scope.value,
            msg_type=told.msg_type.value,
            origin="own",
            hash=hashlib.sha256(written).digest(),
            cap=jsonform.to_json(told),
            cap_xml=written,
            received_at=now,
        )
    )


def _state(session: Session, alert_id: UUID, told: Alert, now: datetime, *, approved: bool) -> None:
    ends = [part.expires or part.effective + LIFE for part in segments(told)]
    session.execute(
        insert(tables.alert_state).values(
            alert=alert_id,
            state="issued" if approved else "submitted",
            submitted_by="tests",
            issued_at=now if approved else None,
            expires=max(ends, default=now + LIFE),
        )
    )
