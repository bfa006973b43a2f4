"""`alerting publish`: hands a CAP document to the running service and says what came of it.

Imports the CAP core only for --restamp. Invariant: exit status 0 means that the service took the document; every finding
is printed, the service's own words first.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import click

from alerting.cli.connection import Answer, finding, service, told

XML = "application/cap+xml"
JSON = "application/json"


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--restamp", is_flag=True, help="Give it a new identifier and move its times to now (XML alone)."
)
@click.option("--url", help="The service [default: ALERTING_URL, or the one that runs here].")
@click.option("--key", help="An API key [default: ALERTING_API_KEY, or that of `alerting up`].")
@click.option("--omit", multiple=True, metavar="CHANNEL:REASON", help="Leave a channel out, and say why.")
def publish(file: IO[bytes], restamp: bool, url: str | None, key: str | None, omit: tuple[str, ...]) -> None:
    """Send a CAP document (XML, or the JSON of the API) to the running service; FILE - is standard input."""
    data = file.read()
    is_json = data.lstrip()[:1] == b"{"
    if is_json and (restamp or omit):
        raise click.ClickException("--restamp and --omit are for XML: in JSON write both into the document")
    if restamp:
        data = restamped(data, now=datetime.now(UTC), name=Path(getattr(file, "name", "")).name)
    query = "?" + urlencode([("omit", each) for each in omit]) if omit else ""
    answer = service(url, key).send("POST", f"/api/v1/alerts{query}", data, JSON if is_json else XML)
    if answer.status >= 400:
        raise click.ClickException(told(answer))
    _say(answer)


def _say(answer: Answer) -> None:
    body = answer.body
    known = " (known already)" if answer.status == 200 else ""
    click.echo(f"id     {body['id']}{known}")
    click.echo(f"state  {body['state']}")
    click.echo(f"page   {body['page']}")
    for each in body.get("forecasts", []):
        click.echo(f"pace   {each['words']} by {each['channel']}")
    for each in body.get("warnings", []):
        click.echo(f"warning: {finding(each)}", err=True)
    if body["state"] == "submitted":
        click.echo(
            f"it waits for approval by another key: POST /api/v1/alerts/{body['id']}/approve", err=True
        )


def restamped(data: bytes, *, now: datetime, name: str) -> bytes:
    """The document with a new identifier and its times moved to `now`; raises ClickException for what is no CAP."""
    from alerting.cap import xml
    from alerting.cap.restamp import restamp

    document = xml.read(data)
    if document.alert is None:
        lines = [f"  {each.rule}: {each.path}: {each.message}" for each in document.findings]
        raise click.ClickException(
            "\n".join([f"{name} is not a CAP 1.2 document that can be restamped:", *lines])
        )
    identifier = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    return xml.write(restamp(document.alert, identifier=identifier, now=now))
