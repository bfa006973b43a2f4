"""Expansion: a dispatch becomes deliveries and batches, one range of subscriber ids in each transaction.

Owns the walk: which dispatch, which segment, which phase, how far. Everything it knows lies in the dispatch's cursor,
written in the transaction that plans the rows, so that a killed planner loses nothing and repeats nothing. Invariant: the
walk of a dispatch visits (segment by rank, phase, id) in that order and each once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy.orm import Session

from alerting.fanout import bell, failover
from alerting.fanout.cover import Cover, cover
from alerting.store import audit, batches, deliveries, expansion, frozen, outbox, publications
from alerting.store.engine import DatabaseError, be_patient, prefer_indexes, transaction
from alerting.store.expansion import Planned, Span, Wanted
from alerting.store.outbox import Dispatch
from alerting.store.states import LANE_OF_CHANNEL, DispatchState

#: Subscriber ids (of few: subscriptions) in the first ranges and in all later ones: messages leave while the walk goes on.
RANGES = (400, 2_000, 10_000, 50_000)

#: Ranges that one transaction may take together while they are thinly populated.
MOST_RANGES = 8

#: Seconds that working a ground out may take.
GROUND = 300.0

#: Rows of a batch where the sender has no rate: about a second of sending.
BATCH = 2_000

#: Channels whose recipients are feeds.
BROADCAST = frozenset({"rss", "web"})


@dataclass(frozen=True, slots=True)
class Step:
    """Where a walk stands."""

    segment: int  # position in rank order
    phase: str
    cursor: int


@dataclass(frozen=True)
class Ground:
    """What the expansion asks of one segment: frozen at approval, so it may be cached."""

    n: int
    severity: int
    categories: tuple[str, ...]
    regions: tuple[int, ...]
    covered: tuple[int, ...]
    geometry: shapely.Geometry | None

    @cached_property
    def cover(self) -> Cover | None:
        """The cells of the geometry, worked out when points are reached and not before the first follower."""
        return None if self.geometry is None else cover(self.geometry)


def expand_next(batch_size: Callable[[Dispatch], int], *, now: datetime, percent: float) -> bool:
    """Plan a range (or some thin ones) of the most urgent dispatch; False when none is left. Rings the lane of its channel.

    `batch_size` gives the rows of a batch of a dispatch; `percent` is how many more people than approved may be planned.
    """
    dispatch: Dispatch | None = None
    try:
        with transaction() as session:
            dispatch = outbox.choose_to_expand(session)
            if dispatch is None:
                return False
            prefer_indexes(session)
            be_patient(session, GROUND)  # the ground of a large warning is worked out in here, once
            if dispatch.channel in BROADCAST:
                _plan_feeds(session, dispatch, now=now)
            else:
                _plan_range(session, dispatch, batch_size(dispatch), now=now, percent=percent)
    except DatabaseError:
        raise
    except Exception as error:  # whatever it is: the most urgent would be chosen again, before all others
        if dispatch is None:
            raise
        failover.hold(
            dispatch.channel,
            dispatch.id,
            f"its recipients cannot be worked out: {type(error).__name__}",
            now=now,
        )
        return True
    bell.ring(LANE_OF_CHANNEL[dispatch.channel])
    return True


def _plan_feeds(session: Session, dispatch: Dispatch, *, now: datetime) -> None:
    feeds = publications.wanted(session, dispatch.channel, now)
    planned, highest = expansion.plan_feeds(session, dispatch.id, feeds, "mul")
    deliveries.count_planned(session, dispatch.id, planned)
    batches.add(session, dispatch.id, 1, highest, BATCH)
    outbox.advance(session, dispatch, segment=0, phase="end", cursor=0, planned=highest, ranges=1)
    _open(session, dispatch, now=now)


def _plan_range(session: Session, dispatch: Dispatch, size: int, *, now: datetime, percent: float) -> None:
    if dispatch.alert is None:
        raise RuntimeError(f"dispatch {dispatch.id} has no alert: a notice is open from the start")
    grounds = _grounds(dispatch.alert)
    step = Step(dispatch.cursor_segment, dispatch.cursor_phase, dispatch.cursor_id)
    planned: Planned = []
    now_at = dispatch
    for _ in range(MOST_RANGES):
        found, highest, step = _phase(session, now_at, grounds, step)
        planned += found
        now_at = replace(now_at, planned=max(highest, now_at.planned), ranges=now_at.ranges + 1)
        if step.phase == "end" or now_at.ranges < len(RANGES) or sum(n for _, n in planned) >= size:
            break
    # Once and last: the tally's rows are shared with the drains.
    count = deliveries.count_planned(session, dispatch.id, planned)
    upto, after = now_at.planned, step
    if count:
        batches.add(session, dispatch.id, dispatch.planned + 1, upto, size)
        if dispatch.in_doubt:
            deliveries.mark_in_doubt(session, dispatch.id, dispatch.planned + 1, upto, None)
    outbox.advance(
        session,
        dispatch,
        segment=after.segment,
        phase=after.phase,
        cursor=after.cursor,
        planned=upto,
        ranges=now_at.ranges,
    )
    if dispatch.approved is not None and _too_many(session, dispatch, percent):
        _hold(session, dispatch, now=now)
    elif after.phase == "end":
        _open(session, dispatch, now=now)


def _phase(
    session: Session, dispatch: Dispatch, grounds: tuple[Ground, ...], step: Step
) -> tuple[Planned, int, Step]:
    """Plan one range of one phase; what was planned, the highest n, and where the walk stands then."""
    if step.segment >= len(grounds):
        return _recipients(session, dispatch, step)
    highest = expansion.highest_subscriber(session)
    ground = grounds[step.segment]
    wanted = Wanted(
        dispatch.id, ground.n, dispatch.channel, dispatch.audience, ground.severity, ground.categories
    )
    if step.phase == "regions":
        span, last = _span(session, dispatch, step, highest, regions=ground.regions)
        planned, n = expansion.plan_regions(session, wanted, ground.regions, span)
        following = Step(step.segment, "points", 0)
    else:
        planned, n, last, span = _points(session, dispatch, ground, wanted, step, highest)
        following = Step(step.segment + 1, "regions", 0)
    if not last:
        return planned, n, Step(step.segment, step.phase, span.upto)
    if following.segment >= len(grounds) and dispatch.recipients_of is None:
        following = Step(following.segment, "end", 0)
    return planned, n, following


def _points(
    session: Session, dispatch: Dispatch, ground: Ground, wanted: Wanted, step: Step, highest: int
) -> tuple[Planned, int, bool, Span]:
    """Plan one range of points: covered regions and whole cells in SQL, cells on the border by the geometry."""
    shape = ground.cover or Cover("{}", "{}", (), ())
    few_inner, few_border = shape.few_inner, shape.few_border
    cells = None if few_inner is None or few_border is None else few_inner + few_border
    span, last = _span(session, dispatch, step, highest, regions=ground.covered, cells=cells)
    whole = last and step.cursor == 0
    planned: Planned = []
    n = dispatch.planned

    def took(found: tuple[Planned, int]) -> None:
        nonlocal planned, n, span
        planned, n = planned + found[0], max(n, found[1])
        span = replace(span, first=n + 1)

    if ground.covered:
        took(expansion.plan_covered_points(session, wanted, ground.covered, span))
    if ground.geometry is not None:
        took(expansion.plan_inner_points(session, wanted, shape.inner, span, few_inner if whole else None))
        rows = expansion.border_points(session, wanted, shape.border, span, few_border if whole else None)
        if rows:
            lons, lats = np.array([r["lon"] for r in rows]), np.array([r["lat"] for r in rows])
            # A point on the border itself counts as inside: a warning too many is better than one too few.
            inside = shapely.intersects_xy(ground.geometry, lons, lats)
            chosen = [
                (r["id"], r["region"], r["language"]) for r, hit in zip(rows, inside, strict=True) if hit
            ]
            took(expansion.plan_chosen(session, wanted, chosen, span.first))
    return planned, n, last, span


def _recipients(session: Session, dispatch: Dispatch, step: Step) -> tuple[Planned, int, Step]:
    """Plan those whom the replaced dispatches reached: an Update or a Cancel is told to them too."""
    segment = (
        None
        if dispatch.alert is None
        else frozen.segment_for_others(session, dispatch.alert, dispatch.channel)
    )
    if segment is None or not dispatch.recipients_of:
        return [], 0, Step(step.segment, "end", 0)
    wanted = Wanted(dispatch.id, segment, dispatch.channel, dispatch.audience, 0, ())
    highest = expansion.highest_recipient(session, dispatch.recipients_of)
    span, last = _span(session, dispatch, step, highest)
    planned, n = expansion.plan_recipients_of(session, wanted, dispatch.recipients_of, span)
    return planned, n, Step(step.segment, "end" if last else "recipients", span.upto)


def _span(
    session: Session,
    dispatch: Dispatch,
    step: Step,
    highest: int,
    *,
    regions: Sequence[int] = (),
    cells: Sequence[int] | None = (),
) -> tuple[Span, bool]:
    """The next range of ids, and whether it is the last of its phase.

    Where few subscriptions name the regions or lie in the cells (None: too many cells to list), the first ranges of a
    dispatch are counted in them, so that no lane waits for another's long one, and a later range takes all that are left.
    """
    first = dispatch.planned + 1
    early = dispatch.ranges < len(RANGES) - 1
    size = RANGES[min(dispatch.ranges, len(RANGES) - 1)]
    # Asked where a phase begins and while ranges are short: not for each range of a long walk.
    few = (
        (step.cursor == 0 or dispatch.ranges < len(RANGES))
        and cells is not None
        and bool(regions or cells)
        and expansion.few_follow(session, regions=regions, cells=cells)
    )
    if not few:
        upto = min(step.cursor + size, highest)
    elif early:
        upto = (
            expansion.nth_of_few(session, regions=regions, cells=cells or (), after=step.cursor, count=size)
            or highest
        )
    else:
        upto = highest
    return Span(step.cursor, upto, first), upto >= highest


def _too_many(session: Session, dispatch: Dispatch, percent: float) -> bool:
    counted = sum(deliveries.counts(session, dispatch.id).values())
    return counted > (dispatch.approved or 0) * (1 + percent / 100)


def _hold(session: Session, dispatch: Dispatch, *, now: datetime) -> None:
    """More people than were approved: nothing more leaves until somebody has looked."""
    outbox.set_state(session, dispatch.id, DispatchState.HELD, now=now)
    _milestone(session, dispatch, "dispatch.held", now=now)


def _open(session: Session, dispatch: Dispatch, *, now: datetime) -> None:
    outbox.set_state(session, dispatch.id, DispatchState.OPEN, now=now)
    _milestone(session, dispatch, "dispatch.planned", now=now)


def _milestone(session: Session, dispatch: Dispatch, act: str, *, now: datetime) -> None:
    detail = {
        "dispatch": dispatch.id,
        "channel": dispatch.channel,
        "approved": dispatch.approved,
        "planned": sum(deliveries.counts(session, dispatch.id).values()),
    }
    audit.append(session, actor="expand", act=act, subject=str(dispatch.alert), detail=detail, now=now)


@lru_cache(maxsize=16)
def _grounds(alert: UUID) -> tuple[Ground, ...]:
    """The segments of an alert in rank order; never updated, so a process reads and covers each once."""
    with transaction() as session:
        rows = frozen.segments_of(session, alert)
    found = []
    for row in rows:
        geometry = None if row.geometry is None else shapely.from_wkb(row.geometry)
        found.append(
            Ground(
                n=row.n,
                severity=row.severity,
                categories=row.categories,
                regions=row.regions,
                covered=row.covered,
                geometry=geometry,
            )
        )
    return tuple(found)
