"""How long a paced channel needs for so many people, and whom it can still reach before the warning expires.

Owns no row: reads senders, tallies and the longest frozen text. Functions take a session and never commit. Invariant: a channel
without a rate has no forecast, and what is told is never too short for the texts that are frozen and the queue as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store import frozen, senders


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a channel needs for the people of one warning, behind what is queued before it.

    `rate` is messages (SMS: segments) a second, `segments` those of the longest text, `ahead` those that go first. `seconds` end
    with the last person; `reachable` people have theirs before `expires`.
    """

    channel: str
    people: int
    segments: int
    rate: float
    ahead: int
    seconds: float
    reachable: int
    expires: datetime

    @property
    def short(self) -> bool:
        """Whether there is less time than messages."""
        return self.reachable < self.people

    @property
    def words(self) -> str:
        """For an officer: about 20 minutes for 12 000 people."""
        return f"{lasting(self.seconds)} for {_grouped(self.people)} people"

    @property
    def shortage(self) -> str:
        """For an officer, where there is less time than messages."""
        unit = "segment" if self.channel == "sms" else "message"
        plural = "" if self.rate == 1 else "s"
        return (
            f"at {self.rate:g} {unit}{plural} a second only about {_grouped(self.reachable)} of "
            f"{_grouped(self.people)} people can be reached by {self.channel} before {self.expires:%H:%M %Z}; "
            "the most severe are sent first. Let it expire later, narrow the area, or raise the sender's rate"
        )


def paced(session: Session, channels: Iterable[str]) -> bool:
    """Whether one of the channels has a rate."""
    return any(senders.rate_of(session, channel) is not None for channel in channels)


def of_people(
    session: Session,
    alert: UUID,
    people: Mapping[str, int],
    *,
    priority: int,
    expires: datetime,
    now: datetime,
) -> tuple[Forecast, ...]:
    """A forecast for each channel with a rate; the alert's texts must be frozen. `expires` and `now` are aware."""
    found = []
    for channel, count in sorted(people.items()):
        rate = senders.rate_of(session, channel)
        if rate is None or not count:
            continue
        segments = frozen.longest(session, alert, channel)
        before = ahead(session, channel, priority, alert)
        left = max((expires - now).total_seconds(), 0.0) * rate
        reachable = max(0, min(count, int((left - before) / segments)))
        seconds = (before + count * segments) / rate
        found.append(Forecast(channel, count, segments, rate, before, seconds, reachable, expires))
    return tuple(found)


def ahead(session: Session, channel: str, priority: int, but: UUID) -> int:
    """Messages (SMS: segments) of other warnings that wait on a channel and are not less urgent."""
    query = text("""
        SELECT coalesce(sum(t.n * coalesce((SELECT max(r.segments) FROM rendering r
                                            WHERE r.alert = d.alert AND r.channel = d.channel), 1)), 0)
        FROM dispatch d
        CROSS JOIN LATERAL (SELECT n FROM tally WHERE dispatch = d.id AND status = 'planned' AND n > 0 OFFSET 0) AS t
        WHERE d.channel = :channel AND d.state IN ('planning', 'open') AND d.priority <= :priority AND d.expires > now()
          AND d.alert IS DISTINCT FROM :but
    """)
    values = {"channel": channel, "priority": priority, "but": but}
    return int(session.execute(query, values).scalar_one())


def lasting(seconds: float) -> str:
    """A duration for people, rounded up: about 40 seconds, about 20 minutes, about 3 hours."""
    for size, unit, most in ((1, "second", 90), (60, "minute", 7_200), (3_600, "hour", math.inf)):
        if seconds < most:
            count = max(1, math.ceil(seconds / size))
            return f"about {_grouped(count)} {unit}{'' if count == 1 else 's'}"
    raise ValueError("a duration must be a number")


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
