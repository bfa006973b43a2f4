"""Rows that lose what leads to a person, a chunk at a time: deliveries, receipts, answers to citizens, old addresses.

Owns `dispatch.forgotten_to` and `forgotten_at`, and the one change that receipt and notice allow. Functions take a session
and never commit. Invariant: no status, region or count changes; each statement reads a bounded range of a key or a
partial index, so that none grows with the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store import subscribers, suppression
from alerting.store.receipts import READER

#: Rows of one transaction.
CHUNK = 5_000

#: The reader's name of the walk over receipts, in progress.
WALK = "retention"

#: What an emptied receipt is still known by: a replay of the same event hits it, and nobody reads the event from it.
DIGEST = "'sha256:' || encode(sha256(convert_to(event_id, 'UTF8')), 'hex')"


@dataclass(frozen=True, slots=True)
class Old:
    """A dispatch whose recipients are to be forgotten, beyond n `upto`; `planned` is its highest n."""

    id: int
    notice: int | None
    upto: int
    planned: int


def sending(session: Session) -> bool:
    """Whether anything is being planned or sent."""
    return bool(
        session.execute(
            text("SELECT EXISTS (SELECT FROM dispatch WHERE state IN ('planning', 'open'))")
        ).scalar_one()
    )


def next_dispatch(session: Session, before: datetime) -> Old | None:
    """The ended dispatch that expired first, before a time, and still has recipients; locked."""
    row = session.execute(
        text("""
            SELECT id, notice, forgotten_to, planned FROM dispatch
            WHERE state IN ('done', 'withdrawn') AND forgotten_at IS NULL AND expires < :before
            ORDER BY expires LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """),
        {"before": before},
    ).first()
    return None if row is None else Old(*row)


# The rows of a chunk are dealt out anew: n follows the order in which subscribers were walked, and whoever walked them
# again could read from it who had which row.
_DEAL = text("""
    WITH old AS MATERIALIZED (
        SELECT n, segment, region, language, status, reason, attempts, maybe_repeated, at FROM delivery
        WHERE dispatch = :dispatch AND n > :low AND n <= :high AND address IS NOT NULL AND status <> 'planned'
        ORDER BY n FOR UPDATE
    ), places AS (SELECT n, row_number() OVER (ORDER BY n) AS i FROM old),
    dealt AS (SELECT old.*, row_number() OVER (ORDER BY random()) AS i FROM old)
    UPDATE delivery AS d SET address = NULL, reference = NULL, segment = x.segment, region = x.region,
           language = x.language, status = x.status, reason = x.reason, attempts = x.attempts,
           maybe_repeated = x.maybe_repeated, at = x.at
    FROM places JOIN dealt AS x USING (i)
    WHERE d.dispatch = :dispatch AND d.n = places.n AND d.n > :low AND d.n <= :high RETURNING d.n
