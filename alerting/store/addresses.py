"""Telephone numbers and mailboxes: the one place where they are written, read, compared and hidden.

Owns the rows of address and the keys that open them. An address is kept as AES-256-GCM under a key of its channel, derived
from a named one, with its HMAC as associated data, and is found by that HMAC; the keys come from Settings. Must not import
a use case. Invariant: no exception, log line or repr made here holds an address.

    AddressError    what was written is not an address of that channel; the text says why and how to mend it
    UnknownKey      a row was sealed under a key that ADDRESS_KEYS no longer holds
"""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult
from sqlalchemy import text
from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.store import suppression
from alerting.store.states import AddressState

#: The channels whose recipients have addresses.
ADDRESSED = ("sms", "email")

#: What the key id of a row begins with since a cipher is bound to its row; a name in ADDRESS_KEYS holds no colon.
BOUND = "2:"

_NONCE = 12  # bytes, NIST SP 800-38D section 8.2: 96 random bits, for at most 2**32 addresses under one key


class AddressError(ValueError):
    """Not an address of its channel. `mend` says what to write instead; neither text holds what was written."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}: {mend}")
        self.problem = problem
        self.mend = mend


class UnknownKey(Exception):
    """An address was sealed under a key that is not among ADDRESS_KEYS, or its row was tampered with."""


# ------------------------------------------------------------------------------------------------ as it is written


def normalise(channel: str, written: str, default_country: str) -> str:
    """The one spelling of an address: E.164 for "sms", the domain in lower case for "email"; raises AddressError.

    `default_country` (ISO 3166-1 alpha-2) reads numbers written without +. Nothing is looked up on the network.
    """
    written = unicodedata.normalize("NFKC", written).strip()
    if not written:
        raise AddressError("the address is empty", "write a telephone number or a mailbox")
    if channel == "sms":
        return _telephone(written, default_country)
    if channel == "email":
        return _mailbox(written)
    raise AddressError(f"channel {channel!r} has no addresses", f"use one of {', '.join(ADDRESSED)}")


_NUMBER_PROBLEMS = {
    ValidationResult.TOO_SHORT: "the number has too few digits for a mobile telephone of its country",
    ValidationResult.TOO_LONG: "the number has too many digits for a mobile telephone of its country",
    ValidationResult.INVALID_COUNTRY_CODE: "the number begins with a country code that does not exist",
}
_NUMBER_MEND = "write it with + and country code, digits only"


def _telephone(written: str, default_country: str) -> str:
    # Letters (vanity numbers, extensions) and ; parameters are read by the library, but nobody's handset has them.
    if not re.fullmatch(r"[+\d\s()./\-\u2010-\u2015]+", written):
        raise AddressError("the number holds something that no telephone number has", _NUMBER_MEND)
    try:
        number = phonenumbers.parse(written, default_country)
    except phonenumbers.NumberParseException as error:
        problem = (
            "the country code does not exist" if error.error_type == 0 else "this is not a telephone number"
        )
        # The library's own text may repeat what was written.
        raise AddressError(problem, _NUMBER_MEND) from None
    result = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    if result != ValidationResult.IS_POSSIBLE:
        raise AddressError(
            _NUMBER_PROBLEMS.get(result, "the number cannot be that of a mobile telephone"), _NUMBER_MEND
        )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _mailbox(written: str) -> str:
    try:
        return validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError:
        # The library's own text may repeat parts of what was written.
        raise AddressError(
            "this is not a mailbox that mail can be sent to", "write it as name@domain, one address only"
        ) from None


def masked(address: str) -> str:
    """An address as officers see it: "+86138******12", "a***@example.org". Six digits stay hidden: to recognise, not to use."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    shown = min(max(len(address) - 8, 3), 6)
    return address[:shown] + "*" * max(len(address) - shown - 2, 0) + address[-2:]


# ---------------------------------------------------------------------------------------------------- as it is kept


class Vault:
    """Seals, opens and recognises addresses under the keys of the settings. Safe to share among threads.

    Each channel has its own key, derived from the named one, and a cipher is bound to the mac of its row: a cipher that
    was moved to another row, or to another channel, does not open. Rows from before that are read as they are.
    """

    __slots__ = ("_bound", "_mac_key", "_open", "_seal", "current")

    def __init__(self, settings: Settings) -> None:
        first, _ = settings.address_keys[0]
        self.current = BOUND + first  # the key id of whatever is sealed from now on
        self._bound = frozenset(BOUND + name for name, _ in settings.address_keys)
        self._mac_key = settings.address_mac_key
        old = {name: AESGCM(key).decrypt for name, key in settings.address_keys}
        keys = {
            channel: {BOUND + name: _key_of(key, channel) for name, key in settings.address_keys}
            for channel in ADDRESSED
        }
        self._seal = {channel: of_one[self.current].encrypt for channel, of_one in keys.items()}
        self._open = {
            channel: old | {key_id: key.decrypt for key_id, key in of_one.items()}
            for channel, of_one in keys.items()
        }

    def seal(self, channel: str, plain: str, mac: bytes | None = None) -> tuple[str, bytes]:
        """(key id, nonce and ciphertext) under the first key; `mac` is that of the address, worked out where not given."""
        nonce = os.urandom(_NONCE)
        bound = self.mac(channel, plain) if mac is None else mac
        return self.current, nonce + self._seal[channel](nonce, plain.encode(), bound)

    def open(self, channel: str, key_id: str, cipher: bytes, mac: bytes) -> str:
        """The address of a row; raises UnknownKey when no key opens it."""
        return self.open_many(channel, ((key_id, cipher, mac),))[0]

    def open_many(self, channel: str, sealed: Iterable[tuple[str, bytes, bytes]]) -> list[str]:
        """The addresses of many (key id, cipher, mac) rows of one channel, in order; raises UnknownKey."""
        decrypt, bound, unbound = self._open[channel], self._bound, channel.encode()
        nonce, body = slice(_NONCE), slice(_NONCE, None)  # made once: this is the hottest loop of a drain
        try:
            return [
                decrypt[key_id](cipher[nonce], cipher[body], mac if key_id in bound else unbound).decode()
                for key_id, cipher, mac in sealed
            ]
        except KeyError as error:
            name = str(error.args[0]).removeprefix(BOUND)
            raise UnknownKey(
                f"an address was sealed under key {name!r}: add that key to ADDRESS_KEYS (not as the first)"
            ) from None
        except InvalidTag:
            raise UnknownKey(
                "an address does not open under the key that its row names: is the key the right one?"
            ) from None

    def mac(self, channel: str, normalised: str) -> bytes:
        """What tells an address without showing it: equal for equal addresses of a channel, 32 bytes.

        The case of a mailbox's name is ignored here (not when sending to it): no known provider tells such mailboxes
        apart, and a STOP must hold however the address was typed.
        """
        same = normalised.casefold() if channel == "email" else normalised
        return hmac.digest(self._mac_key, f"{channel}\0{same}".encode(), "sha256")


