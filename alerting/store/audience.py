"""How many people a warning would reach: the number that an approver sees and that the expansion is held to.

Owns no row. An upper estimate, cheap enough for each submission: exact for followers of regions and for points in covered
regions; a point near the border counts when its 0.05 degree cell (5.5 km) touches the ground; an address that two segments
or two subscriptions reach counts twice. Functions take a session. Invariant: never less than what an expansion at the same
moment plans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.alerts import Segment
from alerting.store.cells import COLUMNS, bounds_of, cells_of
from alerting.store.states import Audience

_FOLLOWERS = """
    FROM follow f JOIN address a ON a.subscriber = f.subscriber JOIN subscriber s ON s.id = f.subscriber
    WHERE a.channel = ANY(CAST(:channels AS text[])) AND a.state = 'active' AND s.audience = :audience
      AND (:severity = 0 OR f.floor <= :severity) AND (f.hazards IS NULL OR f.hazards && CAST(:categories AS text[]))
"""


def people(
    session: Session, segments: Sequence[Segment], channels: Collection[str], audience: Audience
) -> dict[str, int]:
    """At most so many addresses by channel are inside these segments; a channel without any is 0."""
    found: Counter[str] = Counter(dict.fromkeys(channels, 0))
    for segment in segments:
        values: dict[str, object] = {
            "channels": list(channels),
            "audience": audience.value,
            "severity": segment.severity,
            "categories": list(segment.categories),
            "regions": list(segment.regions),
            "covered": list(segment.covered),
        }
        found.update(_by_region(session, values))
        if segment.geometry is not None:
            found.update(_by_cell(session, shapely.from_wkb(segment.geometry), values))
    return dict(found)


def planned_for(session: Session, alerts: Collection[UUID]) -> dict[str, int]:
    """How many single recipients the dispatches of these alerts were planned for, by channel."""
    query = text("""
        SELECT d.channel, sum(t.n) AS n FROM dispatch d JOIN tally t ON t.dispatch = d.id
        WHERE d.alert = ANY(:alerts) GROUP BY d.channel
    """)
    return {row.channel: int(row.n) for row in session.execute(query, {"alerts": list(alerts)})}


def unfinished_before(session: Session, alerts: Collection[UUID]) -> list[UUID]:
    """Alerts further back whose recipients may not have heard of these ones, which took their place.

    An Update is told to everyone whom its predecessor reached; where its dispatch was cut short, so that some still
    believe the predecessor, whatever ends the Update must be told to the predecessor's recipients as well.
    """
    query = text("""
        WITH RECURSIVE back (alert) AS (
            SELECT unnest(CAST(:alerts AS uuid[]))
            UNION
            SELECT s.old FROM back JOIN supersedes s ON s.new = back.alert
            WHERE EXISTS (SELECT FROM dispatch d WHERE d.alert = back.alert AND d.state <> 'done'
                                              AND d.channel NOT IN ('rss', 'web')))
        SELECT alert FROM back WHERE alert <> ALL(CAST(:alerts AS uuid[]))
    """)
    return list(session.execute(query, {"alerts": list(alerts)}).scalars())


def _by_region(session: Session, values: dict[str, object]) -> dict[str, int]:
    """Followers of the regions, and points in those wholly inside."""
    query = text(f"""
        SELECT a.channel, count(DISTINCT a.id) AS n {_FOLLOWERS}
          AND f.region = ANY(CAST(:regions AS int[])) AND (f.cell IS NULL OR f.region = ANY(CAST(:covered AS int[])))
        GROUP BY a.channel
    """)
    return {row.channel: row.n for row in session.execute(query, values)}


def _by_cell(session: Session, ground: shapely.Geometry, values: dict[str, object]) -> Counter[str]:
    """Points in the other cells that the ground touches: counted by cell in the box around each part of it."""
    query = text(f"""
        WITH box AS (
            SELECT row * {COLUMNS} + west AS low, row * {COLUMNS} + east AS high
            FROM unnest(CAST(:s AS int[]), CAST(:n AS int[]), CAST(:w AS int[]), CAST(:e AS int[]))
                 AS part (south, north, west, east), generate_series(south, north) AS row),
        cells AS (SELECT DISTINCT cell FROM box JOIN follow ON cell BETWEEN low AND high)
        SELECT a.channel, f.cell, count(DISTINCT a.id) AS n {_FOLLOWERS}
          AND f.cell IN (SELECT cell FROM cells) AND (f.region IS NULL OR f.region <> ALL(CAST(:covered AS int[])))
        GROUP BY a.channel, f.cell
    """)  # noqa: S608
    bounds = np.clip(shapely.bounds(shapely.get_parts(ground)), (-180, -90, -180, -90), (180, 90, 180, 90))
    south_west = cells_of(bounds[:, 1], bounds[:, 0])
    north_east = cells_of(bounds[:, 3], bounds[:, 2])
    corners = {
        "s": (south_west // COLUMNS).tolist(),
        "w": (south_west % COLUMNS).tolist(),
        "n": (north_east // COLUMNS).tolist(),
        "e": (north_east % COLUMNS).tolist(),
    }
    rows = session.execute(query, {**values, **corners}).all()
    found: Counter[str] = Counter()
    if rows:
        shapely.prepare(ground)
        west, south, east, north = bounds_of([row.cell for row in rows])
        touched = shapely.intersects(ground, shapely.box(west, south, east, north))
        for n in np.flatnonzero(touched).tolist():
            found[rows[n].channel] += rows[n].n
    return found
