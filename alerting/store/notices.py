"""Answers to citizens: each message is heard once, and nobody can be made to be flooded with answers.

Owns the rows of notice, and two questions that UNIQUE(provider, event_id) of receipt decides, so that two web processes that
hear the same message agree. Functions take a session and never commit.
Invariant: at most `MOST_ANSWERS` answers go to one address in one hour of the clock.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from alerting.store import tables as t
from alerting.store.states import NO_REGION, NO_SEGMENT, Audience, DeliveryStatus, DispatchState, NoticeKind

#: Notices (answers to citizens) leave after every warning: priorities of warnings are below (cap.rank).
NOTICE_PRIORITY = 1000

#: Answers to one address in an hour: enough for a conversation, useless for whoever forges a sender to annoy somebody.
MOST_ANSWERS = 5


def hear(session: Session, provider: str, event_id: str, *, now: datetime) -> bool:
    """Whether a citizen's message is new; it is noted without its words. False for a replay by the provider."""
    query = text("""
        INSERT INTO receipt (provider, event_id, status, raw, received_at)
        SELECT :provider, :event, 'unknown', '{}', :now
        WHERE NOT EXISTS (SELECT FROM receipt WHERE provider = :provider AND event_id = :emptied)
        ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
    """)
    event = f"inbound:{event_id}"
    # An old one is known by its digest alone (store.retention).
    emptied = "sha256:" + hashlib.sha256(event.encode()).hexdigest()
    values = {"provider": provider, "event": event, "emptied": emptied, "now": now}
    return session.execute(query, values).first() is not None


def may_answer(session: Session, provider: str, address_id: int, *, now: datetime) -> bool:
    """Take one of the address's answers of this hour; False when they are used up.

    An answer is a numbered place in the hour, so that counting is one look into the index, however many answers all
    citizens get. The caller holds the address's row.
    """
    query = text("""
        INSERT INTO receipt (provider, event_id, status, raw, received_at)
        SELECT :provider, place, 'unknown', '{}', :now
        FROM (SELECT CAST(:stem AS text) || n AS place FROM generate_series(1, :most) AS n) AS places
        WHERE NOT EXISTS (SELECT FROM receipt WHERE provider = :provider AND event_id = place)
        ORDER BY place LIMIT 1
        ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
    """)
    stem = f"answer:{address_id}:{now:%Y%m%dT%H}:"
    values = {"provider": provider, "stem": stem, "most": MOST_ANSWERS, "now": now}
    return session.execute(query, values).first() is not None


def plan(
    session: Session,
    *,
    address_id: int,
    channel: str,
    kind: NoticeKind,
    language: str,
    subject: str | None,
    body: str,
    html: str | None,
    segments: int,
    sha256: bytes,
    expires: datetime,
    now: datetime,
) -> int:
    """Write a notice to one address: its dispatch is open at once, with one delivery and one batch."""
    notice = session.execute(
        insert(t.notice).returning(t.notice.c.id),
        {
            "kind": kind,
            "language": language,
            "subject": subject,
            "text": body,
            "html": html,
            "segments": segments,
            "sha256": sha256,
            "created_at": now,
        },
    ).scalar_one()
    dispatch = session.execute(
        insert(t.dispatch).returning(t.dispatch.c.id),
        {
            "notice": notice,
            "audience": Audience.PERSON,
            "channel": channel,
            "state": DispatchState.OPEN,
            "priority": NOTICE_PRIORITY,
            "planned": 1,
            "created_at": now,
            "opened_at": now,
            "expires": expires,
        },
    ).scalar_one()
    _plan_one(session, dispatch, address_id, language)
    return int(dispatch)


def _plan_one(session: Session, dispatch: int, address_id: int, language: str) -> None:
    """The one delivery of a notice, its batch and its tally."""
    session.execute(
        insert(t.delivery),
        {
            "dispatch": dispatch,
            "n": 1,
            "address": address_id,
            "segment": NO_SEGMENT,
            "region": NO_REGION,
            "language": language,
            "status": DeliveryStatus.PLANNED,
        },
    )
    session.execute(insert(t.batch), {"dispatch": dispatch, "n_from": 1, "n_to": 1, "state": "ready"})
    session.execute(
        insert(t.tally), {"dispatch": dispatch, "region": NO_REGION, "status": DeliveryStatus.PLANNED, "n": 1}
    )
