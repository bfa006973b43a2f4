"""The whole list as a file, with the addresses open: for administrators, for a move and for the worst day.

Owns its transactions: a short one for each 2 000 subscribers, so that a slow reader holds nothing; or one for all of it, a
proof of one moment, read by a cursor of the server. The columns are those of the import, so that what was exported can be
imported anywhere, with every STOP. Must not import the web side.
Invariant: an export is in the audit before its first row leaves.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.store import audit, regions, subscribers
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.store.states import AddressState
from alerting.store.subscribers import Place, Subscriber
from alerting.subscribing.rows import CHANNEL_OF, COLUMNS

PAGE = 2000

#: Rows of columns as text.
Writer = Callable[[Sequence[Sequence[str]]], str]


def export(
    *, actor: str, settings: Settings, now: datetime, form: str = "csv", one_moment: bool = False
) -> Iterator[str]:
    """The list in pieces, as `form` "csv" (the heading first) or "jsonl" (one object a line, empty columns left out).

    Subscribers that come or go meanwhile may be in it or not, but with `one_moment`. A subscriber with several points,
    floors or addresses of a channel has several rows, tied by external id or address.
    """
    with transaction() as session:
        audit.append(
            session, actor=actor, act="subscribers.exported", subject="subscribers", detail={}, now=now
        )
    vault, write = Vault(settings), _json if form == "jsonl" else _text
    heading = [] if form == "jsonl" else [_text([COLUMNS])]
    return itertools.chain(heading, _one_moment(vault, write) if one_moment else _pages(vault, write))


def _one_moment(vault: Vault, write: Writer) -> Iterator[str]:
    """Everybody in one snapshot: rows that change while it is open are kept for it, so it must be read at once."""
    with transaction() as session:
        subscribers.in_one_snapshot(session)
        for people in subscribers.stream(session, PAGE):
            yield write(_rows(session, people, vault))


def _pages(vault: Vault, write: Writer) -> Iterator[str]:
    after = 0
    while True:
        with transaction() as session:
            people = subscribers.page(session, after, PAGE)
            piece = write(_rows(session, people, vault))
        if not people:
            return
        after = people[-1].id
        yield piece


def _text(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _json(rows: Sequence[Sequence[str]]) -> str:
    lines = (
        json.dumps(
            {name: value for name, value in zip(COLUMNS, row, strict=True) if value}, ensure_ascii=False
        )
        for row in rows
    )
    return "".join(line + "\n" for line in lines)


def _rows(session: Session, people: Sequence[Subscriber], vault: Vault) -> list[list[str]]:
    ids = [person.id for person in people]
    owned: dict[int, dict[str, list[tuple[str, bool]]]] = {}
    for row in subscribers.addresses_of(session, ids):
        address = vault.open(row.channel, row.key_id, row.cipher, row.mac)
        stopped = row.state == AddressState.STOPPED
        owned.setdefault(row.subscriber or 0, {}).setdefault(row.channel, []).append((address, stopped))
    places = subscribers.places_of(session, ids)
    named = {
        p.region for of_one in places.values() for p in of_one if p.cell is None and p.region is not None
    }
    codes = {key: region.code for key, region in regions.of_ids(session, named).items()} if named else {}
    return [
        row
        for person in people
        if person.id in owned
        for row in _rows_of(person, owned[person.id], list(places.get(person.id, ())), codes)
    ]


def _rows_of(
    person: Subscriber,
    owned: dict[str, list[tuple[str, bool]]],
    places: Sequence[Place],
    codes: dict[int, str],
) -> list[list[str]]:
    wheres = _wheres(places, codes)
    several = max(len(of_channel) for of_channel in owned.values()) > 1
    rows = []
    for n in range(max(len(wheres), *(len(of_channel) for of_channel in owned.values()))):
        row = dict.fromkeys(COLUMNS, "") | wheres[n if n < len(wheres) else 0]
        # Two telephones of one person are tied by nothing else.
        row["external_id"] = person.external_id or (f"subscriber-{person.id}" if several else "")
        stopped = []
        for column, channel in CHANNEL_OF.items():
            of_channel = owned.get(channel)
            if of_channel:
                row[column], is_stopped = of_channel[n if n < len(of_channel) else 0]
                stopped += [column] if is_stopped else []
        row["stopped"] = " ".join(stopped)
        row["language"], row["audience"], row["source"] = person.language, person.audience, person.source
        row["consent_at"] = person.consent_at.astimezone(UTC).isoformat()
        rows.append([row[column] for column in COLUMNS])
    return rows


def _wheres(places: Sequence[Place], codes: dict[int, str]) -> list[dict[str, str]]:
    """What is followed as columns: regions of equal floor and hazards in one row, each point in its own."""
    together: dict[tuple[str, str], list[str]] = {}
    found: list[dict[str, str]] = []
    for place in places:
        floor, hazards = place.floor.name.casefold(), " ".join(place.hazards or ())
        if place.cell is not None:
            found.append({"lat": repr(place.lat), "lon": repr(place.lon), "floor": floor, "hazards": hazards})
        elif place.region in codes:
            together.setdefault((floor, hazards), []).append(codes[place.region])
    for (floor, hazards), named in together.items():
        found.append({"regions": " ".join(named), "floor": floor, "hazards": hazards})
    return found or [{}]
