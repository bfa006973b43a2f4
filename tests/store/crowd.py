"""A warning of any size in the tables, with the history of a busy year, and the plans by which the store walks over it.

Owns the rows that test_plans asks for: written by generate_series, never analysed unless `analyse` is called. The plans
come from auto_explain, so that what is judged is what the service's own functions sent. Invariant: what is looked at is
rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.engine import engine

#: Rows of a batch, as the planner cuts them.
BATCH = 2_000

#: Dispatches: texts on their way, mail being planned, one that was withdrawn half-way.
SMS, MAIL, WITHDRAWN = 1, 2, 3

#: The share of the texts that is done: what a claim, a close and a sweep must not walk over.
DONE = 0.4

_SEED = """
ALTER SEQUENCE dispatch_id_seq RESTART WITH 1001;
INSERT INTO region (id, code, low, high, names) OVERRIDING SYSTEM VALUE VALUES (1, 'XX', 0, 100, '{}');
INSERT INTO region (id, code, parent, low, high, names) OVERRIDING SYSTEM VALUE
SELECT i + 2, 'XX-' || i, 1, i + 1, i + 1, '{}' FROM generate_series(0, 99) AS i;

INSERT INTO subscriber (id, language, token, source, consent_at) OVERRIDING SYSTEM VALUE
SELECT i, 'en', 't' || i, 'test', now() FROM generate_series(1, %(people)s) AS i;
INSERT INTO address (id, channel, subscriber, state, cipher, key_id, mac) OVERRIDING SYSTEM VALUE
SELECT i, CASE WHEN i %% 12 < 6 THEN 'sms' ELSE 'email' END, i, 'active', int8send(i), 'k1', int8send(i)
FROM generate_series(1, %(people)s) AS i;
INSERT INTO follow (subscriber, region, lat, lon, cell, floor)
SELECT i, 2 + (g.lat - 40) * 10 + (g.lon - 10), p.lat, p.lon,
       CASE WHEN p.lat IS NOT NULL THEN (floor(p.lat * 20)::int + 1800) * 7200 + floor(p.lon * 20)::int + 3600 END, 0
FROM (SELECT i, 40 + i %% 10 AS lat, 10 + i / 10 %% 10 AS lon FROM generate_series(1, %(people)s) AS i) AS g
CROSS JOIN LATERAL (SELECT CASE WHEN i %% 5 < 2 THEN g.lat + i %% 1009 / 1009.0 END AS lat,
                           CASE WHEN i %% 5 < 2 THEN g.lon + i %% 1013 / 1013.0 END AS lon) AS p;

INSERT INTO alert (id, slug, workspace, sender, identifier, sent, status, scope, msg_type, origin, hash, cap, cap_xml, received_at)
SELECT ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, 'slug' || i, 'live', 'test@example.org', 'i' || i, now(),
       'Actual', 'Public', 'Alert', 'own', int8send(i), '{}', '', now() FROM generate_series(1, 2) AS i;
INSERT INTO alert_state (alert, state, submitted_by, issued_at, expires)
SELECT id, 'issued', 'test', now(), now() + interval '6 h' FROM alert;
INSERT INTO rendering (alert, segment, channel, language, text, segments, sha256)
SELECT gen_random_uuid(), 0, 'sms', 'en', 'text', 1, '' FROM generate_series(1, %(history)s) AS i;
INSERT INTO dispatch (id, alert, workspace, status, scope, msg_type, audience, channel, state, priority, planned, created_at, expires)
OVERRIDING SYSTEM VALUE
SELECT d, ('00000000-0000-0000-0000-' || lpad(a::text, 12, '0'))::uuid, 'live', 'Actual', 'Public', 'Alert', 'public', channel,
       state, 1, planned, now(), now() + interval '6 h'
FROM (VALUES (1, 1, 'sms', 'open', %(people)s), (2, 1, 'email', 'planning', 0), (3, 2, 'sms', 'withdrawn', %(withdrawn)s))
     AS x(d, a, channel, state, planned);
