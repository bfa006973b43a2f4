"""Every address under the newest key, while the service runs: what has to happen before an old key may be removed.

Owns these transactions, one for each 2 000 ids, so that a rotation that broke off is simply repeated. Must not import the web
side. Invariant: a key is called removable only after a count of the whole table has found no row under it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alerting.config import Settings
from alerting.store import audit, rotation
from alerting.store.addresses import BOUND, Vault
from alerting.store.engine import transaction

#: Ids looked at in one transaction.
CHUNK = 2_000

#: Walks over the table: rows that somebody held during one are taken in the next.
WALKS = 10


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation has done. `unopened` are ids of rows that no key opens; `kept` is (old key, rows) still under it.

    `removable` are the keys of ADDRESS_KEYS under which nothing is sealed any more.
    """

    current: str
    sealed: int
    unopened: tuple[int, ...]
    kept: tuple[tuple[str, int], ...]
    removable: tuple[str, ...]


def rotate(
    settings: Settings,
    *,
    actor: str,
    now: datetime,
    progress: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Rotated:
    """Seal every address anew that is not under the first key of ADDRESS_KEYS; what is left under the others.

    `progress` is told the rows sealed so far. Every part of the service must know the new key before: one that does not
    cannot send to what is under it. Repeating it seals nothing anew.
    """
    vault = Vault(settings)
    sealed, unopened, counts = 0, set[int](), dict[str, int]()
    for walk in range(WALKS):
        done, unopened = _walk(vault, sealed, progress)
        sealed += done
        with transaction() as session:
            counts = rotation.by_key(session)
        if sum(n for key_id, n in counts.items() if key_id != vault.current) <= len(unopened):
            break
        pause(0.1 * (walk + 1))
    under: dict[str, int] = {}
    for key_id, n in counts.items():
        if key_id != vault.current:
            name = key_id.removeprefix(BOUND)
            under[name] = under.get(name, 0) + n
    first, *others = (name for name, _ in settings.address_keys)
    with transaction() as session:
        detail: dict[str, object] = {"key": first, "sealed": sealed, "unopened": len(unopened)}
        audit.append(
            session, actor=actor, act="addresses.rotated", subject="addresses", detail=detail, now=now
        )
    return Rotated(
        current=first,
        sealed=sealed,
        unopened=tuple(sorted(unopened)),
        kept=tuple(sorted(under.items())),
        removable=tuple(name for name in others if name not in under),
    )


def _walk(vault: Vault, before: int, progress: Callable[[int], None] | None) -> tuple[int, set[int]]:
    """(rows sealed anew, ids that no key opens) of one walk over the table."""
    after, sealed, unopened = 0, 0, set[int]()
    while True:
        with transaction() as session:
            chunk = rotation.rotate(session, vault, after, CHUNK)
        if chunk.upto is None:
            return sealed, unopened
        after = chunk.upto
        sealed += chunk.sealed
        unopened.update(chunk.unopened)
        if progress is not None and chunk.sealed:
            progress(before + sealed)