""")


def forget_recipients(session: Session, old: Old, *, now: datetime, limit: int = CHUNK) -> int:
    """Forget the recipients of the next `limit` n of a dispatch; how many rows had one."""
    high = min(old.upto + limit, old.planned)
    # Without statistics of the materialised rows the planner would loop over all of them for each.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    rows = session.execute(_DEAL, {"dispatch": old.id, "low": old.upto, "high": high}).all()
    session.execute(text("SET LOCAL enable_nestloop = on"))
    ended = high >= old.planned
    if ended:
        session.execute(
            text("UPDATE batch SET picked = NULL WHERE dispatch = :dispatch AND picked IS NOT NULL"),
            {"dispatch": old.id},
        )
    session.execute(
        text("UPDATE dispatch SET forgotten_to = :high, forgotten_at = :at WHERE id = :dispatch"),
        {"high": high, "at": now if ended else None, "dispatch": old.id},
    )
    return len(rows)


def empty_notices(session: Session, ids: Sequence[int]) -> int:
    """Take the words out of answers to citizens, which may repeat what was written; how many had any."""
    query = text("""
        UPDATE notice SET subject = NULL, text = '', html = NULL
        WHERE id = ANY(CAST(:ids AS bigint[])) AND text <> '' RETURNING id
    """)
    return len(session.execute(query, {"ids": list(ids)}).all())


def empty_receipts(session: Session, before: datetime, limit: int = CHUNK) -> tuple[int, int]:
    """(how many of the next receipts from before a time were emptied, how many were looked at: 0 at the end of the walk).

    Receipts that have not been applied are left alone.
    """
    row = session.execute(
        text("""
            WITH next AS (
                SELECT id, received_at FROM receipt
                WHERE id > coalesce((SELECT id FROM progress WHERE reader = :walk), 0)
                  AND id <= coalesce((SELECT id FROM progress WHERE reader = :reader), 0)
                ORDER BY id LIMIT :limit
            )
            SELECT min(id) AS low, max(id) AS high, count(*) AS n FROM next
            WHERE id < coalesce((SELECT min(id) FROM next WHERE received_at >= :before), 9223372036854775807)
        """),
        {"walk": WALK, "reader": READER, "limit": limit, "before": before},
    ).one()
    if not row.n:
        return 0, 0
    span = {"low": row.low, "high": row.high}
    # Places in an hour's answers, named after an internal id: of no use after that hour.
    gone = session.execute(
        text(
            "DELETE FROM receipt WHERE id BETWEEN :low AND :high AND starts_with(event_id, 'answer:') RETURNING id"
        ),
        span,
    ).all()
    emptied = _empty(session, "id BETWEEN :low AND :high", span)
    session.execute(
        text("""
            INSERT INTO progress (reader, id) VALUES (:walk, :high) ON CONFLICT (reader) DO UPDATE SET id = excluded.id
        """),
        {"walk": WALK, "high": row.high},
    )
    return len(gone) + emptied, row.n


def _empty(session: Session, where: str, values: dict[str, object]) -> int:
    query = text(f"""
        UPDATE receipt SET reference = NULL, n = NULL, raw = '{{}}', event_id = {DIGEST}
        WHERE {where} AND NOT starts_with(event_id, 'sha256:') RETURNING id
    """)  # noqa: S608  # constants of this module
    return len(session.execute(query, values).all())


def let_go(session: Session, before: datetime, *, now: datetime, limit: int = 1_000) -> int:
    """Forget addresses that have not been active since before a time, and subscribers that have no other.

    A STOP outlives its address. How many addresses it were.
    """
    subscribers.lock_enrolment(session)
    rows = session.execute(
        text("""
            SELECT id, channel, mac, state, subscriber FROM address WHERE state <> 'active' AND stopped_at < :before
            ORDER BY stopped_at LIMIT :limit FOR UPDATE SKIP LOCKED
        """),
        {"before": before, "limit": limit},
    ).all()
    stopped = [(row.channel, bytes(row.mac)) for row in rows if row.state == "stopped"]
    suppression.suppress(session, stopped, now=now)
    session.execute(text("DELETE FROM address WHERE id = ANY(:ids)"), {"ids": [row.id for row in rows]})
    owners = sorted({row.subscriber for row in rows if row.subscriber is not None})
    if owners:
        session.execute(
            text("""
                DELETE FROM subscriber s
                WHERE id = ANY(:ids) AND NOT EXISTS (SELECT FROM address a WHERE a.subscriber = s.id)
            """),
            {"ids": owners},
        )
    return len(rows)


def forget_person(session: Session, addresses: Sequence[int]) -> tuple[int, int, int]:
    """Take these addresses out of whatever was sent to them: (deliveries, receipts, notices) that led to them.

    What still waits keeps a number that leads to nobody, and ends as opted_out when it is read. Looks into every dispatch
    and walks the receipts: seconds on a million.
    """
    rows = session.execute(
        text("""
            SELECT d.id, v.n, d.notice FROM dispatch d
            CROSS JOIN LATERAL (SELECT n FROM delivery WHERE delivery.dispatch = d.id
                                AND delivery.address = ANY(CAST(:ids AS bigint[])) ORDER BY n FOR UPDATE) AS v
            ORDER BY d.id, v.n
        """),
        {"ids": list(addresses)},
    ).all()
    keys = {"dispatches": [row.id for row in rows], "ns": [row.n for row in rows]}
    deliveries = session.execute(
        text("""
            UPDATE delivery AS d SET address = NULL, reference = NULL
            FROM unnest(CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[])) AS x(dispatch, n)
            WHERE d.dispatch = x.dispatch AND d.n = x.n AND d.status <> 'planned' RETURNING d.n
        """),
        keys,
    ).all()
    receipts = _empty(
        session,
        "(dispatch, n) IN (SELECT * FROM unnest(CAST(:dispatches AS bigint[]), CAST(:ns AS bigint[])))",
        dict(keys),
    )
    answers = session.execute(
        text("DELETE FROM receipt WHERE event_id ~ CAST(:stems AS text) RETURNING id"),
        {"stems": f"^answer:({'|'.join(map(str, addresses)) or '-'}):"},
    ).all()
    notices = empty_notices(session, [row.notice for row in rows if row.notice is not None])
    return len(deliveries), receipts + len(answers), notices