INSERT INTO delivery (dispatch, n, address, segment, region, language, status, attempts, reference)
SELECT 1, i, i, 0, 2 + i %% 100, 'en', CASE WHEN i <= %(done)s THEN 'accepted' ELSE 'planned' END::delivery_status,
       0, CASE WHEN i <= %(done)s THEN 'SM' || i END FROM generate_series(1, %(people)s) AS i;
INSERT INTO delivery (dispatch, n, address, segment, region, language, status)
SELECT 3, i, i, 0, 2 + i %% 100, 'en', CASE WHEN i <= %(withdrawn)s / 2 THEN 'delivered' ELSE 'planned' END::delivery_status
FROM generate_series(1, %(withdrawn)s) AS i;
INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3;
INSERT INTO tally SELECT 1, 2 + i, 'delivered', 0 FROM generate_series(0, 99) AS i;
INSERT INTO batch (dispatch, n_from, n_to, state, token, lease_until, started_to, first_at, done_at)
SELECT d, i, i + %(batch)s - 1, state, CASE WHEN state = 'leased' THEN gen_random_uuid() END,
       CASE WHEN state = 'leased' THEN now() - interval '1 s' END, CASE WHEN state = 'leased' THEN i + 99 END, now(),
       CASE WHEN state = 'done' THEN now() - interval '1 h' END
FROM (VALUES (1, %(people)s, %(done)s), (3, %(withdrawn)s, %(withdrawn)s / 2)) AS x(d, last, upto),
     generate_series(1, last, %(batch)s) AS i,
     LATERAL (SELECT CASE WHEN i <= upto - %(batch)s OR d = 3 AND i <= upto THEN 'done' WHEN i <= upto THEN 'leased'
                          ELSE 'ready' END AS state) AS s;

INSERT INTO notice (id, kind, language, text, segments, sha256, created_at) OVERRIDING SYSTEM VALUE
SELECT i, 'reply', 'en', 'text', 1, '', now() - interval '30 d' FROM generate_series(1, %(history)s) AS i;
INSERT INTO dispatch (id, notice, audience, channel, state, priority, planned, created_at, expires, opened_at, closed_at,
                      settled)
OVERRIDING SYSTEM VALUE
SELECT 1000 + i, i, 'person', CASE WHEN i %% 2 = 0 THEN 'sms' ELSE 'email' END, 'done', 1000, 1, at, at + interval '1 h', at, at,
       i > 50
FROM generate_series(1, %(history)s) AS i, LATERAL (SELECT now() - interval '30 d' + make_interval(secs => i) AS at) AS t;
INSERT INTO delivery (dispatch, n, address, segment, region, language, status, reference)
SELECT 1000 + i, 1, i, -1, 0, 'en', CASE WHEN i %% 2 = 0 THEN 'delivered' ELSE 'accepted' END::delivery_status, 'SN' || i
FROM generate_series(1, %(history)s) AS i;
INSERT INTO batch (dispatch, n_from, n_to, state, first_at, done_at)
SELECT 1000 + i, 1, 1, 'done', now() - interval '30 d', now() - interval '30 d' FROM generate_series(1, %(history)s) AS i;
INSERT INTO tally SELECT 1000 + i, 0, s.status, s.n
FROM generate_series(1, %(history)s) AS i,
     LATERAL (VALUES ('planned'::delivery_status, 0), ('accepted', i %% 2), ('delivered', (i + 1) %% 2)) AS s(status, n);

