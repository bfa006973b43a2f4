"""The same warning as if it were issued now: for demonstrations, drills and tests of a whole system.

Imports the model alone. Invariant: only identifier, times and (of an Alert) references change; every span between two
times stays as it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from alerting.cap.model import Alert, Info, MsgType


def restamp(alert: Alert, *, identifier: str, now: datetime) -> Alert:
    """The alert under a new identifier with `sent` = `now` (aware, whole seconds) and all times moved along.

    Offsets stay as written. An Alert loses its references, other messages keep them. Raises ValueError when `now`
    has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    now = now.replace(microsecond=0)
    shift = now - alert.sent
    return replace(
        alert,
        identifier=identifier,
        sent=now.astimezone(alert.sent.tzinfo),
        references=() if alert.msg_type is MsgType.ALERT else alert.references,
        info=tuple(_moved(info, shift) for info in alert.info),
    )


def _moved(info: Info, shift: timedelta) -> Info:
    return replace(
        info,
        effective=None if info.effective is None else info.effective + shift,
        onset=None if info.onset is None else info.onset + shift,
        expires=None if info.expires is None else info.expires + shift,
    )
