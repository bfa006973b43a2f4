"""`make chaos`: the whole service under random faults, and what became of everybody, counted by the provider from outside.

    python -m bench.chaos [--seconds 600] [--seed 1] [--people 2000]

Issues warnings, cancels some, kills and stops its parts, PostgreSQL, Valkey and the provider in an order that the seed
decides, then mends everything, waits for the end and compares. Exits 1 on a loss, a repeat that is not marked, a message
that the service denies, or a tally that differs from its rows.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psycopg

from alerting.authoring import keys, policy
from alerting.store import engine, migrations
from bench import machine, population
from bench.faults import Faults
from bench.parts import Parts
from bench.servers import OwnServers
from channels.sandbox.process import CountingProcess

#: Seconds between warnings, and between faults, at the mean.
WARN_EACH = 8.0
FAULT_EACH = 6.0

#: Seconds that everything may take to end once the faults have.
PATIENCE = 600.0

PACE = {"SMS_RATE": "150", "EMAIL_RATE": "150", "SMS_IN_FLIGHT": "64"}

LOG = Path(__file__).resolve().parents[1] / "build" / "chaos.log"

#: Statuses of which the service says that nothing was sent.
DENIED = ("expired", "withdrawn", "rejected", "opted_out")


@dataclass(slots=True)
class Office:
    """Whoever issues warnings over the API, and says it again until it was heard."""

    port: int
    secret: str
    dice: random.Random
    unheard: list[bytes] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    cancelled: int = 0

    def warn(self) -> None:
        squares = self.dice.choice([10, 40, 100])
        self.unheard.append(machine.warning(squares=squares, rows=1, columns=2, now=datetime.now(UTC)))
        self.insist()

    def insist(self) -> None:
        """Post what has not been answered yet: the same document is the same warning."""
        for document in list(self.unheard):
            answer = self._post("/api/v1/alerts", document, "application/cap+xml")
            if answer is None:
                return
            self.unheard.remove(document)
            self.issued.append(answer["id"])

    def cancel(self) -> None:
        """Lift one of the last warnings."""
        if self.issued:
            alert = self.issued.pop(self.dice.randrange(max(0, len(self.issued) - 3), len(self.issued)))
            body = json.dumps({"reason": "chaos", "texts": {}}).encode()
            self.cancelled += (
                self._post(f"/api/v1/alerts/{alert}/cancel", body, "application/json") is not None
            )

    def _post(self, path: str, body: bytes, kind: str) -> Any | None:
        """The answer; None when there was none or the service could not do it now."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": kind}
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            read = answer.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        if answer.status in (200, 201):
            return json.loads(read)
        if answer.status < 500 and answer.status != 429:
            print(f"  the API answered {answer.status}: {read[:300]!r}")
            return {"id": ""} if path.endswith("/alerts") else None
        return None


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

    @property
    def good(self) -> bool:
        return not (self.unfinished or self.lost or self.unmarked or self.denied or self.tally)

    def __str__(self) -> str:
        final = ", ".join(f"{n} {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"planned {self.planned}, final {self.planned - self.unfinished} ({final})\n"
            f"lost {self.lost}, repeated {self.repeated}, unmarked {self.unmarked}, marked {self.marked},"
            f" sent and denied {self.denied}, tally differs {self.tally}\n"
            f"looked up {self.lookups['asked']}, found {self.lookups['found']}, unanswered {self.lookups['unanswered']}"
        )


def judge(url: str, provider: CountingProcess) -> Verdict:
    """Compare every delivery with what the provider took of it."""
    took = provider.deliveries()
    with psycopg.connect(url) as connection:
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
    )


def storm(seconds: float, faults: Faults, office: Office) -> Counter[str]:
    """Issue, cancel and strike for so long, then mend what is broken; what was done, and how often."""
    done: Counter[str] = Counter()
    order = itertools.count()
    endings: list[tuple[float, int, Callable[[], object]]] = []
    started = time.monotonic()
    warn_at, fault_at = 0.0, 3.0
    while (now := time.monotonic() - started) < seconds:
        faults.parts.mend()
        while endings and endings[0][0] <= now:
            heapq.heappop(endings)[2]()
        if now >= warn_at:
            office.warn()
            if faults.dice.random() < 0.2:
                office.cancel()
            warn_at = now + faults.dice.expovariate(1 / WARN_EACH)
        office.insist()
        if now >= fault_at:
            what, ending = faults.strike()
            done[what.partition(" for ")[0]] += 1
            print(f"{now:6.1f} s  {what}", flush=True)
            heapq.heappush(endings, (now + ending.after, next(order), ending.mend))
            fault_at = now + faults.dice.expovariate(1 / FAULT_EACH)
        time.sleep(0.2)
    for _, _, mend in sorted(endings):
        mend()
    faults.provider.misbehave()
    return done


