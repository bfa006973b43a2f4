"""Whether this installation can do its work: PostgreSQL, the migration, Redis, and the last round of the sweep.

Imports the store and the bell. Nothing here raises: what is wrong is said in the answer. Invariant: Redis away or a late
sweep never make an installation unready, since a warning can still be issued and will still go out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError

from alerting.fanout import bell
from alerting.store import beats, migrations
from alerting.store.engine import DatabaseError, transaction

#: The name under which the sweep tells that it is at work.
SWEEP = "sweep"

#: Seconds after which the sweep, which tells each second, counts as late.
LATE = 15.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `detail` names no host and no secret."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. `sweep_age` is in seconds, None when no sweep has ever told."""

    postgresql: Check
    migration: Check
    redis: Check
    sweep: Check
    sweep_age: float | None

    @property
    def checks(self) -> tuple[Check, ...]:
        return (self.postgresql, self.migration, self.redis, self.sweep)

    @property
    def ready(self) -> bool:
        """A request can be served: the database answers and is at our migration."""
        return self.postgresql.ok and self.migration.ok

    @property
    def well(self) -> bool:
        """Nothing at all is wrong."""
        return all(check.ok for check in self.checks)


def examine(redis_url: str, *, now: datetime) -> Health:
    """Look at everything once, a few milliseconds when all is well and about 3 s at most. `now` is aware UTC."""
    postgresql, migration, told = _database()
    age = None if told is None else max(0.0, (now - told.astimezone(UTC)).total_seconds())
    if age is None:
        sweep = Check(SWEEP, ok=False, detail="no sweep has ever run: start `alerting sweep`")
    elif age > LATE:
        sweep = Check(
            SWEEP, ok=False, detail=f"its last round was {age:.0f} s ago: is `alerting sweep` running?"
        )
    else:
        sweep = Check(SWEEP, ok=True, detail=f"its last round was {age:.1f} s ago")
    return Health(postgresql, migration, _redis(redis_url), sweep, age)


def _database() -> tuple[Check, Check, datetime | None]:
    try:
        with transaction() as session:
            told = beats.last(session, SWEEP) if (revision := beats.revision(session)) else None
    except DatabaseError as error:
        # The class alone: the text may hold the URL with its password.
        detail = f"does not answer ({type(error).__name__})"
        unknown = Check("migration", ok=False, detail="unknown while PostgreSQL does not answer")
        return Check("postgresql", ok=False, detail=detail), unknown, None
    head = migrations.head()
    if revision == head:
        migration = Check("migration", ok=True, detail=head)
    else:
        detail = (
            f"the database is at {revision or 'none'}, this installation at {head}: run `alerting db upgrade`"
        )
        migration = Check("migration", ok=False, detail=detail)
    return Check("postgresql", ok=True, detail="answers"), migration, told


def _redis(redis_url: str) -> Check:
    try:
        connection = bell.connect(redis_url, timeout=0.3)
        try:
            connection.ping()
        finally:
            connection.close()
    except (RedisError, OSError) as error:
        return Check(
            "redis", ok=False, detail=f"does not answer ({type(error).__name__}): the sweep drains instead"
        )
    return Check("redis", ok=True, detail="answers")
