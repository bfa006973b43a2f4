"""Dispatches: the intention to deliver, written in the transaction that issues.

Owns the rows of dispatch and notice: planning, choosing what is urgent, withdrawing, closing. Batches and deliveries
have modules of their own. Functions take a session and never commit; leases and expiry are compared with the database's
clock (`now()`), the one clock that all hosts share. Invariant: a dispatch to the public repeats the alert's gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text
from sqlalchemy.orm import Session

from alerting.store import tables as t
from alerting.store.states import NO_REGION, NO_SEGMENT, Audience, DeliveryStatus, DispatchState, NoticeKind

#: Notices (answers to citizens) leave after every warning: priorities of warnings are below (cap.rank).
NOTICE_PRIORITY = 1000

#: A cursor behind the last segment: the walk begins with the recipients of what is replaced.
AFTER_GROUND = 32_767


@dataclass(frozen=True, slots=True)
class Gate:
    """What a dispatch repeats of its alert, so that the database can refuse what must not leave."""

    workspace: str
    status: str
    scope: str
    msg_type: str


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One dispatch as the fan-out needs it; times are aware UTC."""

    id: int
    alert: UUID | None
    notice: int | None
    audience: Audience
    channel: str
    state: DispatchState
    recipients_of: tuple[int, ...] | None
    cursor_segment: int
    cursor_phase: str
    cursor_id: int
    ranges: int
    planned: int
    approved: int | None
    expires: datetime


_DISPATCH = "id, alert, notice, audience, channel, state, recipients_of, cursor_segment, cursor_phase, cursor_id, ranges, planned, approved, expires"

# An Update or a Cancel may not overtake what it replaces: messages of the old dispatch may still be in flight as
# long as one of its leases stands.
_NOT_WAITING = """
    (not_before IS NULL OR not_before <= now())
    AND NOT EXISTS (SELECT FROM batch b WHERE b.dispatch = ANY(dispatch.replaces) AND b.state = 'leased')
"""


def _dispatch(row: RowMapping) -> Dispatch:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    recipients = values.pop("recipients_of")
    return Dispatch(
        audience=Audience(values.pop("audience")),
        state=DispatchState(values.pop("state")),
        recipients_of=tuple(recipients) if isinstance(recipients, list) else None,
        **values,  # the columns are named after the fields
    )


def plan_alert(
    session: Session,
    *,
    alert_id: UUID,
    gate: Gate,
    channels: Sequence[str],
    audience: Audience,
    priority: int,
    expires: datetime,
    approved: Mapping[str, int | None],
    replaces: Mapping[str, Sequence[int]],
    recipients_of: Mapping[str, Sequence[int]] | None,
    now: datetime,
    to_ground: bool = True,
) -> list[int]:
    """Write a dispatch per channel and return their ids.

    `replaces` and `recipients_of` give dispatch ids by channel: those whose leases are waited for, and those whose
    recipients are told as well (None: only the ground decides; a channel that is absent: nobody else). Without
    `to_ground` nobody else is told: a Cancel.
    """
    rows = [
        {
            "alert": alert_id,
            "workspace": gate.workspace,
            "status": gate.status,
            "scope": gate.scope,
            "msg_type": gate.msg_type,
            "audience": audience,
            "channel": channel,
            "state": DispatchState.PLANNING,
            "priority": priority,
            "replaces": list(replaces.get(channel, ())),
            "recipients_of": None if recipients_of is None else list(recipients_of.get(channel, ())),
            "approved": approved.get(channel),
            "cursor_segment": 0 if to_ground else AFTER_GROUND,
            "created_at": now,
            "expires": expires,
        }
        for channel in channels
    ]
    if not rows:
        return []
    return list(session.execute(insert(t.dispatch).returning(t.dispatch.c.id), rows).scalars())


