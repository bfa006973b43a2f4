"""Deliveries and their tally: a row for each recipient, written and moved in bulk.

Owns the rows of delivery and tally. Every movement of a row moves its tally in the same statement list, in key order, so
that the tally equals the rows at each commit. Functions take a session and never commit. Invariant: a status only
takes an arrow of `states.FOLLOWS`; each UPDATE names the status that it moves from and a bounded range of n (without the
bound the planner joins all rows of the dispatch, and a warning costs the square of its recipients).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.arrays import array, quoted
from alerting.store.engine import prefer_indexes, translated
from alerting.store.states import DeliveryStatus


# The next two are made once for each recipient, twice in each second of a worker's ten thousand: as frozen dataclasses they
# would cost it a twentieth of its time.
class Planned(NamedTuple):
    """A row that waits to be sent, with the sealed address; None where the address was erased."""

    n: int
    address: int | None
    feed: int | None
    segment: int
    language: str
    attempts: int
    maybe_repeated: bool
    address_state: str | None
    key_id: str | None
    cipher: bytes | None
    mac: bytes | None  # what the cipher is bound to
    token: str | None  # of the unsubscribe link


class Outcome(NamedTuple):
    """What a send made of a row; status PLANNED when it will be tried again."""

    n: int
    status: DeliveryStatus
    reason: str | None
    reference: str | None
    ambiguous: bool


Deltas = Counter[tuple[int, int, str]]  # (dispatch, region, status) -> change


def move_tally(session: Session, deltas: Mapping[tuple[int, int, str], int]) -> None:
    """Add the changes to the tally, in key order so that two writers never wait for each other in a circle."""
    rows = sorted((key, n) for key, n in deltas.items() if n)
    if not rows:
        return
    session.execute(
        text("""
            INSERT INTO tally (dispatch, region, status, n)
            SELECT * FROM unnest(CAST(:dispatches AS bigint[]), CAST(:regions AS int[]),
                                 CAST(CAST(:statuses AS text[]) AS delivery_status[]), CAST(:ns AS bigint[]))
            ON CONFLICT (dispatch, region, status) DO UPDATE SET n = tally.n + excluded.n
        """),
        {
            "dispatches": [key[0] for key, _ in rows],
            "regions": [key[1] for key, _ in rows],
            "statuses": [key[2] for key, _ in rows],
            "ns": [n for _, n in rows],
        },
    )


def count_planned(session: Session, dispatch: int, rows: Iterable[tuple[int, int]]) -> int:
    """Enter freshly planned rows, given as (region, how many), in the tally; how many in all."""
    deltas: Deltas = Counter()
    for region, n in rows:
        deltas[dispatch, region, DeliveryStatus.PLANNED.value] += n
    move_tally(session, deltas)
    return sum(deltas.values())


def read(
    session: Session, dispatch: int, n_from: int, n_to: int, picked: Sequence[int] | None, *, tokens: bool
) -> list[Planned]:
    """The rows of a batch that still wait, in order of n, each with its address as it is now; with `tokens` also theirs."""
    prefer_indexes(session)
    # The driver's own cursor, in binary: half the time for rows that hold sealed addresses.
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101  # the only dialect there is
    statement = f"""
        SELECT d.n, d.address, d.feed, d.segment, d.language, d.attempts, d.maybe_repeated,
               a.state, a.key_id, a.cipher, a.mac, {"s.token" if tokens else "NULL"}
        FROM delivery d LEFT JOIN address a ON a.id = d.address
        {"LEFT JOIN subscriber s ON s.id = a.subscriber" if tokens else ""}
        WHERE d.dispatch = %(dispatch)s AND d.n BETWEEN %(n_from)s AND %(n_to)s AND d.status = 'planned'
        {"" if picked is None else "AND d.n = ANY(%(picked)s)"}
        ORDER BY d.n
    """  # noqa: S608  # constants of this module
    parameters = {
        "dispatch": dispatch,
        "n_from": n_from,
        "n_to": n_to,
        "picked": None if picked is None else list(picked),
    }
    try:
        with connection.cursor(binary=True) as cursor:
            return list(map(Planned._make, cursor.execute(statement, parameters)))
    except psycopg.Error as error:
        raise translated(statement, error) from error


_SETTLE = """
    WITH moved AS (
    UPDATE delivery AS d
    SET status = x.status, reason = x.reason, reference = coalesce(x.reference, d.reference), at = :now,
        attempts = d.attempts + 1, maybe_repeated = d.maybe_repeated OR x.doubt
    FROM unnest(CAST(:ns AS bigint[]), CAST(CAST(:statuses AS text[]) AS delivery_status[]),
                CAST(:reasons AS text[]), CAST(:references AS text[]), CAST(:doubts AS bool[]))
         AS x(n, status, reason, reference, doubt)
    WHERE d.dispatch = :dispatch AND d.n = x.n AND {bound} AND d.status = 'planned'
    RETURNING d.region, d.status
    ) SELECT region, status, count(*) FROM moved GROUP BY region, status
"""

# A receipt was there before: the reference is all that the send adds.
_LATE = """
    UPDATE delivery AS d SET reference = x.reference, attempts = d.attempts + 1
    FROM unnest(CAST(:ns AS bigint[]), CAST(:references AS text[])) AS x(n, reference)
    WHERE d.dispatch = :dispatch AND d.n = x.n AND {bound}
      AND d.status <> 'planned' AND d.reference IS NULL AND x.reference IS NOT NULL
