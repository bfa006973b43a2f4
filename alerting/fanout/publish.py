"""The web lane: a claimed batch of a broadcast channel becomes stored publications, one delivery per feed.

Owns the transactions of publishing. The rendering is the feeds' own; what fails for one feed is its delivery's outcome and
never the batch's. Invariant: a delivery is `delivered` only after its feed's publication has been committed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import structlog

from alerting import feeds
from alerting.config import Settings
from alerting.store import batches, deliveries, outbox
from alerting.store.deliveries import Outcome
from alerting.store.engine import DriverError, transaction
from alerting.store.states import DeliveryStatus

log = structlog.get_logger(__name__)


def publish_next(channel: str, *, settings: Settings, now: Callable[[], datetime]) -> bool:
    """Claim one batch of a broadcast channel and publish its feeds; False when there is none."""
    with transaction() as session:
        lease = None
        for dispatch in outbox.candidates(session, channel):
            lease = batches.claim(session, dispatch, token=uuid4(), window=2**20)
            if lease is not None:
                break
        if lease is None:
            return False
        rows = deliveries.read(session, lease.dispatch, lease.n_from, lease.n_to, lease.picked, tokens=False)
    outcomes = []
    for row in rows:
        outcomes.append(_publish(row, settings, now()))
        with transaction() as session:
            if batches.renew(session, lease, row.n, now()) is None:
                log.warning("lease_lost", channel=channel, dispatch=lease.dispatch, batch=lease.batch)
                return True
    with transaction() as session:
        if batches.finish(session, lease):
            deliveries.settle(session, lease.dispatch, outcomes, now=now())
    return True


def _publish(row: deliveries.Planned, settings: Settings, now: datetime) -> Outcome:
    """Publish one feed. A database error of this feed alone leaves the page to be rendered by the request."""
    try:
        feeds.publish(row.feed or 0, settings=settings, now=now)
    except DriverError as error:
        # The class alone: the text may hold what was stored.
        log.error("publishing_failed", feed=row.feed, kind=type(error).__name__)  # noqa: TRY400
        return Outcome(row.n, DeliveryStatus.UNDELIVERED, "not_stored", None, ambiguous=False)
    return Outcome(row.n, DeliveryStatus.DELIVERED, None, None, ambiguous=False)
