from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.store import notices, subscribers
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.store.states import AddressState, Floor
from alerting.store.subscribers import AddressRow, Place, Subscriber

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def insert_people(session: Session, n: int) -> list[int]:
    ids = subscribers.reserve(session, n)
    people = [Subscriber(i, "public", "en", f"token{i}", "api", None, NOW) for i in ids]
    subscribers.insert(session, people)
    return ids


def row(vault: Vault, phone: str, owner: int | None, state: AddressState = AddressState.ACTIVE) -> AddressRow:
    key_id, cipher = vault.seal("sms", phone)
    return AddressRow(None, "sms", owner, state, vault.mac("sms", phone), key_id, cipher)


def held(session: Session) -> list[tuple[object, ...]]:
    return [tuple(r) for r in session.execute(text("SELECT subscriber, state FROM address ORDER BY id"))]


def test_people_addresses_and_places_come_back_as_they_were_written(settings: Settings):
    vault = Vault(settings)
    point = Place(None, 1.5, -2.25, 13164755, Floor.SEVERE, ("Geo", "Met"))
    with transaction() as session:
        first, second = insert_people(session, 2)
        subscribers.insert_addresses(session, [row(vault, "+12015550101", second)], now=NOW)
        subscribers.insert_places(session, [(second, point)])
    with transaction() as session:
        found = subscribers.by_ids(session, [second, first, 999])
        assert [(p.id, p.token, p.consent_at) for p in found] == [
            (first, f"token{first}", NOW),
            (second, f"token{second}", NOW),
        ]
        assert list(subscribers.places_of(session, [first, second])[second]) == [point]
        (address,) = subscribers.addresses_of(session, [first, second])
        assert vault.open("sms", address.key_id, address.cipher, address.mac) == "+12015550101"
        assert (
            subscribers.addresses_by_mac(session, [("sms", address.mac), ("email", address.mac)])[0].id
            == address.id
        )


def test_nothing_to_do_is_nothing_done(settings: Settings):
    with transaction() as session:
        subscribers.insert(session, [])
        subscribers.insert_places(session, [])
        subscribers.release_addresses(session, [])
        assert subscribers.reserve(session, 0) == []
        assert subscribers.by_ids(session, []) == []
        assert subscribers.addresses_by_mac(session, []) == []


def test_a_given_address_keeps_its_stop_and_a_pending_one_becomes_active(settings: Settings):
    vault = Vault(settings)
    states = (AddressState.STOPPED, AddressState.DEAD, AddressState.PENDING, AddressState.ACTIVE)
    with transaction() as session:
        (owner,) = insert_people(session, 1)
        rows = [row(vault, f"+1201555010{n}", None, state) for n, state in enumerate(states)]
        subscribers.insert_addresses(session, rows, now=NOW)
        ids = session.execute(text("SELECT id FROM address ORDER BY id")).scalars().all()
        subscribers.give_addresses(session, [(n, owner) for n in ids])
        assert held(session) == [(owner, "stopped"), (owner, "dead"), (owner, "active"), (owner, "active")]


def test_an_address_that_a_text_brought_meanwhile_is_given_with_its_stop(settings: Settings):
    vault = Vault(settings)
    with transaction() as session:
        (owner,) = insert_people(session, 1)
        subscribers.insert_addresses(
            session, [row(vault, "+12015550101", None, AddressState.STOPPED)], now=NOW
        )
        subscribers.insert_addresses(session, [row(vault, "+12015550101", owner)], now=NOW)
        assert held(session) == [(owner, "stopped")]


def test_released_addresses_are_forgotten_but_for_their_stop(settings: Settings):
    vault = Vault(settings)
    with transaction() as session:
        (owner,) = insert_people(session, 1)
        rows = [row(vault, "+12015550101", owner, AddressState.STOPPED), row(vault, "+12015550102", owner)]
        subscribers.insert_addresses(session, rows, now=NOW)
        subscribers.release_addresses(
            session, list(session.execute(text("SELECT id FROM address")).scalars())
        )
        assert held(session) == [(None, "stopped")]


def test_a_place_that_is_nowhere_is_refused_by_the_database(settings: Settings):
    with pytest.raises(IntegrityError, match="follow_place_check"), transaction() as session:
        (owner,) = insert_people(session, 1)
        subscribers.insert_places(session, [(owner, Place(None))])


def test_a_message_is_heard_once_and_its_sender_answered_five_times_an_hour(settings: Settings):
    with transaction() as session:
        assert notices.hear(session, "twilio", "SM1", now=NOW)
        assert not notices.hear(session, "twilio", "SM1", now=NOW)
        assert notices.hear(session, "other", "SM1", now=NOW)
        said = [notices.may_answer(session, "twilio", 7, now=NOW) for _ in range(6)]
        assert said == [True] * notices.MOST_ANSWERS + [False]
        assert notices.may_answer(session, "twilio", 8, now=NOW)