def _key_of(key: bytes, channel: str) -> AESGCM:
    """The key of one channel: a pseudo-random function of the named key (NIST SP 800-108, one block of HMAC-SHA256)."""
    return AESGCM(hmac.digest(key, f"address\0{channel}".encode(), "sha256"))


# ------------------------------------------------------------------------------------------------------- its rows


@dataclass(frozen=True, slots=True)
class Held:
    """The row of one address; `subscriber` is None for a number that only ever wrote to us."""

    id: int
    subscriber: int | None
    state: AddressState


def lock(session: Session, channel: str, mac: bytes) -> Held | None:
    """The row of an address, locked until the transaction ends; None when it is not known."""
    row = session.execute(
        text("SELECT id, subscriber, state FROM address WHERE channel = :channel AND mac = :mac FOR UPDATE"),
        {"channel": channel, "mac": mac},
    ).first()
    return None if row is None else Held(row.id, row.subscriber, AddressState(row.state))


def keep(session: Session, vault: Vault, channel: str, normalised: str, state: AddressState) -> Held:
    """The row of an address, locked; written in `state` and without a subscriber when it is not known yet.

    One that is to stay silent is written as stopped, whatever `state` says.
    """
    mac = vault.mac(channel, normalised)
    found = lock(session, channel, mac)
    if found is not None:
        return found
    if suppression.among(session, [(channel, mac)]):
        state = AddressState.STOPPED
    key_id, cipher = vault.seal(channel, normalised, mac)
    session.execute(
        text("""
            INSERT INTO address (channel, state, cipher, key_id, mac, stopped_at)
            VALUES (:channel, :state, :cipher, :key_id, :mac, CASE WHEN CAST(:state AS text) <> 'active' THEN now() END)
            ON CONFLICT (channel, mac) DO NOTHING
        """),
        {"channel": channel, "state": state.value, "cipher": cipher, "key_id": key_id, "mac": mac},
    )
    kept = lock(session, channel, mac)
    if kept is None:
        raise RuntimeError("an address vanished while it was written")
    return kept


def remove(session: Session, ids: Sequence[int]) -> None:
    """Delete addresses; what was sent to them keeps a number that leads to nobody."""
    session.execute(text("DELETE FROM address WHERE id = ANY(CAST(:ids AS bigint[]))"), {"ids": list(ids)})


def stop(session: Session, address_id: int, *, now: datetime) -> None:
    """The person has said STOP: nothing but the answer to that is sent any more. Repeating it keeps the first time."""
    session.execute(
        text("""
            UPDATE address SET state = 'stopped', stopped_at = :now WHERE id = :id AND state <> 'stopped'
        """),
        {"id": address_id, "now": now},
    )


def activate(session: Session, address_id: int) -> None:
    """The person has written START or JOIN from this very address: the only way out of stopped and dead."""
    session.execute(
        text("UPDATE address SET state = 'active', stopped_at = NULL WHERE id = :id"),
        {"id": address_id},
    )


def stop_by_token(session: Session, token: str, channel: str, *, now: datetime) -> tuple[int, int] | None:
    """Stop a subscriber's addresses of one channel by the token of the unsubscribe link.

    (subscriber id, how many were stopped just now); None when no subscriber has the token.
    """
    row = session.execute(
        text("""
            WITH who AS (SELECT id FROM subscriber WHERE token = :token),
            stopping AS (
                UPDATE address SET state = 'stopped', stopped_at = :now FROM who
                WHERE address.subscriber = who.id AND channel = :channel AND state <> 'stopped'
                RETURNING address.id
            )
            SELECT who.id, (SELECT count(*) FROM stopping) AS n FROM who
        """),
        {"token": token, "channel": channel, "now": now},
    ).first()
    return None if row is None else (row.id, row.n)


def close(session: Session, ids: Sequence[int], state: AddressState, *, now: datetime) -> None:
    """The provider says that these may not (stopped) or cannot (dead) be reached; only active ones change."""
    session.execute(
        text("""
            UPDATE address SET state = :state, stopped_at = :now
            WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'active'
        """),
        {"ids": list(ids), "state": state.value, "now": now},
    )
