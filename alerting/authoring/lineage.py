"""Which of our warnings an Update, a Cancel or an Error acts on.

Architecture section 3, rules A-06 and A-13 of CAP practice. Messages are found by sender and identifier, because feeds
get `sent` wrong. Locks the states of what it finds, so that of two acts on one warning the second sees the first.
Invariant: an act ends warnings of its own sender and its own workspace only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from alerting.cap.findings import ERROR, WARNING, Finding, Level
from alerting.cap.model import Alert, MsgType
from alerting.store import alerts
from alerting.store.alerts import Stored
from alerting.store.states import AlertState, Workspace

ACTING = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ERROR})


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a document acts on: `known` are all the referenced ones that we have, `ended` those in force, which it ends."""

    known: tuple[Stored, ...] = ()
    ended: tuple[Stored, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == ERROR)


def trace(session: Session, alert: Alert, workspace: Workspace, now: datetime) -> Lineage:
    """Resolve the references of a document and judge whether it may act on them now."""
    if alert.msg_type not in ACTING or not alert.references:
        return Lineage()
    keys = [(reference.sender, reference.identifier) for reference in alert.references]
    found = alerts.by_identities(session, keys)
    held = alerts.lock(session, [stored.id for stored in found.values()])
    known = {key: held[stored.id] for key, stored in found.items()}
    ours = {key: stored for key, stored in known.items() if key[0] == alert.sender}
    ended = [stored for stored in ours.values() if stored.workspace == workspace and _in_force(stored, now)]
    findings = list(_judged(session, alert, keys, known, workspace, now))
    errors = any(finding.severity == ERROR for finding in findings)
    if ours and not ended and not errors:
        findings += _nothing_in_force(alert, list(ours.values()))
    return Lineage(tuple(ours.values()), tuple(ended), tuple(findings))


def _in_force(stored: Stored, now: datetime) -> bool:
    return stored.state is AlertState.ISSUED and (stored.expires is None or stored.expires > now)


def _judged(
    session: Session,
    alert: Alert,
    keys: list[tuple[str, str]],
    known: Mapping[tuple[str, str], Stored],
    workspace: Workspace,
    now: datetime,
) -> Iterator[Finding]:
    for n, key in enumerate(keys):

        def finding(severity: Level, message: str, n: int = n) -> Finding:
            return Finding("LINEAGE", severity, ("references", n), message)

        stored = known.get(key)
        if stored is None:
            severity = WARNING if known else ERROR
            yield finding(
                severity, f"{key[1]} of {key[0]} is not known here: correct the reference, or issue an Alert"
            )
        elif key[0] != alert.sender:
            if alert.msg_type is MsgType.ERROR:  # of Update and Cancel rule A-14 says so
                yield finding(ERROR, "only its own sender may take a message back: ask that sender")
        elif stored.workspace != workspace:
            yield finding(
                ERROR, f"{key[1]} is {stored.status}: a message acts on its own kind, exercise or real"
            )
        elif stored.state is AlertState.SUBMITTED:
            yield finding(
                ERROR, f"{key[1]} has not been issued: wait for its approval, or submit a new Alert"
            )
        elif stored.state is AlertState.SUPERSEDED:
            newer = [each for each in alerts.successors(session, stored.id) if _in_force(each, now)]
            missed = [each.identifier for each in newer if (each.sender, each.identifier) not in keys]
            if missed:
                yield finding(
                    ERROR, f"{', '.join(missed)} has taken the place of {key[1]}: name that one as well"
                )
        elif not _in_force(stored, now):
            yield finding(WARNING, f"{key[1]} is no longer in force ({_fate(stored)})")


def _nothing_in_force(alert: Alert, ours: list[Stored]) -> Iterator[Finding]:
    if alert.msg_type is not MsgType.UPDATE:
        yield Finding(
            "LINEAGE",
            ERROR,
            ("references",),
            f"nothing of it is in force any more: there is nothing to {_verb(alert)}",
        )
    elif any(stored.state is AlertState.CANCELLED for stored in ours):
        yield Finding("LINEAGE", ERROR, ("references",), "it was cancelled: issue a new Alert")


def _verb(alert: Alert) -> str:
    return "cancel" if alert.msg_type is MsgType.CANCEL else "take back"


def _fate(stored: Stored) -> str:
    return "expired" if stored.state is AlertState.ISSUED else stored.state.value