"""

_RANGE, _PICKED = "d.n BETWEEN :low AND :high", "d.n = ANY(CAST(:ns AS bigint[]))"
_SETTLE_RANGE, _SETTLE_PICKED = text(_SETTLE.format(bound=_RANGE)), text(_SETTLE.format(bound=_PICKED))
_LATE_RANGE, _LATE_PICKED = text(_LATE.format(bound=_RANGE)), text(_LATE.format(bound=_PICKED))
_n = attrgetter("n")


def settle(session: Session, dispatch: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write what sends made of planned rows of one dispatch, and the tally."""
    settle_all(session, {dispatch: outcomes}, now=now)


def settle_all(session: Session, outcomes: Mapping[int, Sequence[Outcome]], *, now: datetime) -> None:
    """Write what sends made of planned rows, by dispatch, and the tally.

    A row that a receipt has moved already keeps that status and gains only the provider's reference.
    """
    if not any(outcomes.values()):
        return
    # On rows inserted moments ago, without statistics, the planner expects one row and loops over all of x for each of
    # them: the square of a batch. A hash join of two bounded sets is right at every size.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    deltas: Deltas = Counter()
    for dispatch in sorted(outcomes):
        if outcomes[dispatch]:
            _settle(session, dispatch, sorted(outcomes[dispatch], key=_n), deltas, now)
    session.execute(text("SET LOCAL enable_nestloop = on"))
    move_tally(session, deltas)


def _settle(
    session: Session, dispatch: int, ordered: Sequence[Outcome], deltas: Deltas, now: datetime
) -> None:
    parameters: dict[str, Any] = {
        "dispatch": dispatch,
        "low": ordered[0].n,
        "high": ordered[-1].n,
        "now": now,
        "ns": array([o.n for o in ordered]),
        "statuses": array([o.status.value for o in ordered]),
        "reasons": quoted([o.reason for o in ordered]),
        "references": quoted([o.reference for o in ordered]),
        "doubts": array([o.ambiguous for o in ordered]),
    }
    # A range that holds few other rows is read as one; single rows far apart, of a retry, are looked up.
    dense = parameters["high"] - parameters["low"] < 8 * len(ordered)
    moved = session.execute(_SETTLE_RANGE if dense else _SETTLE_PICKED, parameters).all()
    for region, status, n in moved:
        if status != DeliveryStatus.PLANNED.value:
            deltas[dispatch, region, DeliveryStatus.PLANNED.value] -= n
            deltas[dispatch, region, status] += n
    if sum(n for _, _, n in moved) < len(ordered):
        session.execute(_LATE_RANGE if dense else _LATE_PICKED, parameters)


def mark_in_doubt(
    session: Session, dispatch: int, n_from: int, n_to: int, picked: Sequence[int] | None
) -> int:
    """Mark the rows of a lost lease that may have left: they are sent again, and somebody may get them twice."""
    return len(
        session.execute(
            text(f"""
                UPDATE delivery SET maybe_repeated = true
                WHERE dispatch = :dispatch AND n BETWEEN :n_from AND :n_to AND status = 'planned'
                {"" if picked is None else "AND n = ANY(:picked)"} RETURNING n
            """),  # noqa: S608  # a constant of this module
            {
                "dispatch": dispatch,
                "n_from": n_from,
                "n_to": n_to,
                "picked": None if picked is None else list(picked),
            },
        ).all()
    )


def close(
    session: Session,
    dispatch: int,
    status: DeliveryStatus,
    *,
    now: datetime,
    was: DeliveryStatus = DeliveryStatus.PLANNED,
    n_from: int = 0,
    n_to: int = 2**62,
    picked: Sequence[int] | None = None,
    limit: int = 20_000,
) -> int:
    """Move at most `limit` rows of a dispatch that stand at `was` to `status`; how many it were.

    A waiting row of which the provider may have one already is not withdrawn or expired but unconfirmed.
    """
    rows = session.execute(
        text(f"""
            UPDATE delivery AS d SET at = :now, status = CASE
                WHEN d.maybe_repeated AND d.status = 'planned' THEN 'unconfirmed' ELSE CAST(:status AS delivery_status) END
            FROM (SELECT n FROM delivery WHERE dispatch = :dispatch AND n BETWEEN :n_from AND :n_to
                  AND status = CAST(:was AS delivery_status) {"" if picked is None else "AND n = ANY(:picked)"}
                  ORDER BY n LIMIT :limit FOR UPDATE) AS x
            WHERE d.dispatch = :dispatch AND d.n = x.n RETURNING d.region, d.status
        """),  # noqa: S608  # a constant of this module
        {
            "status": status.value,
            "was": was.value,
            "now": now,
            "dispatch": dispatch,
            "n_from": n_from,
            "n_to": n_to,
            "picked": None if picked is None else list(picked),
            "limit": limit,
        },
    )
    deltas: Deltas = Counter()
    for region, became in rows:
        deltas[dispatch, region, was.value] -= 1
        deltas[dispatch, region, became] += 1
    move_tally(session, deltas)
    return sum(n for n in deltas.values() if n > 0)


def planned_left(session: Session, dispatch: int) -> int:
    """Rows of a dispatch that still wait, by the tally."""
    query = text("SELECT coalesce(sum(n), 0) FROM tally WHERE dispatch = :dispatch AND status = 'planned'")
    return int(session.execute(query, {"dispatch": dispatch}).scalar_one())


def counts(session: Session, dispatch: int) -> dict[str, int]:
    """Rows by status, by the tally."""
    rows = session.execute(
        text(
            "SELECT status, sum(n) FROM tally WHERE dispatch = :dispatch GROUP BY status HAVING sum(n) <> 0"
        ),
        {"dispatch": dispatch},
    )
    return {status: int(n) for status, n in rows}
