from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.subscribing import rotation

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
OLD = ("k1", bytes(range(32)))
NEW = ("k2", bytes(range(1, 33)))
PHONES = [f"+1201555{n:04}" for n in range(100, 150)]


def write(settings: Settings, phones: list[str], *, as_before: bool = False) -> None:
    """Addresses as this release keeps them, or as the first one did."""
    vault = Vault(settings)
    name, key = settings.address_keys[0]
    with transaction() as session:
        for phone in phones:
            mac = vault.mac("sms", phone)
            nonce = mac[:12]
            old = name, nonce + AESGCM(key).encrypt(nonce, phone.encode(), b"sms")
            key_id, cipher = old if as_before else vault.seal("sms", phone)
            session.execute(
                text(
                    "INSERT INTO address (channel, state, cipher, key_id, mac) VALUES ('sms', 'active', :c, :k, :m)"
                ),
                {"c": cipher, "k": key_id, "m": mac},
            )


def opened(settings: Settings) -> list[str]:
    with transaction() as session:
        rows = session.execute(text("SELECT key_id, cipher, mac FROM address ORDER BY id")).all()
    return Vault(settings).open_many("sms", [(r.key_id, r.cipher, r.mac) for r in rows])


def rotate(settings: Settings) -> rotation.Rotated:
    return rotation.rotate(settings, actor="tests", now=NOW, pause=lambda _: None)


def test_after_a_rotation_the_new_key_opens_everything_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "CHUNK", 7)
    old = replace(settings, address_keys=(OLD,))
    write(old, PHONES[:20], as_before=True)
    write(old, PHONES[20:])
    both = replace(settings, address_keys=(NEW, OLD))
    done = rotate(both)
    assert (done.current, done.sealed, done.unopened, done.kept, done.removable) == (
        "k2",
        50,
        (),
        (),
        ("k1",),
    )
    assert opened(replace(settings, address_keys=(NEW,))) == PHONES
    assert rotate(both).sealed == 0
    with transaction() as session:
        details = session.execute(
            text("SELECT detail FROM audit WHERE act = 'addresses.rotated' ORDER BY seq")
        ).scalars()
        assert list(details) == [
            {"key": "k2", "sealed": 50, "unopened": 0},
            {"key": "k2", "sealed": 0, "unopened": 0},
        ]


def test_rows_of_the_first_release_are_bound_to_their_rows_under_the_same_key(settings: Settings) -> None:
    write(settings, PHONES, as_before=True)
    assert rotate(settings).sealed == 50
    with transaction() as session:
        assert session.execute(text("SELECT DISTINCT key_id FROM address")).scalars().all() == ["2:k1"]
    assert opened(settings) == PHONES


def test_a_row_that_no_key_opens_is_named_left_and_keeps_its_key(settings: Settings) -> None:
    write(replace(settings, address_keys=(OLD,)), PHONES[:3])
    write(replace(settings, address_keys=(("lost", b"l" * 32),)), PHONES[3:4])
    with transaction() as session:
        lost = session.execute(text("SELECT max(id) FROM address")).scalar_one()
        session.execute(text("UPDATE address SET cipher = set_byte(cipher, 20, 0) WHERE id = 1"))
    done = rotate(replace(settings, address_keys=(NEW, OLD)))
    assert (done.sealed, done.unopened) == (2, (1, lost))
    assert done.kept == (("k1", 1), ("lost", 1))
    assert done.removable == ()


def test_a_row_that_somebody_holds_is_taken_in_a_later_walk_and_nobody_waits(settings: Settings) -> None:
    write(replace(settings, address_keys=(OLD,)), PHONES)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction() as session:
            session.execute(text("SELECT FROM address WHERE id = 5 FOR UPDATE"))
            held.set()
            free.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)

    def pause(_: float) -> None:
        free.set()
        holder.join(10)

    done = rotation.rotate(replace(settings, address_keys=(NEW, OLD)), actor="tests", now=NOW, pause=pause)
    assert (done.sealed, done.removable) == (50, ("k1",))


def test_an_address_still_reaches_its_owner_in_the_middle_of_a_rotation(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that has both keys sees each row under one of them, before, during and after."""
    monkeypatch.setattr(rotation, "CHUNK", 5)
    write(replace(settings, address_keys=(OLD,)), PHONES)
    both = replace(settings, address_keys=(NEW, OLD))
    seen: list[list[str]] = []
    rotation.rotate(both, actor="tests", now=NOW, progress=lambda _: seen.append(opened(both)))
    assert len(seen) == 10
    assert all(each == PHONES for each in seen)
    assert subscribing.count() == {}
