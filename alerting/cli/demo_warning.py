"""The demo's warning: invented subscribers, the example published through the API, and what became of it.

Counts come from two sides: the service's tallies and the sandbox's inbox, which knows nothing of the service. Invariant: a
figure that is shown was read from one of them after the last message.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import shapely
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from alerting.cap import area, xml
from alerting.cli.connection import Service, told
from alerting.cli.publish import XML, restamped
from alerting.cli.show import table
from alerting.cli.stack import Stack
from alerting.config import Settings
from alerting.shipped import shipped
from alerting.store import regions
from alerting.store.engine import transaction
from alerting.subscribing.importing import Report, import_csv
from alerting.subscribing.sample import sample_rows

EXAMPLE = "examples/flood.cap.xml"
ADDRESSED = ("sms", "email")
ENDED = frozenset({"done", "withdrawn"})

#: Degrees around the warning's polygons in which people with a point live.
MARGIN = 0.3

#: Statuses of a message that a provider took, whatever became of it afterwards.
TAKEN = frozenset({"accepted", "delivered", "undelivered", "bounced", "unconfirmed"})

#: Seconds that the receipts of texts are waited for, and after which a warning that does not end is a failure.
RECEIPTS = 5.0
LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Issued:
    """The warning on its way: `at` is when the request began, seconds since the epoch."""

    id: str
    page: str
    at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it; first and last are seconds from the request to a message's arrival at the sandbox."""

    issued: Issued
    tallies: Sequence[Mapping[str, Any]]
    planned: Mapping[str, int]
    accepted: Mapping[str, int]
    sandbox: Mapping[str, int]
    first: float
    last: float


def enlist(number: int, *, settings: Settings, now: datetime) -> Report:
    """Import invented people around the example's areas; raises ClickException when a row is refused."""
    document = xml.read(shipped(EXAMPLE).read_bytes())
    if document.alert is None:
        raise click.ClickException(f"{EXAMPLE} of this installation is no CAP document: install it again")
    areas = [place for info in document.alert.info for place in info.area]
    named = dict.fromkeys(code.value for place in areas for code in place.geocode)
    grounds = [ground for place in areas if (ground := area.ground(place)) is not None]
    with transaction() as session:
        inside = [code for code in named if regions.by_code(session, code) is not None]
        around = [
            region.code
            for country in dict.fromkeys(code.split("-")[0] for code in inside)
            for region in regions.page(session, parent=country, after="", limit=50)
            if region.code not in named
        ]
    west, south, east, north = shapely.union_all(grounds).bounds
    people = sample_rows(
        number,
        seed=1,
        regions=[*inside, *around[: len(inside)]],
        box=(west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN),
    )
    report = import_csv(people, actor="demo", settings=settings, now=now, source="demo")
    if report.refused:
        finding = report.findings[0]
        raise click.ClickException(f"the demo's own list has a bad row: {finding.line}: {finding.problem}")
    return report


def allow_at_once(*, now: datetime) -> None:
    """The demo has nobody to approve its warning: say so as a policy, which is audited like any other."""
    from alerting.authoring import policy

    policy.set_approvers(0, actor="demo", now=now)


def publish(service: Service, *, now: datetime) -> Issued:
    """Issue the example as of now, through the API like anybody."""
    data = restamped(shipped(EXAMPLE).read_bytes(), now=now, name=EXAMPLE)
    at = time.time()
    answer = service.send("POST", "/api/v1/alerts", data, XML)
    if answer.status >= 400:
        raise click.ClickException(told(answer))
    return Issued(str(answer.body["id"]), str(answer.body["page"]), at)


def follow(service: Service, issued: Issued, running: Stack) -> Outcome:
    """Watch until every dispatch has ended and, at most RECEIPTS seconds longer, until every text has its receipt."""
    path = f"/api/v1/alerts/{issued.id}"
    begun = time.monotonic()
    receipts_until: float | None = None
    with Live(console=Console(), refresh_per_second=10, transient=True) as live:
        while True:
            running.tend()
            detail = service.get(path).body
            tallies = service.get(f"{path}/deliveries").body["tallies"]
            live.update(_picture(detail["dispatches"], tallies))
            now = time.monotonic()
            if detail["dispatches"] and all(each["state"] in ENDED for each in detail["dispatches"]):
                receipts_until = receipts_until or now + RECEIPTS
                if now > receipts_until or not _count(tallies, "sms", {"accepted"}):
                    break
            elif now - begun > LONGEST:
                raise click.ClickException(
                    f"the warning has not ended after {LONGEST:.0f} s: see {running.supervisor.logs}"
                )
            time.sleep(0.1)
    inbox = _inbox(running)
    arrived = [message["at"] - issued.at for message in inbox["messages"]]
    planned = {
        channel: sum(each["planned"] for each in detail["dispatches"] if each["channel"] == channel)
        for channel in ADDRESSED
    }
    return Outcome(
        issued,
        tallies,
        planned,
        {channel: _count(tallies, channel, TAKEN) for channel in ADDRESSED},
        {channel: int(inbox[channel]) for channel in ADDRESSED},
        min(arrived, default=0.0),
        max(arrived, default=0.0),
    )


def show_result(running: Stack, outcome: Outcome) -> None:
    """The table, the times and the addresses."""
    console = Console()
    console.print(table(outcome.tallies))
    taken, got = outcome.accepted, outcome.sandbox
    console.print(
        f"planned {outcome.planned['sms']} texts and {outcome.planned['email']} e-mails; providers took {taken['sms']} and "
        f"{taken['email']}; the sandbox received {got['sms']} and {got['email']}.\n"
        f"First message after {outcome.first:.2f} s, last after {outcome.last:.2f} s.\n",
        highlight=False,
        soft_wrap=True,
    )
    for name, url in _urls(running, outcome.issued).items():
        console.print(f"  {name:<6}{url}", highlight=False, soft_wrap=True)


def write_result(path: Path, running: Stack, outcome: Outcome) -> None:
    """The figures as JSON: {planned, accepted, sandbox, first_s, last_s, urls, pids}."""
    document = {
        "planned": outcome.planned,
        "accepted": outcome.accepted,
        "sandbox": outcome.sandbox,
        "first_s": round(outcome.first, 3),
        "last_s": round(outcome.last, 3),
        "urls": _urls(running, outcome.issued),
        "pids": running.pids(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _urls(running: Stack, issued: Issued) -> dict[str, str]:
    return {
        "rss": f"{running.web_url}/feeds/all.rss",
        "cap": f"{running.web_url}/cap/{issued.id}.xml",
        "page": issued.page,
        "docs": f"{running.web_url}/docs",
        "inbox": f"{running.sandbox_url}/",
    }


def _picture(dispatches: Sequence[Mapping[str, Any]], tallies: Sequence[Mapping[str, Any]]) -> RenderableType:
    bars = Table.grid(padding=(0, 1))
    for each in dispatches:
        planned = int(each["planned"])
        left = _count(tallies, each["channel"], {"planned"})
        bars.add_row(
            each["channel"],
            ProgressBar(total=max(1, planned), completed=planned - left, width=40),
            f"{planned - left} of {planned}",
            each["state"],
        )
    return Group(bars, table(tallies))


def _count(tallies: Sequence[Mapping[str, Any]], channel: str, statuses: frozenset[str] | set[str]) -> int:
    return sum(row["n"] for row in tallies if row["channel"] == channel and row["status"] in statuses)


def _inbox(running: Stack) -> Mapping[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", running.ports.sandbox, timeout=10)
    try:
        connection.request("GET", "/inbox.json?limit=5000")
        found: Mapping[str, Any] = json.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()
