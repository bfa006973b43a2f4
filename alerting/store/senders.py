"""Senders: who sends for a channel, how fast it may, and when it needs a rest.

Owns the rows of sender: pacing and failover shared by all workers without Redis. Functions take a session and never commit;
times are the database's. Invariant: what all workers reserve together is never more than the rate.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def ensure(session: Session, *, channel: str, provider: str, name: str, rate: float | None) -> None:
    """Enter the sender of a channel, or change its rate (messages, for SMS segments, a second; None: unlimited)."""
    session.execute(
        text("""
            INSERT INTO sender (channel, provider, name, next_free, rate)
            VALUES (:channel, :provider, :name, now(), :rate)
            ON CONFLICT (channel, provider, name) DO UPDATE SET rate = excluded.rate
            WHERE sender.rate IS DISTINCT FROM excluded.rate
        """),
        {"channel": channel, "provider": provider, "name": name, "rate": rate},
    )


def awake(session: Session, channel: str) -> bool:
    """Whether a sender of the channel may be used now; a channel without a row is new and may."""
    query = text("""
        SELECT coalesce(bool_or(resting_until IS NULL OR resting_until <= now()), true)
        FROM sender WHERE channel = :channel
    """)
    return bool(session.execute(query, {"channel": channel}).scalar_one())


def rate_of(session: Session, channel: str) -> float | None:
    """The rate of a channel's senders together; None when one has no limit or there is none."""
    query = text(
        "SELECT CASE WHEN bool_and(rate IS NOT NULL) THEN sum(rate) END FROM sender WHERE channel = :channel"
    )
    return session.execute(query, {"channel": channel}).scalar_one_or_none()


def reserve(session: Session, channel: str, amount: int) -> float:
    """Take the next `amount` messages (SMS: segments) of the channel's pace; seconds until the first may leave."""
    delay = session.execute(
        text("""
            UPDATE sender SET next_free = greatest(next_free, clock_timestamp()) + make_interval(secs => :amount / rate)
            WHERE channel = :channel AND rate IS NOT NULL
            RETURNING extract(epoch FROM next_free - clock_timestamp()) - :amount / rate
        """),
        {"channel": channel, "amount": float(amount)},
    ).scalar()
    return max(float(delay), 0.0) if delay is not None else 0.0


def failed(session: Session, channel: str) -> int:
    """Count a run that ended with the provider down; how many in a row."""
    return int(
        session.execute(
            text("UPDATE sender SET failures = failures + 1 WHERE channel = :channel RETURNING failures"),
            {"channel": channel},
        ).scalar()
        or 1
    )


def rest(session: Session, channel: str, seconds: float) -> None:
    """Leave the provider of a channel alone for a while."""
    session.execute(
        text("UPDATE sender SET resting_until = now() + make_interval(secs => :s) WHERE channel = :channel"),
        {"s": seconds, "channel": channel},
    )


def worked(session: Session, channel: str) -> None:
    """Forget failures after a message was accepted."""
    session.execute(
        text("""
            UPDATE sender SET failures = 0, resting_until = NULL
            WHERE channel = :channel AND (failures > 0 OR resting_until IS NOT NULL)
        """),
        {"channel": channel},
    )
