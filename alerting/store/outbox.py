"""Dispatches: the intention to deliver, written in the transaction that issues.

Owns the rows of dispatch: planning, choosing what is urgent, withdrawing, closing. Batches, deliveries
and notices have modules of their own. Functions take a session and never commit; leases and expiry are compared with the database's
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
from alerting.store.states import Audience, DispatchState

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
    created_at: datetime
    expires: datetime
    in_doubt: bool  # unfinished when a backup was restored: its rows may have been sent since then


_DISPATCH = "id, alert, notice, audience, channel, state, recipients_of, cursor_segment, cursor_phase, cursor_id, ranges, planned, approved, created_at, expires, restored_from IS NOT NULL AS in_doubt"

#: Seconds for which what an authority has had of a channel counts against it.
SHARE_WINDOW = 60.0

# An Update or a Cancel may not overtake what it replaces: messages of the old dispatch may still be in flight as
# long as one of its leases stands.
_NOT_WAITING = """
    (not_before IS NULL OR not_before <= now())
    AND NOT EXISTS (SELECT FROM batch b WHERE b.dispatch = ANY(dispatch.replaces) AND b.state = 'leased')
"""

# A batch of it may be leased now. Scalar looks with LIMIT, not EXISTS: the planner answers an EXISTS by hashing every
# ready batch when it expects many dispatches; and one for each partial index.
_CLAIMABLE = f"""
    state IN ('planning', 'open') AND expires > now() AND {_NOT_WAITING}
    AND coalesce(
        (SELECT true FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'ready'
           AND batch.not_before IS NULL LIMIT 1),
        (SELECT true FROM batch WHERE batch.dispatch = dispatch.id AND batch.state = 'ready'
           AND batch.not_before IS NOT NULL AND batch.not_before <= now() LIMIT 1),
        false)
"""  # noqa: S608  # constants of this module


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
    authority: str,
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
    """Write a dispatch per channel and return their ids. `authority` is whose warning it is, for the fair share.

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
            "authority": authority,
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
                UPDATE dispatch SET approved = NULL, held_by_restore = false,
                       state = CASE WHEN cursor_phase = 'end' THEN 'open' ELSE 'planning' END,
                       opened_at = CASE WHEN cursor_phase = 'end' THEN now() END
                WHERE alert = :alert AND state = 'held' RETURNING id
            """),
            {"alert": alert_id},
        ).scalars()
    )


def choose_to_expand(session: Session) -> Dispatch | None:
    """The most urgent dispatch that is still being planned, locked; None when another planner has them or none is left.

    Among equally urgent ones the authority that has walked fewest ranges comes next, and of its dispatches that with the
    fewest: nobody waits for the whole walk of another.
    """
    row = (
        session.execute(
            text(f"""
                SELECT {_DISPATCH} FROM dispatch
                WHERE state = 'planning' AND expires > now() AND {_NOT_WAITING}
                ORDER BY priority,
                         (SELECT sum(o.ranges) FROM dispatch o WHERE o.state = 'planning'
                          AND o.priority = dispatch.priority AND o.authority = dispatch.authority),
                         ranges, id
                LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
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


def hold(session: Session, dispatch_id: int, *, now: datetime) -> Dispatch | None:
    """Hold a dispatch that is being planned or sent; None where it has ended or is held already."""
    query = text("SELECT state FROM dispatch WHERE id = :id FOR NO KEY UPDATE")
    state = session.execute(query, {"id": dispatch_id}).scalar_one_or_none()
    if state not in (DispatchState.PLANNING, DispatchState.OPEN):
        return None
    set_state(session, dispatch_id, DispatchState.HELD, now=now)
    return get(session, dispatch_id)