def settle(url: str, faults: Faults, office: Office) -> None:
    """Wait until every dispatch has ended; retries that wait for their time are made due, again and again."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        faults.parts.mend()
        office.insist()
        with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "UPDATE batch SET not_before = NULL WHERE state = 'ready' AND not_before > now() + interval '6 s'"
            )
            connection.execute(
                "UPDATE sender SET resting_until = NULL WHERE resting_until > now() + interval '3 s'"
            )
            (left,) = connection.execute(
                """SELECT (SELECT count(*) FROM dispatch WHERE channel IN ('sms', 'email') AND state NOT IN ('done', 'withdrawn'))
                        + (SELECT coalesce(sum(n), 0) FROM tally t JOIN dispatch d ON d.id = t.dispatch
                           WHERE t.status = 'planned' AND d.channel IN ('sms', 'email'))"""
            ).fetchone() or (1,)
            if not left and not office.unheard:
                break
        time.sleep(1)
    time.sleep(3)  # the last receipts


def run(seconds: float, seed: int, people: int, log: Path) -> Verdict:
    """One run; prints what it does."""
    dice = random.Random(seed)
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="alerting-chaos-") as folder:
        Path(folder).chmod(0o711)
        with OwnServers(Path(folder) / "data", durable=True) as servers:
            settings = machine.settings_of(servers, "alerting")
            migrations.upgrade(settings.database_url)
            population.settle(settings.database_url, settings, people)
            engine.configure(settings.database_url)
            secret, now = keys.new_secret(), datetime.now(UTC)
            keys.create_first("chaos", secret=secret, now=now)
            policy.set_approvers(0, actor="chaos", now=now)
            engine.dispose()
            token = settings.twilio_auth_token
            with (
                CountingProcess(lookups=True, callbacks=("sent", "delivered"), token=token) as provider,
                Parts(
                    replace(settings, twilio_api_base_url=provider.http_url),
                    provider.http_url,
                    provider.smtp_url,
                    log,
                ) as parts,
            ):
                port = _start(parts)
                faults, office = Faults(parts, servers, provider, dice), Office(port, secret, dice)
                done = storm(seconds, faults, office)
                print("mended; waiting for the end", flush=True)
                settle(settings.database_url, faults, office)
                verdict = judge(settings.database_url, provider)
                print(f"seed {seed}, {seconds:.0f} s: {len(office.issued) + office.cancelled} warnings, {office.cancelled} of"
                      f" them cancelled, {sum(done.values())} faults")  # fmt: skip
                for what, n in sorted(done.items()):
                    print(f"  {n:3}  {what}")
                print(verdict)
                return verdict


def _start(parts: Parts) -> int:
    """The whole service; the port of its web process, once that answers."""
    port = machine.free_port()
    environ = {**PACE, "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}", "FORWARDED_ALLOW_IPS": "127.0.0.1"}
    parts.python("http", "-m", "gunicorn", "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}",
                 "--log-level", "critical", "wsgi:app", **environ)  # fmt: skip
    for name, lane in (
        ("plan", "plan"),
        ("sms", "sms"),
        ("sms 2", "sms"),
        ("email", "email"),
        ("web", "web"),
    ):
        parts.start(name, "worker", lane, **environ)
    parts.start("sweep", "sweep", **environ)
    deadline = time.monotonic() + 60
    while not machine.ready(port):
        if time.monotonic() > deadline:
            raise RuntimeError("the web process does not answer")
        time.sleep(0.1)
    return port


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=LOG, help="where the parts write what they say")
    parser.add_argument("--people", type=int, default=2_000)
    given = parser.parse_args()
    return 0 if run(given.seconds, given.seed, given.people, given.log).good else 1


if __name__ == "__main__":
    sys.exit(main())
