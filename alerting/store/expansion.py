"""Who is reached: followers of regions, points on the ground, and those whom an older dispatch reached.

Owns the statements that turn subscriptions into delivery rows, each over one range of subscriber ids, so that a walk
always advances and nobody is cut in half (and the index on region and subscriber finds just the rows of the range). Overlapping regions, segments and phases cannot send twice: UNIQUE(dispatch, address)
refuses the second row. Functions take a session and never commit; n is given out from `first`, gaps are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from alerting.store.states import NO_REGION, Audience

#: A ground with fewer follows than this is planned in one range, whatever the number of subscribers elsewhere.
FEW = 20_000

Planned = list[tuple[int, int]]  # (region, how many)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one segment of one dispatch asks of a subscription."""

    dispatch: int
    segment: int
    channel: str
    audience: Audience
    severity: int  # states.Floor; 0 (Unknown) passes every floor
    categories: tuple[str, ...]

    def parameters(self) -> dict[str, object]:
        """The bind parameters that every statement here shares."""
        return {
            "dispatch": self.dispatch,
            "segment": self.segment,
            "channel": self.channel,
            "audience": self.audience.value,
            "severity": self.severity,
            "categories": list(self.categories),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """Ids above `after` and up to `upto`, of subscribers or of addresses; n is given out from `first`."""

    after: int
    upto: int
    first: int


_FOLLOWERS = """
    FROM follow f JOIN address a ON a.subscriber = f.subscriber JOIN subscriber s ON s.id = f.subscriber
    WHERE a.channel = :channel AND a.state = 'active' AND s.audience = :audience
      AND f.subscriber > :after AND f.subscriber <= :upto
      -- Said of each table: where statistics are missing the planner may begin with any, and reads no more than the range.
      AND a.subscriber > :after AND a.subscriber <= :upto AND s.id > :after AND s.id <= :upto
      AND (:severity = 0 OR f.floor <= :severity) AND (f.hazards IS NULL OR f.hazards && CAST(:categories AS text[]))
"""

_INSERT = """
    WITH chosen AS ({chosen}), planned AS (
        INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
        SELECT :dispatch, :first - 1 + row_number() OVER (ORDER BY id), id, :segment, coalesce(region, {no_region}),
               language, 'planned'
        FROM chosen ON CONFLICT (dispatch, address) WHERE address IS NOT NULL DO NOTHING RETURNING n, region
    )
    SELECT region, count(*), max(n) FROM planned GROUP BY region
"""


def _insert(session: Session, chosen: str, parameters: dict[str, object]) -> tuple[Planned, int]:
    """Run the INSERT; (region, how many) of the rows written, and the highest n (0: none)."""
    statement = _INSERT.format(chosen=chosen, no_region=NO_REGION)
    rows = session.execute(text(statement), parameters).all()
    return [(r[0], r[1]) for r in rows], max((r[2] for r in rows), default=0)


def highest_subscriber(session: Session) -> int:
    """The highest subscriber id; 0 when there is none."""
    return int(session.execute(text("SELECT coalesce(max(id), 0) FROM subscriber")).scalar_one())


def highest_recipient(session: Session, dispatches: Sequence[int]) -> int:
    """The highest address id among the deliveries of these dispatches; 0 when there is none."""
    # One after the other: each is then one look at the end of an index.
    query = text("""
        SELECT coalesce(max(highest), 0) FROM unnest(CAST(:dispatches AS bigint[])) AS one CROSS JOIN LATERAL (
            SELECT max(address) AS highest FROM delivery WHERE dispatch = one AND address IS NOT NULL) AS each
    """)
    return int(session.execute(query, {"dispatches": list(dispatches)}).scalar_one())


def few_follow(session: Session, *, regions: Sequence[int] = (), cells: Sequence[int] = ()) -> bool:
    """Whether fewer than FEW subscriptions name these regions or lie in these cells; counts no further than that."""
    n = session.execute(
        text(f"SELECT count(*) FROM (SELECT FROM ({_NAMED}) AS named LIMIT :few) AS some_of_them"),  # noqa: S608
        {"regions": list(regions), "cells": list(cells), "few": FEW},
    ).scalar_one()
    return int(n) < FEW


def nth_of_few(
    session: Session, *, regions: Sequence[int] = (), cells: Sequence[int] = (), after: int, count: int
) -> int | None:
    """The subscriber id up to which the `count` of these subscriptions go that follow `after`; None for fewer of them."""
    return session.execute(
        text(f"""
            SELECT subscriber FROM ({_NAMED}) AS named WHERE subscriber > :after
            ORDER BY subscriber OFFSET :count LIMIT 1
        """),  # noqa: S608  # a constant of this module
        {"regions": list(regions), "cells": list(cells), "after": after, "count": count},
    ).scalar_one_or_none()


# Subscriptions of some regions (points in them too) and cells, each found by its index.
_NAMED = """
    SELECT subscriber FROM follow WHERE region = ANY(CAST(:regions AS int[]))
    UNION ALL SELECT subscriber FROM follow WHERE cell = ANY(CAST(:cells AS int[]))
"""


def plan_regions(session: Session, wanted: Wanted, regions: Sequence[int], span: Span) -> tuple[Planned, int]:
    """Plan the followers of these regions."""
    chosen = f"""
        SELECT DISTINCT ON (a.id) a.id, f.region, s.language {_FOLLOWERS}
        AND f.cell IS NULL AND f.region = ANY(CAST(:regions AS int[])) ORDER BY a.id
    """  # constants of this module
    return _insert(session, chosen, wanted.parameters() | _span(span) | {"regions": list(regions)})


def plan_covered_points(
    session: Session, wanted: Wanted, covered: Sequence[int], span: Span
) -> tuple[Planned, int]:
    """Plan points whose smallest region lies wholly inside: they need neither cell nor geometry."""
    chosen = f"""
        SELECT DISTINCT ON (a.id) a.id, f.region, s.language {_FOLLOWERS}
        AND f.cell IS NOT NULL AND f.region = ANY(CAST(:covered AS int[])) ORDER BY a.id
    """  # constants of this module
    return _insert(session, chosen, wanted.parameters() | _span(span) | {"covered": list(covered)})


def plan_inner_points(
    session: Session, wanted: Wanted, cells: str, span: Span, few: Sequence[int] | None
) -> tuple[Planned, int]:
    """Plan points whose cell lies wholly inside.

    `cells` is a PostgreSQL int4multirange; `few` gives the same cells one by one where they are few, so that an index
    finds them.
    """
    chosen = f"""
        SELECT DISTINCT ON (a.id) a.id, f.region, s.language {_FOLLOWERS}
        AND f.cell IS NOT NULL AND f.cell <@ CAST(:cells AS int4multirange)
        {"" if few is None else "AND f.cell = ANY(CAST(:few AS int[]))"}
        ORDER BY a.id
    """  # constants of this module
    more = {"cells": cells, "few": None if few is None else list(few)}
    return _insert(session, chosen, wanted.parameters() | _span(span) | more)


def border_points(
    session: Session, wanted: Wanted, cells: str, span: Span, few: Sequence[int] | None
) -> Sequence[RowMapping]:
    """Points in cells that the border crosses: rows of id, region, language, lat, lon, by id."""
    return (
        session.execute(
            text(f"""
                SELECT a.id, coalesce(f.region, {NO_REGION}) AS region, s.language, f.lat, f.lon {_FOLLOWERS}
                AND f.cell IS NOT NULL AND f.cell <@ CAST(:cells AS int4multirange)
                {"" if few is None else "AND f.cell = ANY(CAST(:few AS int[]))"}
                ORDER BY a.id
            """),  # constants of this module
            wanted.parameters() | _span(span) | {"cells": cells, "few": None if few is None else list(few)},
        )
        .mappings()
        .all()
    )


def plan_chosen(
    session: Session, wanted: Wanted, rows: Sequence[tuple[int, int, str]], first: int
) -> tuple[Planned, int]:
    """Plan rows (address id, region, language) that were chosen outside the database."""
    if not rows:
        return [], 0
    chosen = """
        SELECT DISTINCT ON (id) id, region, language
        FROM unnest(CAST(:ids AS bigint[]), CAST(:regions AS int[]), CAST(:languages AS text[])) AS x(id, region, language)
        ORDER BY id
    """
    more = {
        "first": first,
        "ids": [r[0] for r in rows],
        "regions": [r[1] for r in rows],
        "languages": [r[2] for r in rows],
    }
    return _insert(session, chosen, wanted.parameters() | more)


def plan_recipients_of(
    session: Session, wanted: Wanted, dispatches: Sequence[int], span: Span
) -> tuple[Planned, int]:
    """Plan those whom older dispatches warned or may have warned, and who are still subscribed.

    Whoever was only told that a warning no longer applies to them (segment -1) was not warned by it.
    """
    chosen = """
        SELECT DISTINCT ON (a.id) a.id, d.region, d.language
        FROM delivery d JOIN address a ON a.id = d.address
        WHERE d.dispatch = ANY(CAST(:dispatches AS bigint[]))
          AND a.channel = :channel AND a.state = 'active' AND d.address > :after AND d.address <= :upto
          AND d.segment >= 0 AND (d.status IN ('accepted', 'unconfirmed', 'delivered', 'undelivered')
                                  OR d.status = 'planned' AND d.maybe_repeated)
        ORDER BY a.id
    """
    return _insert(session, chosen, wanted.parameters() | _span(span) | {"dispatches": list(dispatches)})


def plan_feeds(session: Session, dispatch: int, feeds: Sequence[int], language: str) -> tuple[Planned, int]:
    """Plan one delivery per feed of a broadcast channel."""
    rows = session.execute(
        text(f"""
            INSERT INTO delivery (dispatch, n, feed, segment, region, language, status)
            SELECT :dispatch, row_number() OVER (ORDER BY feed), feed, -1, {NO_REGION}, :language, 'planned'
            FROM unnest(CAST(:feeds AS int[])) AS feed ON CONFLICT DO NOTHING RETURNING n
        """),  # noqa: S608  # a constant
        {"dispatch": dispatch, "feeds": list(feeds), "language": language},
    ).scalars()
    ns = list(rows)
    return [(NO_REGION, len(ns))] if ns else [], max(ns, default=0)


def _span(span: Span) -> dict[str, object]:
    return {"after": span.after, "upto": span.upto, "first": span.first}
