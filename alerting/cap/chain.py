"""Lineage: which message supersedes which, and what is in force at a moment (section 3.2.1, msgType and references).

Pure functions over messages in any order of arrival. Imports the model alone. Invariant: messages are matched on sender
and identifier, never on `sent`, which feeds get wrong (T-07); nothing superseded ever comes back into force; an
exercise never ends a real warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerting.cap.model import Alert, Info, MsgType

Identity = tuple[str, str]
"""Sender and identifier."""

MayAct = Callable[[str, str], bool]
"""Whether the first sender may update or cancel a message of the second (A-14)."""

LIFE: Final = timedelta(hours=24)
"""How long an info without `expires` stays in force: CAP leaves that to the recipient (I-11)."""

CANCEL_LIFE: Final = timedelta(hours=2)
"""How long a Cancel is shown at least."""

_ENDING: Final = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ERROR})
_WARNING: Final = frozenset({MsgType.ALERT, MsgType.UPDATE})


def identity(alert: Alert) -> Identity:
    """What others name this message by."""
    return alert.sender, alert.identifier


def only_itself(sender: str, owner: str) -> bool:
    """The default authority: nobody acts on another's messages."""
    return sender == owner


def acts_on(alert: Alert, *, may_act: MayAct = only_itself) -> frozenset[Identity]:
    """The messages that this one supersedes: of an Update, Cancel or Error its references, of others none.

    A reference to itself, and one to a message of a sender that it may not act for, counts for nothing.
    """
    if alert.msg_type not in _ENDING:
        return frozenset()
    named = ((reference.sender, reference.identifier) for reference in alert.references)
    return frozenset(key for key in named if key != identity(alert) and may_act(alert.sender, key[0]))


def superseded(
    messages: Iterable[Alert], now: datetime, *, may_act: MayAct = only_itself
) -> frozenset[Alert]:
    """Those of the messages that another one, sent by `now` and not before them, has ended.

    A later version under the same identity ends the earlier one too (T-08). Status must be equal: an exercise ends
    exercises.
    """
    sent = [message for message in messages if message.sent <= now]
    ended_at: dict[tuple[str, Identity], datetime] = {}
    newest: dict[tuple[str, Identity], datetime] = {}
    for message in sent:
        own = (message.status.value, identity(message))
        newest[own] = max(message.sent, newest.get(own, message.sent))
        for target in acts_on(message, may_act=may_act):
            key = (message.status.value, target)
            ended_at[key] = max(message.sent, ended_at.get(key, message.sent))
    return frozenset(
        message
        for message in sent
        if newest[own := (message.status.value, identity(message))] > message.sent
        or (own in ended_at and ended_at[own] >= message.sent)
    )


def expiry(alert: Alert, info: Info, *, life: timedelta = LIFE) -> datetime:
    """When an info ends: `expires`, else `life` after it took effect."""
    return info.expires or (info.effective or alert.sent) + life


def in_force(
    messages: Iterable[Alert], now: datetime, *, may_act: MayAct = only_itself, life: timedelta = LIFE
) -> tuple[Alert, ...]:
    """The Alerts and Updates that hold at `now`, in the order given, each once.

    A message holds when it has been sent, nothing sent by then has superseded it, and one of its infos has not
    expired. What a Cancel has ended does not come back when the Cancel expires.
    """
    given = tuple(dict.fromkeys(messages))
    ended = superseded(given, now, may_act=may_act)
    return tuple(
        message
        for message in given
        if message.msg_type in _WARNING
        and message.sent <= now
        and message not in ended
        and any(now < expiry(message, info, life=life) for info in message.info)
    )


def unresolved(messages: Iterable[Alert]) -> frozenset[Identity]:
    """Messages that are referred to but not there: lost, not yet come, or another system's."""
    given = tuple(messages)
    here = {identity(message) for message in given}
    named = {
        (reference.sender, reference.identifier) for message in given for reference in message.references
    }
    return frozenset(named - here)


@dataclass(frozen=True, slots=True)
class Carried:
    """What a Cancel or Error without info takes over from the messages that it ends.

    `languages` as written in the originals, each once (None is en-US); `expires` is aware.
    """

    languages: tuple[str | None, ...]
    expires: datetime


def carried(cancel: Alert, known: Mapping[Identity, Alert]) -> Carried:
    """The languages of the originals, and their last expiry: at least CANCEL_LIFE after the Cancel was sent."""
    originals = [known[key] for key in sorted(acts_on(cancel)) if key in known]
    infos = [(message, info) for message in originals for info in message.info]
    languages = dict.fromkeys(info.language for _, info in infos)
    ends = [expiry(message, info) for message, info in infos]
    return Carried(tuple(languages), max([cancel.sent + CANCEL_LIFE, *ends]))
