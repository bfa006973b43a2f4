from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from alerting.config import Settings
from alerting.store import addresses
from alerting.store.addresses import AddressError, UnknownKey, Vault, masked, normalise
from alerting.store.engine import transaction
from alerting.store.states import AddressState

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PHONE = "+12015550123"
MAILBOX = "Ada.L@example.org"


@pytest.fixture
def keys() -> Settings:
    return Settings("", "", "", (("k2", b"2" * 32), ("k1", b"1" * 32)), b"m" * 32)


# ---- as it is written


@pytest.mark.parametrize(
    "written",
    [
        "+1 201 555 0123",
        "(201) 555-0123",
        "201.555.0123",
        "+1-201-555-0123",
        "\uff0b\uff11 201\u2010555\u20100123",
    ],
)
def test_a_number_has_one_spelling_however_it_is_written(written: str):
    assert normalise("sms", written, "US") == PHONE


def test_a_number_without_country_code_is_read_in_the_default_country():
    assert normalise("sms", "138 0013 8000", "CN") == "+8613800138000"
    assert normalise("sms", "06 12 34 56 78", "FR") == "+33612345678"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "empty"),
        ("0123", "too few"),
        ("+1 201 555 0123 4567 89", "many|not a telephone"),
        ("+999 123 456 789", "country code"),
        ("1-800-FLOWERS", "no telephone number has"),
        ("+12015550123;ext=4", "no telephone number has"),
        ("+49 30 1234567", "too few"),
        ("---", "not a telephone"),
    ],
)
def test_what_cannot_be_a_mobile_telephone_is_refused_with_the_reason(written: str, problem: str):
    with pytest.raises(AddressError, match=problem) as caught:
        normalise("sms", written, "US")
    assert caught.value.mend


def test_the_domain_of_a_mailbox_is_folded_and_its_name_kept():
    assert normalise("email", " Ada.L@EXAMPLE.Org ", "US") == "Ada.L@example.org"
    assert normalise("email", "用户@例子.中国", "US") == "用户@例子.中国"


@pytest.mark.parametrize(
    "written", ["a", "a@b", "a b@example.org", "a@b@c.org", "a@[127.0.0.1]", "a@example.test"]
)
def test_what_is_no_mailbox_is_refused(written: str):
    with pytest.raises(AddressError):
        normalise("email", written, "US")


def test_a_channel_without_addresses_is_refused():
    with pytest.raises(AddressError, match="no addresses"):
        normalise("rss", "x", "US")


@given(
    st.sampled_from(["sms", "email"]),
    st.text(max_size=40) | st.from_regex(r"\+?[0-9 ()-]{1,30}|\S+@\S+", fullmatch=True),
)
def test_nothing_that_is_written_crashes_or_is_repeated_in_the_error(channel: str, written: str):
    error: AddressError | None = None
    try:
        once = normalise(channel, written, "US")
    except AddressError as caught:
        error = caught
    if error is None:
        assert normalise(channel, once, "US") == once
    else:
        digits = "".join(c for c in written if c.isdigit())
        assert len(digits) < 5 or digits not in str(error)
        assert len(written) < 5 or written not in str(error)
        assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+8613812345612", "+86138******12"),
        ("+14155551234", "+141******34"),
        ("+4712345678", "+47******78"),
        ("ada@example.org", "a***@example.org"),
        ("a@example.org", "a***@example.org"),
    ],
)
def test_a_masked_address_is_recognised_but_cannot_be_used(address: str, shown: str):
    assert masked(address) == shown


# ---- as it is kept


def sealed(vault: Vault, channel: str, plain: str) -> tuple[str, bytes, bytes]:
    """A row as it is stored: key id, cipher, mac."""
    return *vault.seal(channel, plain), vault.mac(channel, plain)


def as_before(settings: Settings, channel: str, plain: str) -> tuple[str, bytes, bytes]:
    """A row of the first release: the named key itself, bound to the channel alone."""
    name, key = settings.address_keys[0]
    cipher = b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, plain.encode(), channel.encode())
    return name, cipher, Vault(settings).mac(channel, plain)


def test_what_is_sealed_opens_again_and_never_looks_the_same_twice(keys: Settings):
    vault = Vault(keys)
    first, second = sealed(vault, "sms", PHONE), sealed(vault, "sms", PHONE)
    assert first != second
    assert PHONE.encode() not in first[1]
    assert vault.open("sms", *first) == vault.open("sms", *second) == PHONE


def test_rows_of_the_first_release_open_among_those_of_today(keys: Settings):
    vault = Vault(keys)
    rows = [as_before(keys, "email", MAILBOX), sealed(vault, "email", "b@example.org")]
    assert vault.open_many("email", rows) == [MAILBOX, "b@example.org"]


