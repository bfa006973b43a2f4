"""API keys: made, listed and revoked by whoever may, and recognised when they come with a request.

A key is shown once, when it is made; the store has its SHA-256 alone, which needs no salt because a key is 256 random bits.

    KeyRefused
    ├── NotFirst     keys exist: an administrator's key is needed to make another
    ├── NotAllowed   the acting key is no administrator's
    ├── NameTaken    a name is given once, also when its key was revoked
    ├── BadName      not a name
    ├── NoSuchKey    nothing of that name to revoke
    └── LastOne      revoking it would leave nobody who can make keys

Invariant: each change of a key is audited in the transaction that makes it, and an administrator's key remains.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from alerting.store import audit, officers
from alerting.store.engine import transaction
from alerting.store.officers import Key
from alerting.store.states import Role

__all__ = [
    "BadName",
    "Key",
    "KeyRefused",
    "LastOne",
    "NameTaken",
    "NoSuchKey",
    "NotAllowed",
    "NotFirst",
    "Role",
    "create",
    "create_first",
    "listing",
    "new_secret",
    "recognise",
    "revoke",
]

#: Lets secret scanners and people see what a leaked string is.
PREFIX: Final = "wk_"
#: Who makes the first key, when there is no officer yet.
CONSOLE: Final = "console"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


class KeyRefused(Exception):
    """Root of what this module raises; the text says what to do instead."""


class NotFirst(KeyRefused):
    """Keys exist already."""


class NotAllowed(KeyRefused):
    """The acting key may not do this."""


class NameTaken(KeyRefused):
    """The name belongs to a key, perhaps a revoked one."""


class BadName(KeyRefused):
    """The name is empty, too long, or has signs that do not belong into logs and addresses."""


class NoSuchKey(KeyRefused):
    """There is no key of this name that is not revoked."""


class LastOne(KeyRefused):
    """The last administrator's key."""


def new_secret() -> str:
    """A fresh key: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What the store knows of a key."""
    return hashlib.sha256(secret.encode("utf-8")).digest()


def recognise(secret: str) -> Key | None:
    """The key that this secret is, unless it is unknown or revoked."""
    with transaction() as session:
        return officers.by_digest(session, digest(secret))


def create_first(name: str, *, secret: str, now: datetime) -> Key:
    """Make the first key, an administrator's; raises NotFirst, BadName."""
    _check_name(name)
    with transaction() as session:
        officers.alone(session)
        if officers.every(session):
            raise NotFirst("there are keys already: give an administrator's key by --key or ALERTING_API_KEY")
        return _make(session, name, Role.ADMINISTRATOR, secret, actor=CONSOLE, now=now)


def create(name: str, role: Role, *, secret: str, by: Key, now: datetime) -> Key:
    """Make a key; raises NotAllowed, NameTaken, BadName."""
    _check_name(name)
    with transaction() as session:
        officers.alone(session)
        _require_administrator(session, by)
        if officers.by_name(session, name) is not None:
            raise NameTaken(f"there is, or was, a key named {name}: choose another name")
        return _make(session, name, role, secret, actor=by.name, now=now)


def listing() -> tuple[Key, ...]:
    """Every key ever made, in the order of their making."""
    with transaction() as session:
        return officers.every(session)


def revoke(name: str, *, by: Key, now: datetime) -> None:
    """End a key at once; raises NotAllowed, NoSuchKey, LastOne."""
    with transaction() as session:
        officers.alone(session)
        _require_administrator(session, by)
        key = officers.by_name(session, name)
        if key is None or key.revoked_at is not None:
            raise NoSuchKey(f"there is no key named {name} in use")
        if key.role is Role.ADMINISTRATOR and _administrators(session) == {key.name}:
            raise LastOne(f"{name} is the last administrator's key: make another one first")
        officers.revoke(session, key, now=now)
        audit.append(
            session,
            actor=by.name,
            act="key.revoked",
            subject=f"key:{name}",
            detail={"role": key.role.value},
            now=now,
        )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadName(
            "a name is 1 to 64 letters, digits, blanks or . _ @ - and begins with a letter or digit"
        )


def _administrators(session: Session) -> set[str]:
    return {
        key.name
        for key in officers.every(session)
        if key.role is Role.ADMINISTRATOR and key.revoked_at is None
    }


def _require_administrator(session: Session, by: Key) -> None:
    # Looked up again inside the transaction: the key may have been revoked since the request came in.
    if by.name not in _administrators(session):
        raise NotAllowed("an administrator's key is needed")


def _make(session: Session, name: str, role: Role, secret: str, *, actor: str, now: datetime) -> Key:
    key = officers.add(session, name=name, role=role, digest=digest(secret), now=now)
    audit.append(
        session, actor=actor, act="key.created", subject=f"key:{name}", detail={"role": role.value}, now=now
    )
    return key
