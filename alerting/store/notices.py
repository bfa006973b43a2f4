"""Answers to citizens: each message is heard once, and nobody can be made to be flooded with answers.

Owns nothing but these two questions; both are decided by UNIQUE(provider, event_id) of receipt, so that two web processes that
hear the same message agree. The notice itself is written by `outbox.plan_notice`. Functions take a session and never commit.
Invariant: at most `MOST_ANSWERS` answers go to one address in one hour of the clock.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Answers to one address in an hour: enough for a conversation, useless for whoever forges a sender to annoy somebody.
MOST_ANSWERS = 5


def hear(session: Session, provider: str, event_id: str, *, now: datetime) -> bool:
    """Whether a citizen's message is new; it is noted without its words. False for a replay by the provider."""
    query = text("""
        INSERT INTO receipt (provider, event_id, status, raw, received_at)
        VALUES (:provider, :event, 'unknown', '{}', :now) ON CONFLICT (provider, event_id) DO NOTHING RETURNING id
    """)
    values = {"provider": provider, "event": f"inbound:{event_id}", "now": now}
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
