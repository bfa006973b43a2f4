"""When a message in doubt is looked up at its provider instead of being sent again, a pure policy.

In doubt is a row whose reply was lost, or that a lost lease may have let go (`maybe_repeated`). The adapter asks and sends only
what the provider does not have (`channels.base.Message.doubt_since`); an answer that it could not get is retried like
any other failure. Imports nothing but values. Invariant: asking ends after MOST tries: twice is better than never.
"""

from __future__ import annotations

from datetime import datetime

from alerting.store.states import DeliveryStatus

#: Tries of a row, of whatever kind, after which it is sent without being looked up: with the pauses of `retry` that is after
#: three minutes where the provider refuses to say, ten and more where it does not answer.
MOST = 8


def doubt_since(begun: datetime, tries: int, *, in_doubt: bool) -> datetime | None:
    """The time from which a send of a row is looked for after so many tries, None when it is simply sent.

    `begun` is when its dispatch was made.
    """
    return begun if in_doubt and tries < MOST else None


def too_late(*, doubt: bool) -> DeliveryStatus:
    """What a row becomes whose time has passed: of one in doubt nobody can say that it was not sent."""
    return DeliveryStatus.UNCONFIRMED if doubt else DeliveryStatus.EXPIRED
