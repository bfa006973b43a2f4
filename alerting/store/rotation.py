"""The keys of addresses, changed while the service runs: rows are sealed anew under the current key, chunk by chunk.

Owns the cipher and the key id of address beside `addresses`, which writes new rows. A drain that reads at the same time
sees a row before or after, and both open. Functions take a session and never commit. Invariant: a row that does not open is
left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.store.addresses import UnknownKey, Vault


@dataclass(frozen=True, slots=True)
class Chunk:
    """A step of a rotation: the last id looked at (None: the walk is over), how many rows were sealed anew, which not."""

    upto: int | None
    sealed: int
    unopened: tuple[int, ...]


def rotate(session: Session, vault: Vault, after: int, limit: int) -> Chunk:
    """Seal anew the rows beyond id `after`, at most `limit` looked at, that are not under the current key.

    Rows that somebody else holds at this moment are left out, so that this never waits, and never in a circle: walk
    again until `by_key` shows no old key. A row that does not open is left as it is.
    """
    upto: int | None = session.execute(
        text("SELECT max(id) FROM (SELECT id FROM address WHERE id > :after ORDER BY id LIMIT :limit) AS x"),
        {"after": after, "limit": limit},
    ).scalar_one()
    if upto is None:
        return Chunk(None, 0, ())
    rows = session.execute(
        text("""
            SELECT id, channel, key_id, cipher, mac FROM address
            WHERE id > :after AND id <= :upto AND key_id <> :current ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        """),
        {"after": after, "upto": upto, "current": vault.current},
    ).all()
    fresh: list[tuple[int, bytes]] = []
    unopened: list[int] = []
    for row in rows:
        try:
            plain = vault.open(row.channel, row.key_id, row.cipher, row.mac)
        except UnknownKey:
            unopened.append(row.id)
        else:
            fresh.append((row.id, vault.seal(row.channel, plain, row.mac)[1]))
    if fresh:
        session.execute(
            text("""
                UPDATE address SET key_id = :current, cipher = x.cipher
                FROM unnest(CAST(:ids AS bigint[]), CAST(:ciphers AS bytea[])) AS x(id, cipher)
                WHERE address.id = x.id AND address.id BETWEEN :low AND :high
            """),
            {
                "current": vault.current,
                "ids": [i for i, _ in fresh],
                "ciphers": [cipher for _, cipher in fresh],
                "low": fresh[0][0],
                "high": fresh[-1][0],
            },
        )
    return Chunk(upto, len(fresh), tuple(unopened))


def by_key(session: Session) -> dict[str, int]:
    """How many rows each key id has: one pass over the table."""
    rows = session.execute(text("SELECT key_id, count(*) FROM address GROUP BY key_id ORDER BY key_id"))
    return {str(key_id): int(n) for key_id, n in rows}


def try_keys(session: Session, vault: Vault, most: int) -> tuple[int, int]:
    """(how many of the newest rows were tried, how many do not open or are not recognised by their mac)."""
    rows = session.execute(
        text("SELECT channel, key_id, cipher, mac FROM address ORDER BY id DESC LIMIT :most"), {"most": most}
    ).all()
    strange = 0
    for row in rows:
        try:
            plain = vault.open(row.channel, row.key_id, row.cipher, row.mac)
        except UnknownKey:
            strange += 1
        else:
            strange += vault.mac(row.channel, plain) != row.mac
    return len(rows), strange
