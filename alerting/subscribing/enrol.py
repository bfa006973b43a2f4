"""Who is whom: merges what was asked for with who is known, for one subscription or for 5 000 rows of an import.

A person is known by external id, else by any address; an address belongs to one person. `enrol` looks everybody up at once,
decides in memory and writes in a few statements. Takes a session and never commits. Must not read CSV or messages.
Invariant: an address that said STOP stays stopped, whoever enrols it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from alerting.store import subscribers, suppression
from alerting.store.addresses import Vault
from alerting.store.states import AddressState
from alerting.store.subscribers import AddressRow, Place, Subscriber


def new_token() -> str:
    """128 random bits for the unsubscribe link: nobody can stop somebody else by guessing."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is asked for, checked and resolved: addresses are (channel, normalised).

    With `replaces` the places and the addresses of the channels given take the place of those known, else they are
    added. `language` None leaves the known one, a new person gets the default. `stopped` are channels whose addresses are to be stopped, as the list says.
    """

    language: str | None
    addresses: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]
    consent_at: datetime
    source: str
    external_id: str | None = None
    audience: str = "public"
    replaces: bool = False
    stopped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Whom an entry became. `silent`: how many of the entry's addresses are not sent to, because of STOP."""

    subscriber: int
    token: str
    created: bool
    changed: bool
    silent: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """The entry names two people, or somebody on the other list: nothing was written for it.

    `field` is external_id, audience, or the channel of the address that belongs to somebody else.
    """

    field: str
    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """Every address of the entry was forgotten at its owner's wish: nothing was written. `silent` is how many they are."""

    silent: int


@dataclass(slots=True, eq=False)
class _Person:
    """Somebody while the entries are merged; `row.id` is 0 for a new one until ids are reserved."""

    row: Subscriber
    created: bool = False
    changed: bool = False
    renewed: bool = False  # replaced in this run: later entries of the run add
    known: dict[Place, int] = field(default_factory=dict)
    wanted: dict[Place, None] = field(default_factory=dict)

    def want(self, places: Sequence[Place]) -> None:
        for place in places:
            self.wanted[place] = None


@dataclass(slots=True, eq=False)
class _Slot:
    """One address while the entries are merged; `id` is None for an address that is not known yet."""

    channel: str
    normalised: str  # empty where nothing has to be sealed
    mac: bytes
    id: int | None
    state: AddressState
    before: int | None
    owner: _Person | None
    stop: bool = False


def enrol(
    session: Session,
    entries: Sequence[Entry],
    *,
    vault: Vault,
    default_language: str,
    now: datetime,
    renewed: set[int] | None = None,
    token: Callable[[], str] = new_token,
) -> list[Enrolled | Conflict | Silenced]:
    """Write the entries; one outcome for each, in order. The entries of one person are merged.

    `renewed` carries, from call to call of one import, who was replaced already, so that a second row of a person adds.
    """
    subscribers.lock_enrolment(session)
    merge = _Merge(session, entries, vault, set() if renewed is None else renewed)
    found = [merge.add(entry, default_language, token) for entry in entries]
    merge.write(now)
    return [
        outcome
        if isinstance(outcome, Conflict | Silenced)
        else Enrolled(outcome[0].row.id, outcome[0].row.token, outcome[1], outcome[0].changed, outcome[2])
        for outcome in found
    ]


