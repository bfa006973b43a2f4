"""What follows from one send: the retry policy, a pure function from a result to a decision.

Owns the table of kinds of failure. Imports nothing but values; the time is an argument. Invariant: nothing is tried again
at or after the expiry of its text, and a lost reply repeats at most once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.store.states import DeliveryStatus
from channels.base import SendResult, Status

#: Final results, word by word.
FINAL: dict[Status, DeliveryStatus] = {
    Status.ACCEPTED: DeliveryStatus.ACCEPTED,
    Status.DELIVERED: DeliveryStatus.DELIVERED,
    Status.UNDELIVERED: DeliveryStatus.UNDELIVERED,
    Status.BOUNCED: DeliveryStatus.BOUNCED,
    Status.REJECTED: DeliveryStatus.REJECTED,
    Status.OPTED_OUT: DeliveryStatus.OPTED_OUT,
    # The provider answered with a word that nobody here knows: it may have been sent, so it is not sent again.
    Status.UNKNOWN: DeliveryStatus.UNCONFIRMED,
}

#: Seconds before the next try by kind of failure: (first, longest); each try doubles it.
BACKOFF: dict[Status, tuple[float, float]] = {
    Status.THROTTLED: (1.0, 60.0),
    Status.UNREACHABLE: (2.0, 300.0),
    Status.AMBIGUOUS: (5.0, 5.0),
}


#: Why a delivery is expired whose next try would come too late.
NO_TIME = "no_time_to_retry"


@dataclass(frozen=True, slots=True)
class Decision:
    """A final status, or PLANNED with the time of the next try (aware UTC)."""

    status: DeliveryStatus
    again_at: datetime | None = None
    reason: str | None = None  # where it is not the provider's


_FINAL = {status: Decision(final) for status, final in FINAL.items()}


def decide(
    result: SendResult,
    *,
    attempts: int,
    repeated: bool,
    now: datetime,
    expires: datetime,
    asked: bool = False,
) -> Decision:
    """What becomes of a delivery after `attempts` tries before this one; `repeated`: its reply was lost before.

    `asked`: the provider was asked before this send, and said that it did not have it: this is its first lost reply.
    """
    final = _FINAL.get(result.status)
    if final is not None:
        return final
    lost = result.status is Status.AMBIGUOUS
    if lost and repeated and not asked:
        return Decision(DeliveryStatus.UNCONFIRMED)
    first, longest = BACKOFF[result.status]
    delay = min(first * 2 ** min(attempts, 16), longest)
    if result.retry_after is not None:
        # What was taken a moment ago may not be in the provider's list yet: a lost reply waits for its own time.
        delay = max(result.retry_after, first if lost else 0.0)
    # No longer than is left: a provider may ask for more seconds than a calendar has.
    again_at = now + timedelta(seconds=min(delay, (expires - now).total_seconds()))
    if again_at < expires:
        return Decision(DeliveryStatus.PLANNED, again_at)
    if lost or repeated:
        return Decision(DeliveryStatus.UNCONFIRMED)
    return Decision(DeliveryStatus.EXPIRED, reason=NO_TIME)


def rest(failures: int, retry_after: float | None) -> float:
    """Seconds for which a whole provider is left alone after `failures` runs in a row ended with it down.

    A minute at most, whatever the provider asks for: a warning is worth a try.
    """
    return min(retry_after if retry_after is not None else 2.0 ** min(failures, 6), 60.0)
