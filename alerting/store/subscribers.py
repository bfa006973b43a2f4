"""Subscribers and what they follow: read and written in bulk, a few statements for any number of people.

Owns the rows of subscriber and follow, and gives addresses their owner. Who is whom is decided in `alerting.subscribing`;
here it is only looked up and written. Must not import a use case. Functions take a session and never commit.
Invariant: no statement updates an address to active that was stopped or dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from alerting.cap.model import Category
from alerting.store.states import AddressState, Floor

#: What may stand in follow.hazards: the categories of CAP 1.2 section 3.2.2.
HAZARDS: tuple[str, ...] = tuple(category.value for category in Category)


@dataclass(frozen=True, slots=True)
class Place:
    """One follow: a region by id, or a point (degrees WGS 84, its cell, and its smallest region if there is one).

    `hazards` are CAP categories in alphabetical order, None for all of them.
    """

    region: int | None
    lat: float | None = None
    lon: float | None = None
    cell: int | None = None
    floor: Floor = Floor.ANY
    hazards: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One row of subscriber; `consent_at` is aware UTC."""

    id: int
    audience: str
    language: str
    token: str
    source: str
    external_id: str | None
    consent_at: datetime


@dataclass(frozen=True, slots=True)
class AddressRow:
    """One row of address as it is written or was found; `cipher` is empty where it was not asked for."""

    id: int | None
    channel: str
    subscriber: int | None
    state: AddressState
    mac: bytes
    key_id: str = ""
    cipher: bytes = b""


def _nested(hazards: Sequence[str] | None) -> str | None:
    # An array of arrays of different lengths cannot be sent: each goes as one text and is cut in the server.
    return None if hazards is None else ",".join(hazards)


def _run(
    session: Session, statement: TextClause, rows: Iterable[tuple[object, ...]], names: str, **more: object
) -> None:
    """Execute a statement over columns: `names` are its array parameters, one for each value of a row."""
    columns = list(zip(*rows, strict=True))
    if columns:
        session.execute(
            statement,
            {name: list(column) for name, column in zip(names.split(), columns, strict=True)} | more,
        )


# ------------------------------------------------------------------------------------------------------- look up

_COLUMNS = "id, audience, language, token, source, external_id, consent_at"


def _subscribers(session: Session, where: str, parameters: Mapping[str, object]) -> list[Subscriber]:
    query = text(f"SELECT {_COLUMNS} FROM subscriber WHERE {where}")  # noqa: S608  # constants of this module
    return [Subscriber(*row) for row in session.execute(query, parameters)]


def by_ids(session: Session, ids: Sequence[int]) -> list[Subscriber]:
    """The subscribers of these ids, by id; unknown ids are left out."""
    return _subscribers(session, "id = ANY(:ids) ORDER BY id", {"ids": list(ids)}) if ids else []


def by_external_ids(session: Session, external_ids: Sequence[str]) -> list[Subscriber]:
    """The subscribers that imports know by these ids."""
    return (
        _subscribers(session, "external_id = ANY(:ids)", {"ids": list(external_ids)}) if external_ids else []
    )


def page(session: Session, after: int, limit: int) -> list[Subscriber]:
    """At most `limit` subscribers with an id above `after`, by id."""
    return _subscribers(session, "id > :after ORDER BY id LIMIT :limit", {"after": after, "limit": limit})


def in_one_snapshot(session: Session) -> None:
    """Make this transaction see one moment throughout: call it first."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def stream(session: Session, size: int) -> Iterator[list[Subscriber]]:
    """Everybody by id, `size` at a time, through a cursor of the server: memory does not grow with the list."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101  # the only dialect there is
    # The driver's own: with SQLAlchemy's option for it the whole answer was read first (measured: 160 MB for 100 000).
    with connection.cursor(name="everybody") as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM subscriber ORDER BY id")  # noqa: S608  # a constant of this module
        while rows := cursor.fetchmany(size):
            yield [Subscriber(*row) for row in rows]