def plan_notice(
    session: Session,
    *,
    address_id: int,
    channel: str,
    kind: NoticeKind,
    language: str,
    subject: str | None,
    body: str,
    html: str | None,
    segments: int,
    sha256: bytes,
    expires: datetime,
    now: datetime,
) -> int:
    """Write a notice to one address: its dispatch is open at once, with one delivery and one batch."""
    notice = session.execute(
        insert(t.notice).returning(t.notice.c.id),
        {
            "kind": kind,
            "language": language,
            "subject": subject,
            "text": body,
            "html": html,
            "segments": segments,
            "sha256": sha256,
            "created_at": now,
        },
    ).scalar_one()
    dispatch = session.execute(
        insert(t.dispatch).returning(t.dispatch.c.id),
        {
            "notice": notice,
            "audience": Audience.PERSON,
            "channel": channel,
            "state": DispatchState.OPEN,
            "priority": NOTICE_PRIORITY,
            "planned": 1,
            "created_at": now,
            "opened_at": now,
            "expires": expires,
        },
    ).scalar_one()
    _plan_one(session, dispatch, address_id, language)
    return int(dispatch)


def _plan_one(session: Session, dispatch: int, address_id: int, language: str) -> None:
    """The one delivery of a notice, its batch and its tally."""
    session.execute(
        insert(t.delivery),
        {
            "dispatch": dispatch,
            "n": 1,
            "address": address_id,
            "segment": NO_SEGMENT,
            "region": NO_REGION,
            "language": language,
            "status": DeliveryStatus.PLANNED,
        },
    )
    session.execute(insert(t.batch), {"dispatch": dispatch, "n_from": 1, "n_to": 1, "state": "ready"})
    session.execute(
        insert(t.tally), {"dispatch": dispatch, "region": NO_REGION, "status": DeliveryStatus.PLANNED, "n": 1}
    )


def withdraw(session: Session, alert_ids: Sequence[UUID], *, now: datetime) -> dict[str, list[int]]:
    """Withdraw what is unfinished of the dispatches of these alerts; ids of all of them by channel, finished ones too.

    What is in flight ends within one flush; the sweep moves the rows that were never started.
    """
    session.execute(
        text("""
            UPDATE dispatch SET state = 'withdrawn', closed_at = :now
            WHERE alert = ANY(:alerts) AND state IN ('planning', 'open', 'held')
        """),
        {"alerts": list(alert_ids), "now": now},
    )
    rows = session.execute(
        text("SELECT channel, id FROM dispatch WHERE alert = ANY(:alerts) ORDER BY id"),
        {"alerts": list(alert_ids)},
    )
    found: dict[str, list[int]] = {}
    for channel, dispatch_id in rows:
        found.setdefault(channel, []).append(dispatch_id)
    return found


def release(session: Session, alert_id: UUID) -> list[int]:
    """Let the held dispatches of an alert go on where they stood, without a limit of people; their ids."""
    return list(
        session.execute(
            text("""
                UPDATE dispatch SET approved = NULL,
                       state = CASE WHEN cursor_phase = 'end' THEN 'open' ELSE 'planning' END,
                       opened_at = CASE WHEN cursor_phase = 'end' THEN now() END
                WHERE alert = :alert AND state = 'held' RETURNING id
            """),
            {"alert": alert_id},
        ).scalars()
    )


def choose_to_expand(session: Session) -> Dispatch | None:
    """The most urgent dispatch that is still being planned, locked; None when another planner has them or none is left.

    Equally urgent ones take turns, so that no channel waits for the whole walk of another.
    """
    row = (
        session.execute(
            text(f"""
                SELECT {_DISPATCH} FROM dispatch
                WHERE state = 'planning' AND expires > now() AND {_NOT_WAITING}
                ORDER BY priority, ranges, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
            """)  # noqa: S608  # constants of this module
        )
        .mappings()
        .first()
    )
    return None if row is None else _dispatch(row)


def get(session: Session, dispatch_id: int) -> Dispatch:
    """One dispatch as it stands; raises NoResultFound."""
    query = text(f"SELECT {_DISPATCH} FROM dispatch WHERE id = :id")  # noqa: S608  # a constant of this module
    return _dispatch(session.execute(query, {"id": dispatch_id}).mappings().one())


