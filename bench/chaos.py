"""`make chaos`: the whole service under random faults, and what became of everybody, counted by the provider from outside.

    python -m bench.chaos [--seconds 600] [--seed 1] [--people 2000]

Issues warnings, cancels some, kills and stops its parts, PostgreSQL, Valkey and the provider in an order that the seed
decides, then mends everything, waits for the end and compares. Exits 1 on a loss, also of a follower who was never planned
or a warning that was never taken, a repeat that is not marked, a message that the service denies, or a tally that differs
from its rows.
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
from bench.verdict import BLOCK, Verdict, judge
from channels.sandbox.process import CountingProcess

#: Seconds between warnings, and between faults, at the mean.
WARN_EACH = 8.0
FAULT_EACH = 6.0

#: Seconds that everything may take to end once the faults have.
PATIENCE = 600.0

PACE = {"SMS_RATE": "150", "EMAIL_RATE": "150", "SMS_IN_FLIGHT": "64"}

LOG = Path(__file__).resolve().parents[1] / "build" / "chaos.log"


@dataclass(slots=True)
class Office:
    """Whoever issues warnings over the API, and says it again until it was heard."""

    port: int
    secret: str
    dice: random.Random
    unheard: list[tuple[bytes, int]] = field(default_factory=list)  # with the number of squares
    issued: list[str] = field(default_factory=list)  # what may still be cancelled
    squares: dict[str, int] = field(default_factory=dict)  # of each warning that was taken
    cancelled: int = 0
    refused: int = 0

    def warn(self) -> None:
        squares = self.dice.choice([10, 40, 100])
        rows, columns = BLOCK
        document = machine.warning(squares=squares, rows=rows, columns=columns, now=datetime.now(UTC))
        self.unheard.append((document, squares))
        self.insist()

    def insist(self) -> None:
        """Post what has not been answered yet: the same document is the same warning."""
        for document, squares in list(self.unheard):
            answer = self._post("/api/v1/alerts", document, "application/cap+xml")
            if answer is None:
                return
            self.unheard.remove((document, squares))
            if not answer["id"]:
                self.refused += 1
                continue
            self.issued.append(answer["id"])
            self.squares[answer["id"]] = squares

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
                verdict = judge(
                    settings.database_url,
                    provider,
                    office.squares,
                    unheard=len(office.unheard),
                    refused=office.refused,
                )
                print(f"seed {seed}, {seconds:.0f} s: {len(office.squares)} warnings, {office.cancelled} of"
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
