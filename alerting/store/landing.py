"""What receipts make of deliveries: thousands of rows looked up and moved by key, whatever the size of the table.

Moves rows of delivery and, with them, the tally. Functions take a session and never commit. Invariant: a row moves only from
the status at which it was seen; whoever was moved by a worker in between is left for another look. Rows are locked in the
order of their keys, and found through the primary key: on a table without statistics the planner would join all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store import deliveries
from alerting.store.arrays import array, quoted
from alerting.store.states import DeliveryStatus

Key = tuple[int, int]  # (dispatch, n)


# Made thousands of times a second: as frozen dataclasses they would cost a fifth of the time.
class Move(NamedTuple):
    """From where a delivery goes where, why, and by whose word."""

    was: DeliveryStatus
    status: DeliveryStatus
    reason: str | None
    reference: str | None
    provider: str


class Moved(NamedTuple):
    """What is counted of a delivery that has moved."""

    channel: str
    provider: str
    status: str


_BY_KEY = text("""
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
           set_config('enable_mergejoin', 'off', true)
""")

_STANDING = text("""
    SELECT d.dispatch, d.n, d.status
    FROM unnest(CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[])) AS x(dispatch, n)
    JOIN delivery d ON d.dispatch = x.dispatch AND d.n = x.n
""")

# A row that has been made anonymous stays so: a late receipt brings no reference back.
_MOVE = text("""
    WITH moved AS (
    UPDATE delivery AS d SET status = x.status, reason = coalesce(x.reason, d.reason),
           reference = CASE WHEN num_nonnulls(d.address, d.feed) > 0 THEN coalesce(d.reference, x.reference) END, at = :now
    FROM unnest(CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[]),
                CAST(CAST(:before AS text[]) AS delivery_status[]), CAST(CAST(:statuses AS text[]) AS delivery_status[]),
                CAST(:reasons AS text[]), CAST(:references AS text[]), CAST(:providers AS text[]))
         AS x(dispatch, n, was, status, reason, reference, provider)
    WHERE d.dispatch = x.dispatch AND d.n = x.n AND d.status = x.was
    RETURNING d.dispatch, d.region, x.was, d.status, x.provider
    ) SELECT dispatch, region, was, status, provider, count(*) FROM moved GROUP BY 1, 2, 3, 4, 5
""")


def standing(session: Session, keys: Iterable[Key]) -> dict[Key, DeliveryStatus]:
    """The status of each of these deliveries that exists, not locked; from here on the transaction looks up keys alone."""
    session.execute(_BY_KEY)
    ordered = sorted(keys)
    rows = session.execute(_STANDING, _columns(ordered))
    return {(dispatch, n): _STATUS[status] for dispatch, n, status in rows}


def move(session: Session, moves: Mapping[Key, Move], *, now: datetime) -> Counter[Moved]:
    """Move deliveries that `standing` gave, and their tally; how many still stood where they were seen, and have moved."""
    ordered = sorted(moves)
    each = [moves[key] for key in ordered]
    counted = session.execute(
        _MOVE,
        {
            **_columns(ordered),
            "before": array([m.was.value for m in each]),
            "statuses": array([m.status.value for m in each]),
            "reasons": quoted([m.reason for m in each]),
            "references": quoted([m.reference for m in each]),
            "providers": quoted([m.provider for m in each]),
            "now": now,
        },
    ).all()
    deltas: deliveries.Deltas = Counter()
    for dispatch, region, was, status, _, n in counted:
        deltas[dispatch, region, was] -= n
        deltas[dispatch, region, status] += n
    deliveries.move_tally(session, deltas)
    channels = _channels(session, {dispatch for dispatch, *_ in counted})
    found: Counter[Moved] = Counter()
    for dispatch, _, _, status, provider, n in counted:
        found[Moved(channels[dispatch], provider, status)] += n
    return found


def _channels(session: Session, dispatches: Iterable[int]) -> dict[int, str]:
    """The channel of each of these dispatches."""
    rows = session.execute(
        text("SELECT id, channel FROM dispatch WHERE id = ANY(CAST(:ids AS bigint[]))"),
        {"ids": array(dispatches)},
    )
    return {row.id: row.channel for row in rows}


_STATUS = {status.value: status for status in DeliveryStatus}


def _columns(keys: Sequence[Key]) -> dict[str, str]:
    return {"dispatches": array([dispatch for dispatch, _ in keys]), "ns": array([n for _, n in keys])}
