"""Who subscribes: the list, one person, the count.

Owns these transactions. Must not import the web side. Invariant: what is listed shows addresses masked; only `exporting` and
`person` open them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.store import addresses, regions, subscribers
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.store.states import AddressState, Floor
from alerting.store.subscribers import Subscriber

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class ListedAddress:
    """An address as it may be shown; `shown` is masked."""

    channel: str
    shown: str
    state: AddressState


@dataclass(frozen=True, slots=True)
class ListedFollow:
    """A region by code, or a point with the code of its smallest region (None at sea)."""

    region: str | None
    lat: float | None
    lon: float | None
    floor: Floor
    hazards: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One subscriber as officers see them; `consent_at` is aware UTC."""

    id: int
    audience: str
    language: str
    source: str
    external_id: str | None
    consent_at: datetime
    addresses: tuple[ListedAddress, ...]
    follows: tuple[ListedFollow, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Subscribers by id; `next` is the cursor of the following page, None at the end."""

    rows: tuple[Listed, ...]
    next: int | None


def page(*, settings: Settings, after: int = 0, limit: int = 100) -> Page:
    """The subscribers with an id above the cursor `after`, at most `limit` (1..1000)."""
    limit = min(max(limit, 1), MOST_LISTED)
    with transaction() as session:
        found = subscribers.page(session, after, limit + 1)
        rows = _listed(session, found[:limit], Vault(settings))
    return Page(rows, rows[-1].id if len(found) > limit else None)


def get(subscriber: int, *, settings: Settings) -> Listed | None:
    """One subscriber, None when there is none of this id."""
    with transaction() as session:
        return next(iter(_listed(session, subscribers.by_ids(session, [subscriber]), Vault(settings))), None)


def find(channel: str, written: str, *, settings: Settings) -> Listed | None:
    """The subscriber of an address as it is written; None when nobody has it. Raises AddressError."""
    vault = Vault(settings)
    mac = vault.mac(channel, addresses.normalise(channel, written, settings.default_country))
    with transaction() as session:
        owners = [row.subscriber for row in subscribers.addresses_by_mac(session, [(channel, mac)])]
        known = [owner for owner in owners if owner is not None]
        return next(iter(_listed(session, subscribers.by_ids(session, known), vault)), None)


def count() -> dict[tuple[str, AddressState], int]:
    """How many addresses subscribers have, by channel and state."""
    with transaction() as session:
        return subscribers.count(session)


def _listed(session: Session, people: Sequence[Subscriber], vault: Vault) -> tuple[Listed, ...]:
    ids = [person.id for person in people]
    owned: dict[int, list[ListedAddress]] = {}
    for row in subscribers.addresses_of(session, ids):
        shown = addresses.masked(vault.open(row.channel, row.key_id, row.cipher, row.mac))
        owned.setdefault(row.subscriber or 0, []).append(ListedAddress(row.channel, shown, row.state))
    places = subscribers.places_of(session, ids)
    named = {place.region for of_one in places.values() for place in of_one if place.region is not None}
    codes = {key: region.code for key, region in regions.of_ids(session, named).items()} if named else {}
    return tuple(
        Listed(
            id=person.id,
            audience=person.audience,
            language=person.language,
            source=person.source,
            external_id=person.external_id,
            consent_at=person.consent_at,
            addresses=tuple(owned.get(person.id, ())),
            follows=tuple(
                ListedFollow(codes.get(p.region or 0), p.lat, p.lon, p.floor, p.hazards)
                for p in places.get(person.id, ())
            ),
        )
        for person in people
    )