def advance(
    session: Session,
    dispatch: Dispatch,
    *,
    segment: int,
    phase: str,
    cursor: int,
    planned: int,
    ranges: int,
) -> None:
    """Store how far the expansion has come: `planned` is the highest n given out, `ranges` how many were walked."""
    session.execute(
        text("""
            UPDATE dispatch SET cursor_segment = :segment, cursor_phase = :phase, cursor_id = :cursor,
                   planned = :planned, ranges = :ranges WHERE id = :id
        """),
        {
            "segment": segment,
            "phase": phase,
            "cursor": cursor,
            "planned": planned,
            "ranges": ranges,
            "id": dispatch.id,
        },
    )


def set_state(session: Session, dispatch_id: int, state: DispatchState, *, now: datetime) -> None:
    """Move a dispatch; `opened_at` and `closed_at` follow the state."""
    session.execute(
        text("""
            UPDATE dispatch SET state = CAST(:state AS text),
                   opened_at = CASE WHEN :state = 'open' THEN :now ELSE opened_at END,
                   closed_at = CASE WHEN :state IN ('done', 'withdrawn') THEN :now ELSE closed_at END
            WHERE id = :id
        """),
        {"state": state.value, "now": now, "id": dispatch_id},
    )


def candidates(session: Session, channel: str, limit: int = 8) -> list[int]:
    """Dispatches of a channel with a batch that may be claimed now: by priority, then the one with fewest live leases."""
    rows = session.execute(
        text(f"""
            SELECT id FROM dispatch
            WHERE channel = :channel AND state IN ('planning', 'open') AND expires > now() AND {_NOT_WAITING}
              AND EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'ready'
                          AND (batch.not_before IS NULL OR batch.not_before <= now()))
            ORDER BY priority,
                     (SELECT count(*) FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'leased'),
                     id
            LIMIT :limit
        """),  # noqa: S608  # a constant of this module
        {"channel": channel, "limit": limit},
    )
    return list(rows.scalars())


def urgent_waiting(session: Session, channel: str, priority: int) -> bool:
    """Whether a batch of a more urgent dispatch (a smaller number) could be claimed now."""
    return bool(
        session.execute(
            text(f"""
                SELECT EXISTS (
                    SELECT FROM dispatch WHERE channel = :channel AND state IN ('planning', 'open')
                      AND priority < :priority AND expires > now() AND {_NOT_WAITING}
                      AND EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'ready'
                                  AND (batch.not_before IS NULL OR batch.not_before <= now())))
            """),  # noqa: S608  # a constant of this module
            {"channel": channel, "priority": priority},
        ).scalar_one()
    )


def expanding(session: Session, channel: str) -> bool:
    """Whether more batches of this channel are about to appear."""
    query = text(
        "SELECT EXISTS (SELECT FROM dispatch WHERE channel = :channel AND state = 'planning' AND expires > now())"
    )
    return bool(session.execute(query, {"channel": channel}).scalar_one())


def channels_with_work(session: Session) -> list[str]:
    """Channels for which a batch could be claimed now."""
    return list(
        session.execute(
            text(f"""
                SELECT DISTINCT channel FROM dispatch
                WHERE state IN ('planning', 'open') AND expires > now() AND {_NOT_WAITING}
                  AND EXISTS (SELECT FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'ready'
                              AND (batch.not_before IS NULL OR batch.not_before <= now()))
            """)  # noqa: S608  # a constant of this module
        ).scalars()
    )


def work_to_expand(session: Session) -> bool:
    """Whether a dispatch waits for its expansion and may have it now."""
    query = f"SELECT EXISTS (SELECT FROM dispatch WHERE state = 'planning' AND expires > now() AND {_NOT_WAITING})"  # noqa: S608
    return bool(session.execute(text(query)).scalar_one())
