"""Senders: who sends for a channel, how fast it may, and when it needs a rest.

Owns the rows of sender: pacing and failover shared by all workers without Redis; how its time is given away is `fanout.pace`.
Functions take a session and never commit; times are the database's. Invariant: a sender's time is given away under the lock
of its row.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


def ensure(session: Session, *, channel: str, provider: str, name: str, rate: float | None) -> None:
    """Enter the sender of a channel, or change its rate (messages, for SMS segments, a second; None: unlimited)."""
    session.execute(
        text("""
            INSERT INTO sender (channel, provider, name, next_free, rate)
            VALUES (:channel, :provider, :name, now(), :rate)
            ON CONFLICT (channel, provider, name) DO UPDATE SET rate = excluded.rate,
                -- what was given away at a slow rate does not hold a quick one up
                next_free = least(sender.next_free, now() + make_interval(secs => 1 / excluded.rate))
            WHERE sender.rate IS DISTINCT FROM excluded.rate
        """),
        {"channel": channel, "provider": provider, "name": name, "rate": rate},
    )


def outlook(session: Session, channel: str) -> tuple[bool, float | None]:
    """Whether a sender of the channel may be used now, and the rate of all together (None: one has no limit).

    A channel without a row is new: it may, without a limit.
    """
    query = text("""
        SELECT coalesce(bool_or(resting_until IS NULL OR resting_until <= now()), true),
               CASE WHEN bool_and(rate IS NOT NULL) THEN sum(rate) END
        FROM sender WHERE channel = :channel
    """)
    awake, rate = session.execute(query, {"channel": channel}).one()
    return bool(awake), rate


def rate_of(session: Session, channel: str) -> float | None:
    """The rate of a channel's senders together; None when one has no limit or there is none."""
    return outlook(session, channel)[1]


@dataclass(frozen=True, slots=True)
class Standing:
    """A sender's row, locked. Times are seconds from the epoch by the database's clock."""

    sender: int
    rate: float  # tokens (messages; for SMS segments) a second
    next_free: float  # up to here its time is given away
    turn: int | None  # the priority for which the next grant is kept
    turn_until: float
    now: float


def lock(session: Session, channel: str) -> Standing | None:
    """The sender of a channel whose time is free first, one that rests last, locked; None where nobody has a rate."""
    row = session.execute(
        text("""
            SELECT id, rate, CAST(extract(epoch FROM next_free) AS float8), turn,
                   CAST(extract(epoch FROM coalesce(turn_until, 'epoch')) AS float8),
                   CAST(extract(epoch FROM clock_timestamp()) AS float8)
            FROM sender WHERE channel = :channel AND rate IS NOT NULL
            ORDER BY resting_until > now() AND resting_until IS NOT NULL, greatest(next_free, now()), id
            LIMIT 1 FOR NO KEY UPDATE
        """),
        {"channel": channel},
    ).first()
    return None if row is None else Standing(*row)


def give(session: Session, sender: int, *, next_free: float, turn: int | None, turn_until: float) -> None:
    """Write how far a locked sender's time is given away, and whose turn is next until when (seconds from the epoch)."""
    session.execute(
        text("""
            UPDATE sender SET next_free = to_timestamp(:next_free), turn = :turn, turn_until = to_timestamp(:turn_until)
            WHERE id = :sender
        """),
        {"next_free": next_free, "turn": turn, "turn_until": turn_until, "sender": sender},
    )


def give_back(session: Session, sender: int, start: float, until: float) -> bool:
    """Give back the end of a grant from `start` to `until` (seconds from the epoch), if nobody has what comes after it."""
    # to_timestamp keeps microseconds of a float: equal within a tenth of a millisecond is equal.
    returned = session.execute(
        text("""
            UPDATE sender SET next_free = to_timestamp(:start)
            WHERE id = :sender AND abs(extract(epoch FROM next_free) - :until) < 0.0001 RETURNING id
        """),
        {"sender": sender, "start": start, "until": until},
    )
    return returned.first() is not None


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