def set_state(session: Session, dispatch_id: int, state: DispatchState, *, now: datetime) -> None:
    """Move a dispatch; `opened_at` and `closed_at` follow the state."""
    session.execute(
        text("""
            UPDATE dispatch SET state = CAST(:state AS text), held_by_restore = false,
                   opened_at = CASE WHEN :state = 'open' THEN :now ELSE opened_at END,
                   closed_at = CASE WHEN :state IN ('done', 'withdrawn') THEN :now ELSE closed_at END
            WHERE id = :id
        """),
        {"state": state.value, "now": now, "id": dispatch_id},
    )


#: Dispatches of the most urgent claimable priority: authorities in turn (a loose index scan), the least served first.
_CANDIDATES = text(f"""
    WITH RECURSIVE top AS (
        SELECT priority FROM dispatch WHERE channel = :channel AND {_CLAIMABLE} ORDER BY priority LIMIT 1
    ), named AS (
        (SELECT authority FROM dispatch WHERE channel = :channel AND priority = (SELECT priority FROM top)
            AND state IN ('planning', 'open') ORDER BY authority LIMIT 1)
        UNION ALL
        SELECT (SELECT d.authority FROM dispatch d WHERE d.channel = :channel
                AND d.priority = (SELECT priority FROM top) AND d.state IN ('planning', 'open')
                AND d.authority > named.authority ORDER BY d.authority LIMIT 1)
        FROM named WHERE authority IS NOT NULL
    ), share AS (
        SELECT dispatch, coalesce(cardinality(picked), n_to - n_from + 1) AS n FROM batch WHERE state = 'leased'
        UNION ALL
        SELECT dispatch, coalesce(cardinality(picked), n_to - n_from + 1)
               * (1 - extract(epoch FROM now() - done_at) / :window)
        FROM batch WHERE state = 'done' AND done_at > now() - make_interval(secs => :window)
    ), served AS MATERIALIZED (
        SELECT d.authority, sum(share.n) AS n FROM share JOIN dispatch d ON d.id = share.dispatch
        WHERE d.channel = :channel AND (SELECT count(authority) FROM named) > 1 GROUP BY d.authority
    )
    SELECT due.id FROM named
    CROSS JOIN LATERAL (
        SELECT id FROM dispatch WHERE channel = :channel AND priority = (SELECT priority FROM top)
        AND authority = named.authority AND {_CLAIMABLE} ORDER BY id LIMIT :limit
    ) AS due
    LEFT JOIN served ON served.authority = named.authority
    ORDER BY coalesce(served.n, 0), due.id LIMIT :limit
""")  # noqa: S608  # constants of this module


def candidates(session: Session, channel: str, limit: int = 8) -> list[int]:
    """Dispatches of a channel's most urgent priority with a batch that may be claimed now.

    First those of the authority that has had least of the channel lately (messages leased now, and those of the last
    SHARE_WINDOW seconds, which weigh less the older they are), then the oldest. What it costs grows with the authorities that
    warn at once, not with dispatches, batches or retries that wait for their time.
    """
    rows = session.execute(_CANDIDATES, {"channel": channel, "limit": limit, "window": SHARE_WINDOW})
    return list(rows.scalars())


def urgent_waiting(session: Session, channel: str, priority: int) -> int | None:
    """The priority of the most urgent dispatch before `priority` (a smaller number) of which a batch could be claimed now."""
    return session.execute(
        text(f"""
            SELECT priority FROM dispatch WHERE channel = :channel AND priority < :priority AND {_CLAIMABLE}
            ORDER BY priority LIMIT 1
        """),  # noqa: S608  # a constant of this module
        {"channel": channel, "priority": priority},
    ).scalar_one_or_none()


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
                SELECT DISTINCT channel FROM dispatch WHERE {_CLAIMABLE}
            """)  # noqa: S608  # a constant of this module
        ).scalars()
    )


def work_to_expand(session: Session) -> bool:
    """Whether a dispatch waits for its expansion and may have it now."""
    query = f"SELECT EXISTS (SELECT FROM dispatch WHERE state = 'planning' AND expires > now() AND {_NOT_WAITING})"  # noqa: S608
    return bool(session.execute(text(query)).scalar_one())
