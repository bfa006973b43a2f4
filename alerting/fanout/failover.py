"""What is done when more than one recipient failed: a whole provider, or a dispatch that must not or cannot go on.

Owns the two transactions of that. Must not decide what becomes of a delivery: that is `retry`. Invariant: a provider that failed
is left alone for a while by every worker, through its sender's row.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from alerting.fanout import retry
from alerting.store import audit, outbox, senders
from alerting.store.engine import transaction
from channels.base import Misconfigured, ProviderDown, SourceFailed

log = structlog.get_logger(__name__)


def hold(channel: str, dispatch: int, why: str, *, now: datetime) -> None:
    """Nothing more of this dispatch leaves until somebody has looked; what has ended or is held already stays as it is."""
    log.error("dispatch_held", channel=channel, dispatch=dispatch, why=why)
    with transaction() as session:
        held = outbox.hold(session, dispatch, now=now)
        if held is None:
            return
        audit.append(
            session,
            actor=f"fanout {channel}",
            act="dispatch.held",
            subject=str(held.alert) if held.alert is not None else f"notice {held.notice}",
            detail={"dispatch": dispatch, "why": why},
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