INSERT INTO receipt (provider, event_id, dispatch, n, status, reference, raw, received_at)
SELECT 'twilio', 'SM' || i, 1, i, 'delivered', 'SM' || i, '{}', now() FROM generate_series(1, %(receipts)s) AS i;
INSERT INTO progress VALUES ('receipts', %(receipts)s - %(batch)s);
INSERT INTO sender (channel, provider, name, next_free, rate) VALUES ('sms', 'sms', 'default', now(), 100);
"""

# Indexes that are quicker made at the end; those of a constraint stay.
_LARGE_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename IN ('subscriber', 'address', 'follow', 'delivery')
  AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A warning of `people` recipients, and as much history as goes with it."""

    url: str
    people: int

    @property
    def done(self) -> int:
        """The highest n of the texts that has been sent."""
        return int(self.people * DONE)

    def fill(self) -> None:
        """Write every row. The people were there before; what a warning writes is left as it is, never analysed."""
        values = {
            "people": self.people, "done": self.done, "withdrawn": self.people * 2 // 5, "history": self.people // 100,
            "receipts": self.people // 4, "batch": BATCH,
        }  # fmt: skip
        with psycopg.connect(self.url, autocommit=True) as connection:
            for (table,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
            indexes = connection.execute(_LARGE_INDEXES).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            for statement in _SEED.split(";\n"):
                if statement.strip():
                    psycopg.ClientCursor(connection).execute(statement, values)
            for _, definition in indexes:
                connection.execute(definition)
            connection.execute("ANALYZE subscriber, address, follow, region")

    def analyse(self) -> None:
        """Give the planner its statistics, as autovacuum does a minute later."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ANALYZE")


@dataclass(slots=True)
class Plans:
    """The plans of the statements that ran, as PostgreSQL explains them after they have."""

    plans: list[dict[str, Any]] = field(default_factory=list)

    @property
    def buffers(self) -> int:
        """Shared buffers that all statements together touched."""
        return sum(
            plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] for plan in self.plans
        )

    @property
    def scanned(self) -> set[str]:
        """Tables that were read from their beginning to their end."""
        return {
            node["Relation Name"]
            for plan in self.plans
            for node in nodes(plan["Plan"])
            if node["Node Type"] == "Seq Scan"
        }

    @property
    def told(self) -> str:
        """The statements with their plans, for whoever has to mend them."""
        return "\n".join(
            f"{' '.join(plan['Query Text'].split())}\n" + "\n".join(_lines(plan["Plan"]))
            for plan in self.plans
        )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def _lines(plan: dict[str, Any], depth: int = 1) -> Iterator[str]:
    what = " ".join(str(plan[key]) for key in ("Node Type", "Relation Name", "Index Name") if key in plan)
    blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    yield f"{'  ' * depth}{what}: {plan['Actual Rows']} rows x {plan['Actual Loops']}, {blocks} buffers"
    for below in plan.get("Plans", ()):
        yield from _lines(below, depth + 1)


@contextmanager
def explained(session: Session) -> Iterator[Plans]:
    """Collect the plan of every statement that runs in the block, nested ones left out."""
    found = Plans()
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)

    def heard(notice: psycopg.errors.Diagnostic) -> None:
        said = notice.message_primary or ""
        if "plan:\n" in said:
            found.plans.append(json.loads(said.partition("plan:\n")[2]))

    driver.add_notice_handler(heard)
    session.execute(text("SET LOCAL auto_explain.log_min_duration = 0"))
    try:
        yield found
    finally:
        session.execute(text("SET LOCAL auto_explain.log_min_duration = -1"))
        driver.remove_notice_handler(heard)


def plans_of(work: Callable[[Session], object], *, times: int, without: str = "") -> tuple[Plans, Plans]:
    """The plans of the first and of the last of some runs, each rolled back; `without` drops something first, for as long.

    The driver prepares a statement that comes again, and PostgreSQL then may plan it once for all values: what a worker
    sends for an hour is the last run, not the first.
    """
    with Session(engine()) as session:
        session.execute(text("LOAD 'auto_explain'"))
        for name, value in (
            ("log_analyze", "on"), ("log_buffers", "on"), ("log_timing", "off"), ("log_format", "json"),
            ("log_level", "notice"),
        ):  # fmt: skip
            session.execute(text(f"SET LOCAL auto_explain.{name} = {value}"))
        if without:
            session.execute(text(without))
        seen = []
        for _ in range(times):
            inner = session.begin_nested()
            with explained(session) as plans:
                work(session)
            inner.rollback()
            seen.append(plans)
        session.rollback()
    return seen[0], seen[-1]
