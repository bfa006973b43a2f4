"""What a drain does when more than one recipient failed: a whole provider, or a text that is not the approved one.

Owns the two transactions of that. Must not decide what becomes of a delivery: that is `retry`. Invariant: a provider that failed
is left alone for a while by every worker, through its sender's row.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from alerting.fanout import retry
from alerting.store import audit, outbox, senders
from alerting.store.engine import transaction
from alerting.store.states import DispatchState
from channels.base import Misconfigured, ProviderDown, SourceFailed

log = structlog.get_logger(__name__)


def hold(channel: str, dispatch: int, *, now: datetime) -> None:
    """A text of this dispatch is not what was approved: nothing more of it leaves."""
    log.error("text_changed", channel=channel, dispatch=dispatch)
    with transaction() as session:
        held = outbox.get(session, dispatch)
        outbox.set_state(session, dispatch, DispatchState.HELD, now=now)
        audit.append(
            session,
            actor=f"drain {channel}",
            act="dispatch.held",
            subject=str(held.alert) if held.alert is not None else f"notice {held.notice}",
            detail={"dispatch": dispatch, "why": "a text differs from the approved one"},
            now=now,
        )


def rest(channel: str, error: Misconfigured | ProviderDown | SourceFailed) -> None:
    """Leave the provider of a channel alone for a while, longer after each failure in a row."""
    after = error.retry_after if isinstance(error, ProviderDown) else None
    with transaction() as session:
        failures = senders.failed(session, channel)
        senders.rest(session, channel, retry.rest(failures, after))
    log.error(
        "provider_failed",
        channel=channel,
        kind=type(error).__name__,
        cause=type(error.__cause__).__name__ if error.__cause__ is not None else None,
        failures=failures,
    )
