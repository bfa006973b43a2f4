"""Issuing: the approval, and the one moment in which a warning and the intention to deliver it become true together.

Owns the transaction of `approve`. Architecture section 5.1: state, lineage, dispatches and feed version in one commit, then
the bell. Invariant: what a warning replaces is withdrawn in the transaction that issues it, and it goes at least as fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from alerting.authoring import gate, lineage, policy, signing
from alerting.authoring.errors import NotFound, SamePerson, WrongState
from alerting.authoring.freeze import document
from alerting.authoring.lineage import Lineage
from alerting.authoring.overrides import Override, accept, audited
from alerting.authoring.values import Actor, Issued
from alerting.cap.model import Alert, MsgType
from alerting.config import Settings
from alerting.fanout import bell
from alerting.store import alerts, audience, audit, forecast, outbox, publications
from alerting.store.alerts import Stored
from alerting.store.engine import transaction
from alerting.store.states import CHANNELS, EXERCISE_PRIORITY, AlertState, Audience, Lane, Workspace


def approve(
    alert_id: UUID,
    *,
    actor: Actor,
    settings: Settings,
    now: datetime,
    overrides: Sequence[Override] = (),
) -> Issued:
    """Issue a submitted warning; raises NotFound, SamePerson, WrongState, Contradicted, Refused, NotSigned.

    `now` is aware. `overrides` are the contradictions (W-03) that the approver takes on; they are audited. Of two
    approvals at once one wins and the other meets WrongState.
    """
    with transaction() as session:
        stored = alerts.lock(session, [alert_id]).get(alert_id)
        if stored is None:
            raise NotFound(f"there is no warning {alert_id}")
        _require_approvable(session, stored, actor, now)
        alert = document(stored)
        acts_on = lineage.trace(session, alert, stored.workspace, now)
        if acts_on.errors:
            raise WrongState("; ".join(finding.message for finding in acts_on.errors))
        accept(alert, overrides)
        dispatches = put_in_force(
            session, alert_id, alert, acts_on, approved_by=actor.name, settings=settings, now=now
        )
        rows = alerts.segments_of(session, alert_id)
        forecasts = forecast.of_people(
            session,
            alert_id,
            stored.people,
            priority=urgency(min((row.rank for row in rows), default=0), stored.workspace),
            expires=stored.expires or now,
            now=now,
        )
        _record(session, stored, actor, overrides, dispatches, now)
    bell.ring(Lane.PLAN)
    bell.ring(Lane.WEB)
    return Issued(alert_id, stored.slug, AlertState.ISSUED, tuple(dispatches), forecasts)


def _record(
    session: Session,
    stored: Stored,
    actor: Actor,
    overrides: Sequence[Override],
    dispatches: Sequence[int],
    now: datetime,
) -> None:
    """The approval in the audit, and what the approver took on."""
    subject = str(stored.id)
    if overrides:
        act, detail = "alert.overridden", audited(overrides)
        audit.append(session, actor=actor.name, act=act, subject=subject, detail=detail, now=now)
    issued: dict[str, object] = {
        "role": actor.role.value,
        "submitted_by": stored.submitted_by,
        "people": dict(stored.people),
        "dispatches": list(dispatches),
    }
    audit.append(session, actor=actor.name, act="alert.issued", subject=subject, detail=issued, now=now)


def urgency(rank: int, workspace: Workspace) -> int:
    """The priority of a dispatch: the rank of its most urgent segment; every real warning goes before an exercise."""
    return rank + (EXERCISE_PRIORITY if workspace is not Workspace.LIVE else 0)


def _require_approvable(session: Session, stored: Stored, actor: Actor, now: datetime) -> None:
    if stored.state is not AlertState.SUBMITTED:
        raise WrongState(f"the warning is {stored.state.value}: only a submitted one is approved")
    # A contradiction waits even where the policy asks for nobody: then who submitted may take it on.
    if stored.submitted_by == actor.name and policy.required(session):
        raise SamePerson("another person must approve what you submitted: ask one with the right to approve")
    if stored.expires is not None and stored.expires <= now:
        raise WrongState("the warning has expired while it waited: submit it again with later times")


def put_in_force(
    session: Session,
    alert_id: UUID,
    alert: Alert,
    acts_on: Lineage,
    *,
    approved_by: str | None,
    settings: Settings,
    now: datetime,
) -> list[int]:
    """Issue inside a transaction: signature, state, lineage, withdrawal, a dispatch per channel, feed version. Their ids.

    `approved_by` None means that the policy asked for nobody; then no number of people was approved either.
    """
    alerts.issue(session, alert_id, approved_by=approved_by, now=now)
    stored = alerts.lock(session, [alert_id])[alert_id]
    signing.sign(session, stored, settings, now)
    segments = alerts.segments_of(session, alert_id)
    ended = [each.id for each in acts_on.ended]
    reached = [each.id for each in acts_on.known]
    before = audience.unfinished_before(session, reached)
    ranks = [row.rank for row in segments] + [
        row.rank for each in reached for row in alerts.segments_of(session, each)
    ]
    withdrawn = outbox.withdraw(session, ended, now=now)
    told = outbox.withdraw(session, [*reached, *before], now=now)
    replaced = AlertState.SUPERSEDED if alert.msg_type is MsgType.UPDATE else AlertState.CANCELLED
    alerts.end(session, ended, state=replaced, by=alert_id, now=now)
    real = stored.workspace is Workspace.LIVE
    dispatches = outbox.plan_alert(
        session,
        alert_id=alert_id,
        authority=stored.sender,
        gate=outbox.Gate(stored.workspace.value, stored.status, stored.scope, stored.msg_type),
        channels=[
            name for name in CHANNELS if name not in stored.omit and (real or name not in gate.BROADCAST)
        ],
        audience=Audience.PUBLIC if real else Audience.EXERCISE,
        priority=urgency(min(ranks, default=0), stored.workspace),
        expires=stored.expires or now,
        approved=_approved(alert, stored.people, approved_by),
        replaces=withdrawn,
        recipients_of=_addressed(told) if alert.msg_type in lineage.ACTING else None,
        now=now,
    )
    if real:
        publications.bump(session, now)
    return dispatches


def _approved(alert: Alert, people: Mapping[str, int], approved_by: str | None) -> dict[str, int | None]:
    """The number that holds a dispatch by channel; a Cancel is never held: it can only be late."""
    if approved_by is None or alert.msg_type in {MsgType.CANCEL, MsgType.ERROR}:
        return {}
    return dict(people)


def _addressed(dispatches: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    return {channel: ids for channel, ids in dispatches.items() if channel not in gate.BROADCAST}
