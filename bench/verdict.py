"""What became of everybody under `make chaos`: deliveries against the provider, and warnings against who follows their ground.

Reads the tables and the provider from outside, by no statement of the service, whose word is what is judged. Invariant:
whoever is missing anywhere on the way from a posted warning to the provider makes the verdict bad.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from bench import population
from channels.sandbox.process import CountingProcess

#: Statuses of which the service says that nothing was sent.
DENIED = ("expired", "withdrawn", "rejected", "opted_out")

#: The polygon of every warning: so many rows and columns of squares in the north-east corner.
BLOCK = (1, 2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of everybody."""

    planned: int
    statuses: dict[str, int]
    unfinished: int
    lost: int
    repeated: int
    unmarked: int
    marked: int
    denied: int
    tally: int
    lookups: dict[str, int]
    missing: int  # followers of the ground of a warning who were never planned
    uninvited: int  # planned, and no followers of it
    unheard: int  # warnings that the service never answered
    refused: int  # warnings that it refused

    @property
    def good(self) -> bool:
        wrong = self.unfinished, self.lost, self.unmarked, self.denied, self.tally
        return not any((*wrong, self.missing, self.uninvited, self.unheard, self.refused))

    def __str__(self) -> str:
        final = ", ".join(f"{n} {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"planned {self.planned}, final {self.planned - self.unfinished} ({final})\n"
            f"lost {self.lost}, repeated {self.repeated}, unmarked {self.unmarked}, marked {self.marked},"
            f" sent and denied {self.denied}, tally differs {self.tally}\n"
            f"followers never planned {self.missing}, planned and no followers {self.uninvited},"
            f" warnings unanswered {self.unheard}, refused {self.refused}\n"
            f"looked up {self.lookups['asked']}, found {self.lookups['found']}, unanswered {self.lookups['unanswered']}"
        )


#: Asked of subscriptions alone, with PostgreSQL's own geometry: nothing that the expansion uses. Who is nowhere in the squares
#: of the block is no follower; who is a point in them and outside the polygon may be either, since a border is simplified.
_STRAY = """
    WITH follower AS (
        SELECT a.id, bool_or(r.code = ANY(%(named)s) OR f.lat IS NULL OR CAST(%(shape)s AS polygon) @> point(f.lon, f.lat)) AS sure
        FROM follow f JOIN region r ON r.id = f.region JOIN address a ON a.subscriber = f.subscriber
        WHERE a.channel = %(channel)s AND r.code = ANY(%(named)s || %(block)s) GROUP BY a.id
    ), planned AS (
        SELECT v.address FROM delivery v JOIN dispatch d ON d.id = v.dispatch
        WHERE d.alert = %(alert)s AND d.channel = %(channel)s
    )
    SELECT count(*) FILTER (WHERE sure AND address IS NULL), count(*) FILTER (WHERE id IS NULL)
    FROM follower FULL JOIN planned ON address = id
    WHERE NOT EXISTS (SELECT FROM dispatch WHERE alert = %(alert)s AND channel = %(channel)s AND state = 'withdrawn')
"""


def stray(connection: psycopg.Connection, squares: Mapping[str, int]) -> tuple[int, int]:
    """Followers whom a warning that was not withdrawn has not planned, and people planned who follow nothing of its ground."""
    rows, columns = BLOCK
    side = population.SIDE
    block = [f"XX-{i:02}" for i in range(side**2) if i // side >= side - rows and i % side >= side - columns]
    shape = ",".join(
        f"({lon:.5f},{lat:.5f})" for lon, lat in population.polygon(rows, columns).exterior.coords
    )
    missing = uninvited = 0
    for alert, n in squares.items():
        named = [f"XX-{i:02}" for i in range(n)]
        for channel in ("sms", "email"):
            asked = {
                "alert": alert,
                "channel": channel,
                "named": named,
                "block": block,
                "shape": f"({shape})",
            }
            never, nobody = connection.execute(_STRAY, asked).fetchone() or (1, 0)
            if never or nobody:
                print(f"  {channel} of {alert}: {never} followers never planned, {nobody} planned are none")
            missing, uninvited = missing + never, uninvited + nobody
    return missing, uninvited


def judge(
    url: str, provider: CountingProcess, squares: Mapping[str, int], *, unheard: int, refused: int
) -> Verdict:
    """Compare every delivery with what the provider took of it, and every warning with who follows its ground.

    `squares` are those that each warning named, by its id; `unheard` and `refused` are warnings that were never taken.
    """
    took = provider.deliveries()
    with psycopg.connect(url) as connection:
        missing, uninvited = stray(connection, squares)
        rows = connection.execute(
            """SELECT v.dispatch || '.' || v.n, CAST(v.status AS text), v.maybe_repeated, d.state FROM delivery v
               JOIN dispatch d ON d.id = v.dispatch WHERE d.channel IN ('sms', 'email')"""
        ).fetchall()
        (tally,) = connection.execute(
            """SELECT count(*) FROM
                 (SELECT dispatch, region, status, count(*) AS n FROM delivery GROUP BY 1, 2, 3) AS counted
               FULL JOIN (SELECT dispatch, region, status, n FROM tally WHERE n <> 0) AS tallied
                 USING (dispatch, region, status) WHERE counted.n IS DISTINCT FROM tallied.n"""
        ).fetchone() or (1,)
    # What a lost lease may have let go of a withdrawn warning is not sent again: it stays unconfirmed, and is told so.
    lost = [
        row
        for row in rows
        if row[1] not in (*DENIED, "planned")
        and (row[1], row[3]) != ("unconfirmed", "withdrawn")
        and not took.get(row[0])
    ]
    unmarked = [row for row in rows if took.get(row[0], 0) > 1 and not row[2]]
    denied = [row for row in rows if row[1] in DENIED and took.get(row[0])]
    for what, found in (("lost", lost), ("unmarked", unmarked), ("denied", denied)):
        for delivery, status, marked, state in found[:10]:
            print(
                f"  {what}: {delivery} {status} of a {state} dispatch, taken {took.get(delivery, 0)}x, marked={marked}"
            )
    statuses = Counter(row[1] for row in rows)
    return Verdict(
        planned=len(rows),
        statuses=dict(statuses),
        unfinished=statuses["planned"],
        lost=len(lost),
        repeated=sum(n - 1 for n in took.values()),
        unmarked=len(unmarked),
        marked=sum(row[2] for row in rows),
        denied=len(denied),
        tally=tally,
        lookups=provider.lookups(),
        missing=missing,
        uninvited=uninvited,
        unheard=unheard,
        refused=refused,
    )
