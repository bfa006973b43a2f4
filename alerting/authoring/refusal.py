"""What is told of a document that is refused: everything that can be judged of it, at once.

Owns the transaction of `judge`, which only reads. Must not write, nor decide whether a document is refused. Invariant: nothing
is said of a place that could not be read, nor of what holds it: its author is told of that already.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from alerting.authoring import conformity, gate, ground, lineage, overrides
from alerting.cap import segment
from alerting.cap.findings import Document, Finding, Place, by_place
from alerting.cap.model import Alert, MsgType
from alerting.config import Settings
from alerting.store.engine import transaction
from alerting.store.states import Workspace

_GROUNDED = {MsgType.ALERT, MsgType.UPDATE}


def judge(
    document: Document, omit: Mapping[str, str], *, settings: Settings, now: datetime
) -> tuple[Finding, ...]:
    """The findings of reading and rules, and what gate, words, lineage and ground say of what could be read.

    `omit` gives the reason for each channel that is left out. `now` is aware.
    """
    findings = list(conformity.judge(document, settings, now))
    draft = document.alert or document.draft
    if draft is None:
        return by_place(findings)
    passed = gate.passage(draft, omit)
    words, _ = overrides.judge(draft)
    with transaction() as session:
        more = [*passed.findings, *words, *further(session, draft, passed.workspace, now)]
    unread = {finding.place for finding in document.findings}
    if ("status",) in unread:  # which channels there are at all depends on it
        unread.add(("omit",))
    findings += [each for each in more if not any(_touch(each.place, place) for place in unread)]
    return by_place(findings)


def further(session: Session, alert: Alert, workspace: Workspace, now: datetime) -> list[Finding]:
    """What lineage and ground have to say about a document that is refused anyway."""
    found = list(lineage.trace(session, alert, workspace, now).findings)
    if alert.msg_type in _GROUNDED:
        for part in segment.segments(alert):
            found += ground.resolve(session, part.area, part.infos[0]).findings
    return found


def _touch(one: Place, other: Place) -> bool:
    """Whether one place is the other or lies in it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]