class _Merge:
    """The people and addresses that a number of entries may concern, and what is to become of them."""

    def __init__(self, session: Session, entries: Sequence[Entry], vault: Vault, renewed: set[int]) -> None:
        self.session, self.vault, self.renewed = session, vault, renewed
        keys = {
            (channel, vault.mac(channel, address))
            for entry in entries
            for channel, address in entry.addresses
        }
        self.silent = suppression.among(session, keys)
        known = subscribers.addresses_by_mac(session, list(keys - self.silent))
        named = [entry.external_id for entry in entries if entry.external_id is not None]
        rows = subscribers.by_external_ids(session, named)
        ids = {row.id for row in rows} | {row.subscriber for row in known if row.subscriber is not None}
        places = subscribers.places_of(session, list(ids))
        self.people = {
            row.id: _Person(row, known=places.get(row.id, {}), wanted=dict.fromkeys(places.get(row.id, {})))
            for row in subscribers.by_ids(session, list(ids))
        }
        self.by_external = {
            p.row.external_id: p for p in self.people.values() if p.row.external_id is not None
        }
        self.slots: dict[tuple[str, bytes], _Slot] = {}
        replaced = [row.id for row in rows] if any(entry.replaces for entry in entries) else []
        for row in [*known, *subscribers.addresses_of(session, replaced)]:
            owner = None if row.subscriber is None else self.people[row.subscriber]
            self.slots[row.channel, row.mac] = _Slot(
                row.channel, "", row.mac, row.id, row.state, row.subscriber, owner
            )
        self.of_person: dict[int, list[_Slot]] = {}
        for slot in self.slots.values():
            if slot.owner is not None:
                self.of_person.setdefault(id(slot.owner), []).append(slot)
        self.added: list[_Person] = []

    def add(
        self, entry: Entry, default_language: str, token: Callable[[], str]
    ) -> tuple[_Person, bool, int] | Conflict | Silenced:
        """(person, whether the entry made them, addresses of the entry that stay silent), or why it cannot be."""
        given = [self._slot(channel, address) for channel, address in entry.addresses]
        slots = [slot for slot in given if slot is not None]
        person = self._who(entry, slots)
        if person is None and not slots:
            return Silenced(len(given))
        if isinstance(person, Conflict):
            return person
        created = person is None
        if person is None:
            row = Subscriber(
                id=0,
                audience=entry.audience,
                language=entry.language or default_language,
                token=token(),
                source=entry.source,
                external_id=None,
                consent_at=entry.consent_at,
            )
            person = _Person(row, created=True, changed=True)
            self.added.append(person)
        self._rename(person, entry)
        if entry.replaces and not created and not person.renewed and person.row.id not in self.renewed:
            person.wanted.clear()
            self._release(person, slots)
        person.renewed = True
        person.want(entry.places)
        for slot in slots:
            if slot.owner is not person:
                slot.owner = person
                self.of_person.setdefault(id(person), []).append(slot)
            slot.stop = slot.stop or slot.channel in entry.stopped
        stopped = sum(slot.stop or slot.state == AddressState.STOPPED for slot in slots)
        return person, created, stopped + len(given) - len(slots)

    def _slot(self, channel: str, address: str) -> _Slot | None:
        """The address while the entries are merged; None for one whose owner was forgotten."""
        mac = self.vault.mac(channel, address)
        if (channel, mac) in self.silent:
            return None
        slot = self.slots.get((channel, mac))
        if slot is None:
            slot = self.slots[channel, mac] = _Slot(
                channel, address, mac, None, AddressState.ACTIVE, None, None
            )
        return slot

    def _who(self, entry: Entry, slots: Sequence[_Slot]) -> _Person | Conflict | None:
        """The person whom an entry means; None for somebody new."""
        person = None if entry.external_id is None else self.by_external.get(entry.external_id)
        for slot in slots:
            if slot.owner is None or slot.owner is person:
                continue
            if person is not None:
                return Conflict(
                    slot.channel, "the address belongs to another subscriber", "erase that one first"
                )
            if entry.external_id is not None and slot.owner.row.external_id is not None:
                return Conflict(
                    slot.channel,
                    "the address belongs to another external id",
                    "use that one, or erase its subscriber",
                )
            person = slot.owner
        if person is not None and person.row.audience != entry.audience:
            return Conflict(
                "audience",
                f"the subscriber is on the list {person.row.audience!r}",
                "one person is on one list: use another address, or erase the subscriber first",
            )
        return person

    def _rename(self, person: _Person, entry: Entry) -> None:
        external_id = entry.external_id or person.row.external_id
        row = replace(person.row, language=entry.language or person.row.language, external_id=external_id)
        if row != person.row:
            person.row, person.changed = row, True
        if external_id is not None:
            self.by_external[external_id] = person

    def _release(self, person: _Person, kept: Sequence[_Slot]) -> None:
        """Let go of the addresses that the entry's addresses of the same channel replace."""
        channels = {slot.channel for slot in kept}
        for slot in self.of_person.get(id(person), []):
            if slot.owner is person and slot.channel in channels and slot not in kept:
                slot.owner = None
                person.changed = True

    def write(self, now: datetime) -> None:
        for person, number in zip(
            self.added, subscribers.reserve(self.session, len(self.added)), strict=True
        ):
            person.row = replace(person.row, id=number)
        everybody = [*self.people.values(), *self.added]
        self.renewed.update(person.row.id for person in everybody if person.renewed)
        self._mark_changes(everybody)
        subscribers.insert(self.session, [person.row for person in self.added])
        subscribers.update(self.session, [p.row for p in self.people.values() if p.changed])
        self._write_addresses(now)
        subscribers.delete_places(
            self.session, [n for p in everybody for place, n in p.known.items() if place not in p.wanted]
        )
        subscribers.insert_places(
            self.session, [(p.row.id, place) for p in everybody for place in p.wanted if place not in p.known]
        )

    def _mark_changes(self, everybody: Sequence[_Person]) -> None:
        for person in everybody:
            person.changed = person.changed or person.known.keys() != person.wanted.keys()
        for slot in self.slots.values():
            if slot.owner is not None and (
                slot.owner.row.id != slot.before or (slot.stop and slot.state != AddressState.STOPPED)
            ):
                slot.owner.changed = True

    def _write_addresses(self, now: datetime) -> None:
        fresh: list[AddressRow] = []
        given: list[tuple[int, int]] = []
        left: list[int] = []
        for slot in self.slots.values():
            owner = None if slot.owner is None else slot.owner.row.id
            if slot.id is None:
                if owner is not None:  # an entry in conflict leaves its unknown addresses without an owner
                    key_id, cipher = self.vault.seal(slot.channel, slot.normalised, slot.mac)
                    state = AddressState.STOPPED if slot.stop else AddressState.ACTIVE
                    fresh.append(AddressRow(None, slot.channel, owner, state, slot.mac, key_id, cipher))
            elif owner is None and slot.before is not None:
                left.append(slot.id)
            elif owner is not None and owner != slot.before:
                given.append((slot.id, owner))
        subscribers.release_addresses(self.session, left)
        subscribers.insert_addresses(self.session, fresh, now=now)
        subscribers.give_addresses(self.session, given)
        stopped = [s.id for s in self.slots.values() if s.stop and s.id is not None]
        subscribers.stop_addresses(self.session, stopped, now=now)
