"""What is forgotten when its time has come: who got which warning, what providers said of it, who stopped long ago.

Owns these transactions, each a chunk, so that a table of any size is never walked at once and nobody waits long. Called
by the sweep and by the command line; how far it has come stands in the database, so either may stop at any time.
Invariant: no status changes, so that the tally still equals the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from alerting.config import Settings
from alerting.store import audit, retention
from alerting.store.engine import transaction


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of each kind lost what leads to a person."""

    deliveries: int = 0
    receipts: int = 0
    notices: int = 0
    addresses: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))


def forget(
    settings: Settings, *, actor: str, now: datetime, chunks: int | None = None, idle: bool = False
) -> Forgotten:
    """Forget what is older than RETENTION_DELIVERIES and RETENTION_ADDRESSES say; what it was.

    At most `chunks` chunks (None: until nothing is left); with `idle` only while nothing is being sent. Each run that
    forgot something is in the audit by its counts.
    """
    if idle:
        with transaction() as session:
            if retention.sending(session):
                return Forgotten()
    done = Forgotten()
    left = chunks
    while left is None or left > 0:
        step = _step(settings, now)
        if step is None:
            break
        done += step
        left = None if left is None else left - 1
    if done:
        with transaction() as session:
            detail: dict[str, object] = {f.name: getattr(done, f.name) for f in fields(done)}
            audit.append(
                session, actor=actor, act="retention.run", subject="retention", detail=detail, now=now
            )
    return done


def _step(settings: Settings, now: datetime) -> Forgotten | None:
    """One chunk of whatever is due; None when nothing is."""
    if settings.retention_deliveries:
        before = now - timedelta(days=settings.retention_deliveries)
        with transaction() as session:
            found = retention.next_dispatch(session, before)
            if found is not None:
                rows = retention.forget_recipients(session, found, now=now)
                notices = retention.empty_notices(session, [] if found.notice is None else [found.notice])
                return Forgotten(deliveries=rows, notices=notices)
        with transaction() as session:
            receipts, looked = retention.empty_receipts(session, before)
            if looked:
                return Forgotten(receipts=receipts)
    if settings.retention_addresses:
        before = now - timedelta(days=settings.retention_addresses)
        with transaction() as session:
            addresses = retention.let_go(session, before, now=now)
            if addresses:
                return Forgotten(addresses=addresses)
    return None
