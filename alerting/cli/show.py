"""`alerting show`: who was reached by a warning, by channel and region, once or live.

Draws the tables that the demo shows too. Talks to the service over its API. Invariant: `--follow` ends when every dispatch
has ended, and the last table is what is true then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from alerting.cli.connection import Service, service

#: Seconds between two looks.
PAUSE = 0.5
#: Regions of one channel that are shown by themselves; the rest is one line.
MOST_REGIONS = 12
ENDED = {"done", "withdrawn"}
#: In the order of a delivery's life.
STATUSES = (
    "planned",
    "accepted",
    "delivered",
    "unconfirmed",
    "undelivered",
    "bounced",
    "rejected",
    "opted_out",
    "expired",
    "withdrawn",
)


@click.command()
@click.argument("alert")
@click.option("--follow", is_flag=True, help="Stay until every message has gone out.")
@click.option("--url", help="The service [default: ALERTING_URL, or the one that runs here].")
@click.option("--key", help="An API key [default: ALERTING_API_KEY, or that of `alerting up`].")
def show(alert: str, follow: bool, url: str | None, key: str | None) -> None:
    """Show the warning with the id ALERT: its state, and who was reached where."""
    found = service(url, key)
    console = Console()
    picture, ended = look(found, alert)
    if not follow:
        console.print(picture)
        return
    with Live(picture, console=console, refresh_per_second=4) as live:
        while not ended:
            time.sleep(PAUSE)
            picture, ended = look(found, alert)
            live.update(picture)


def look(found: Service, alert: str) -> tuple[Group, bool]:
    """The picture of this moment, and whether every dispatch has ended."""
    detail = found.get(f"/api/v1/alerts/{alert}").body
    tallies = found.get(f"/api/v1/alerts/{alert}/deliveries").body
    dispatches: Sequence[Mapping[str, Any]] = detail["dispatches"]
    ended = detail["state"] != "submitted" and all(each["state"] in ENDED for each in dispatches)
    return Group(heading(detail), table(tallies["tallies"])), ended


def heading(detail: Mapping[str, Any]) -> Text:
    """The warning in two lines."""
    line = Text()
    line.append(f"{detail['event']}", style="bold")
    line.append(f"  {detail['state']}  {detail['colour'] or ''}\n")
    line.append(f"{detail['identifier']} of {detail['sender']}, {detail['sent']}\n", style="dim")
    for each in detail["dispatches"]:
        line.append(
            f"{each['channel']}: {each['state']}, {each['planned']} planned{_left(each)}\n", style="dim"
        )
    for each in detail.get("forecasts", []):
        line.append(f"{each['words']} by {each['channel']}\n", style="dim")
    return line


def _left(dispatch: Mapping[str, Any]) -> str:
    """What a channel with a rate still has to do, and whom it did not reach in time."""
    words = ""
    if dispatch.get("seconds_left"):
        minutes = max(1, math.ceil(dispatch["seconds_left"] / 60))
        words += f", {dispatch['left']} left: about {minutes} minute{'' if minutes == 1 else 's'}"
    late = dispatch["tallies"].get("expired", 0)
    return f"{words}, {late} not sent before it expired" if late else words


def table(tallies: Sequence[Mapping[str, Any]]) -> Table:
    """Deliveries by channel, region and status; the regions with the most come first."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for row in tallies:
        named = " ".join(dict.fromkeys(word for word in (row["region"], row["region_name"]) if word))
        cell = counted.setdefault((row["channel"], named or "-"), {})
        cell[row["status"]] = cell.get(row["status"], 0) + row["n"]
    used = [status for status in STATUSES if any(status in cell for cell in counted.values())]
    drawn = Table("channel", "region", *used)
    for column in drawn.columns[2:]:
        column.justify = "right"
    for channel in dict.fromkeys(channel for channel, _ in counted):
        rows = [(region, cell) for (of, region), cell in counted.items() if of == channel]
        rows.sort(key=lambda row: (-sum(row[1].values()), row[0]))
        shown, rest = rows[:MOST_REGIONS], rows[MOST_REGIONS:]
        if rest:
            shown.append((f"{len(rest)} more regions", _sum([cell for _, cell in rest])))
        if len(shown) > 1:
            shown.append(("all", _sum([cell for _, cell in rows])))
        for region, cell in shown:
            drawn.add_row(channel, region, *(str(cell.get(status, "")) for status in used))
        drawn.add_section()
    return drawn


def _sum(cells: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for cell in cells:
        for status, n in cell.items():
            total[status] = total.get(status, 0) + n
    return total