def count(session: Session) -> dict[tuple[str, AddressState], int]:
    """How many addresses of subscribers there are, by channel and state."""
    rows = session.execute(
        text(
            "SELECT channel, state, count(*) FROM address WHERE subscriber IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
    )
    return {(channel, AddressState(state)): n for channel, state, n in rows}


def _address_rows(rows: Iterable[Any]) -> list[AddressRow]:
    return [
        AddressRow(r.id, r.channel, r.subscriber, AddressState(r.state), r.mac, r.key_id, r.cipher)
        for r in rows
    ]


def addresses_by_mac(session: Session, keys: Sequence[tuple[str, bytes]]) -> list[AddressRow]:
    """The rows of the addresses with these (channel, mac); unknown ones are left out. `cipher` is not read."""
    if not keys:
        return []
    channels, macs = zip(*keys, strict=True)
    rows = session.execute(
        text("""
            SELECT a.id, a.channel, a.subscriber, a.state, a.mac, a.key_id, CAST('' AS bytea) AS cipher
            FROM unnest(CAST(:channels AS text[]), CAST(:macs AS bytea[])) AS k(channel, mac)
            JOIN address a ON a.channel = k.channel AND a.mac = k.mac
        """),
        {"channels": list(channels), "macs": list(macs)},
    )
    return _address_rows(rows)


def addresses_of(session: Session, subscribers: Sequence[int]) -> list[AddressRow]:
    """Every address of these subscribers with its cipher, by id."""
    if not subscribers:
        return []
    rows = session.execute(
        text("""
            SELECT id, channel, subscriber, state, mac, key_id, cipher FROM address
            WHERE subscriber = ANY(:ids) ORDER BY id
        """),
        {"ids": list(subscribers)},
    )
    return _address_rows(rows)


def addresses_with_ciphers(session: Session, ids: Sequence[int]) -> list[AddressRow]:
    """The addresses of these ids with their ciphers, by id."""
    query = text("""
        SELECT id, channel, subscriber, state, mac, key_id, cipher FROM address WHERE id = ANY(:ids) ORDER BY id
    """)
    return _address_rows(session.execute(query, {"ids": list(ids)})) if ids else []


def places_of(session: Session, subscribers: Sequence[int]) -> dict[int, dict[Place, int]]:
    """What each of these subscribers follows: subscriber -> place -> id of the follow, by id."""
    found: dict[int, dict[Place, int]] = {}
    if not subscribers:
        return found
    rows = session.execute(
        text("""
            SELECT id, subscriber, region, lat, lon, cell, floor, hazards FROM follow
            WHERE subscriber = ANY(:ids) ORDER BY id
        """),
        {"ids": list(subscribers)},
    )
    for r in rows:
        hazards = None if r.hazards is None else tuple(r.hazards)
        place = Place(r.region, r.lat, r.lon, r.cell, Floor(r.floor), hazards)
        found.setdefault(r.subscriber, {})[place] = r.id
    return found


# --------------------------------------------------------------------------------------------------------- write


def lock_enrolment(session: Session) -> None:
    """Let one import or subscription write at a time, until the transaction ends.

    Two imports that met the same people in another order would wait for each other for ever.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('alerting.enrolment'))"))


def reserve(session: Session, n: int) -> list[int]:
    """`n` ids for subscribers to be inserted: ids are known before the rows, so that all rows go in at once."""
    query = text("SELECT nextval(pg_get_serial_sequence('subscriber', 'id')) FROM generate_series(1, :n)")
    return [int(value) for value in session.execute(query, {"n": n}).scalars()]


def insert(session: Session, people: Sequence[Subscriber]) -> None:
    """Write new subscribers under reserved ids."""
    statement = text("""
        INSERT INTO subscriber (id, audience, language, token, source, external_id, consent_at)
        SELECT * FROM unnest(CAST(:id AS bigint[]), CAST(:audience AS text[]), CAST(:language AS text[]),
            CAST(:token AS text[]), CAST(:source AS text[]), CAST(:external AS text[]), CAST(:consent AS timestamptz[]))
    """)
    rows = ((p.id, p.audience, p.language, p.token, p.source, p.external_id, p.consent_at) for p in people)
    _run(session, statement, rows, "id audience language token source external consent")


def update(session: Session, people: Sequence[Subscriber]) -> None:
    """Write the language and external id of known subscribers."""
    statement = text("""
        UPDATE subscriber SET language = new.language, external_id = new.external
        FROM unnest(CAST(:id AS bigint[]), CAST(:language AS text[]), CAST(:external AS text[]))
             AS new(id, language, external)
        WHERE subscriber.id = new.id
    """)
    _run(session, statement, ((p.id, p.language, p.external_id) for p in people), "id language external")


def insert_addresses(session: Session, rows: Sequence[AddressRow], *, now: datetime) -> None:
    """Write addresses that were not known when they were looked up.

    One that a citizen's message has brought since then has no subscriber yet: it is given the one of the row.
    """
    statement = text("""
        INSERT INTO address (channel, subscriber, state, cipher, key_id, mac, stopped_at)
        SELECT new.*, CASE WHEN new.state = 'stopped' THEN CAST(:now AS timestamptz) END
        FROM unnest(CAST(:channel AS text[]), CAST(:subscriber AS bigint[]), CAST(:state AS text[]),
            CAST(:cipher AS bytea[]), CAST(:key AS text[]), CAST(:mac AS bytea[]))
            AS new(channel, subscriber, state, cipher, key, mac)
        ON CONFLICT (channel, mac) DO UPDATE SET subscriber = excluded.subscriber,
            state = CASE address.state WHEN 'pending' THEN 'active' ELSE address.state END,
            stopped_at = CASE address.state WHEN 'pending' THEN NULL ELSE address.stopped_at END
        WHERE address.subscriber IS NULL
    """)
    values = ((r.channel, r.subscriber, r.state.value, r.cipher, r.key_id, r.mac) for r in rows)
    _run(session, statement, values, "channel subscriber state cipher key mac", now=now)


def give_addresses(session: Session, owners: Sequence[tuple[int, int]]) -> None:
    """(address id, subscriber id): whose an address is now. A pending one becomes active; a STOP stays with it."""
    statement = text("""
        UPDATE address SET subscriber = new.subscriber, state = CASE state WHEN 'pending' THEN 'active' ELSE state END,
            stopped_at = CASE state WHEN 'pending' THEN NULL ELSE stopped_at END
        FROM unnest(CAST(:id AS bigint[]), CAST(:subscriber AS bigint[])) AS new(id, subscriber)
        WHERE address.id = new.id
    """)
    _run(session, statement, owners, "id subscriber")


def release_addresses(session: Session, ids: Sequence[int]) -> None:
    """Addresses that nobody has any more: forgotten, but for those that said STOP, whose word outlives the owner."""
    if ids:
        session.execute(
            text("UPDATE address SET subscriber = NULL WHERE id = ANY(:ids) AND state = 'stopped'"),
            {"ids": list(ids)},
        )
        session.execute(
            text("DELETE FROM address WHERE id = ANY(:ids) AND state <> 'stopped'"), {"ids": list(ids)}
        )


def stop_addresses(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """Stop addresses of which a list says that they were stopped elsewhere."""
    if ids:
        session.execute(
            text(
                "UPDATE address SET state = 'stopped', stopped_at = :now WHERE id = ANY(:ids) AND state <> 'stopped'"
            ),
            {"ids": list(ids), "now": now},
        )


def insert_places(session: Session, places: Sequence[tuple[int, Place]]) -> None:
    """(subscriber id, place): what people follow from now on."""
    statement = text("""
        INSERT INTO follow (subscriber, region, lat, lon, cell, floor, hazards)
        SELECT new.subscriber, new.region, new.lat, new.lon, new.cell, new.floor, string_to_array(new.hazards, ',')
        FROM unnest(CAST(:subscriber AS bigint[]), CAST(:region AS int[]), CAST(:lat AS float8[]),
            CAST(:lon AS float8[]), CAST(:cell AS int[]), CAST(:floor AS smallint[]), CAST(:hazards AS text[]))
            AS new(subscriber, region, lat, lon, cell, floor, hazards)
    """)
    rows = ((s, p.region, p.lat, p.lon, p.cell, int(p.floor), _nested(p.hazards)) for s, p in places)
    _run(session, statement, rows, "subscriber region lat lon cell floor hazards")


def delete_places(session: Session, follows: Sequence[int]) -> None:
    """Remove follows by id."""
    if follows:
        session.execute(text("DELETE FROM follow WHERE id = ANY(:ids)"), {"ids": list(follows)})


def delete(session: Session, subscriber: int) -> bool:
    """Erase a subscriber with addresses and follows (ON DELETE CASCADE); False when there is none.

    Deliveries keep the number of an address that no longer exists: they count, and lead to nobody.
    """
    query = text("DELETE FROM subscriber WHERE id = :id RETURNING id")
    return session.execute(query, {"id": subscriber}).first() is not None