def test_the_first_key_seals_and_all_open(keys: Settings):
    old = Vault(replace(keys, address_keys=keys.address_keys[1:]))
    assert Vault(keys).seal("email", MAILBOX)[0] == Vault(keys).current == "2:k2"
    assert Vault(keys).open("email", *sealed(old, "email", MAILBOX)) == MAILBOX


def test_a_key_that_was_taken_away_is_named(keys: Settings):
    old = Vault(replace(keys, address_keys=keys.address_keys[1:]))
    with pytest.raises(UnknownKey, match="'k2'"):
        old.open("sms", *sealed(Vault(keys), "sms", PHONE))


@pytest.mark.parametrize(
    "seal", [lambda keys: sealed(Vault(keys), "sms", PHONE), lambda keys: as_before(keys, "sms", PHONE)]
)
def test_a_cipher_opens_for_its_own_channel_only(
    keys: Settings, seal: Callable[[Settings], tuple[str, bytes, bytes]]
):
    with pytest.raises(UnknownKey):
        Vault(keys).open("email", *seal(keys))


def test_a_cipher_that_was_moved_to_another_row_does_not_open(keys: Settings):
    vault = Vault(keys)
    key_id, cipher, _ = sealed(vault, "sms", PHONE)
    with pytest.raises(UnknownKey):
        vault.open("sms", key_id, cipher, vault.mac("sms", "+12015550124"))


def test_a_bound_cipher_is_not_read_as_one_of_the_first_release(keys: Settings):
    key_id, cipher, mac = sealed(Vault(keys), "sms", PHONE)
    with pytest.raises(UnknownKey):
        Vault(keys).open("sms", key_id.removeprefix("2:"), cipher, mac)


def test_a_cipher_that_was_changed_does_not_open(keys: Settings):
    vault = Vault(keys)
    key_id, cipher, mac = sealed(vault, "sms", PHONE)
    with pytest.raises(UnknownKey):
        vault.open("sms", key_id, cipher[:-1] + bytes([cipher[-1] ^ 1]), mac)


def test_the_mac_tells_addresses_and_channels_apart_and_ignores_the_case_of_mailboxes(keys: Settings):
    vault = Vault(keys)
    assert vault.mac("email", "Ada@example.org") == vault.mac("email", "ada@example.org")
    assert vault.mac("sms", PHONE) != vault.mac("sms", "+12015550124")
    assert vault.mac("sms", PHONE) != vault.mac("email", PHONE)
    assert vault.mac("sms", PHONE) != Vault(replace(keys, address_mac_key=b"n" * 32)).mac("sms", PHONE)


def test_neither_repr_nor_settings_show_a_key(keys: Settings):
    for secret in (b"1" * 32, b"m" * 32):
        for shown in (repr(Vault(keys)), repr(keys)):
            assert secret.decode() not in shown
            assert base64.b64encode(secret).decode() not in shown


# ---- its rows


def _state(address_id: int) -> tuple[str, datetime | None]:
    with transaction() as session:
        row = session.execute(
            text("SELECT state, stopped_at FROM address WHERE id = :id"), {"id": address_id}
        ).one()
    return row.state, row.stopped_at


def test_an_address_is_kept_once_and_in_the_state_in_which_it_was_first_met(settings: Settings):
    vault = Vault(settings)
    with transaction() as session:
        first = addresses.keep(session, vault, "sms", PHONE, AddressState.PENDING)
    with transaction() as session:
        assert addresses.keep(session, vault, "sms", PHONE, AddressState.ACTIVE) == first
    assert first.subscriber is None
    assert first.state is AddressState.PENDING


def test_a_second_stop_keeps_the_time_of_the_first_and_only_the_person_wakes_the_address(settings: Settings):
    with transaction() as session:
        held = addresses.keep(session, Vault(settings), "sms", PHONE, AddressState.ACTIVE)
        addresses.stop(session, held.id, now=NOW)
        addresses.stop(session, held.id, now=NOW + timedelta(hours=1))
    assert _state(held.id) == ("stopped", NOW)
    with transaction() as session:
        addresses.activate(session, held.id)
    assert _state(held.id) == ("active", None)


def test_the_database_holds_no_address_in_the_clear(settings: Settings):
    with transaction() as session:
        addresses.keep(session, Vault(settings), "sms", PHONE, AddressState.ACTIVE)
    with transaction() as session:
        row = str(session.execute(text("SELECT address::text FROM address")).scalar_one())
    assert PHONE not in row
    assert PHONE.encode().hex() not in row
