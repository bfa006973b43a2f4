"""Releasing what expansion has put on hold: more people than were approved, looked at by somebody with the right to approve.

Owns the transaction of `release`. Must not decide the number: the officer has seen it in the warning's dispatches. Invariant:
whoever submitted a warning does not release it where the policy asks for two people.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from alerting.authoring import policy
from alerting.authoring.errors import NotFound, SamePerson, WrongState
from alerting.authoring.submit import ring
from alerting.authoring.values import Actor, Issued
from alerting.store import alerts, audit, outbox
from alerting.store.engine import transaction
from alerting.store.states import AlertState


def release(alert_id: UUID, *, actor: Actor, now: datetime) -> Issued:
    """Let the held dispatches of a warning go on, whatever the number of people; raises NotFound, SamePerson, WrongState.

    A dispatch that is held because a text differs from the approved one is held again as soon as it is claimed.
    """
    with transaction() as session:
        stored = alerts.lock(session, [alert_id]).get(alert_id)
        if stored is None:
            raise NotFound(f"there is no warning {alert_id}")
        if stored.state is not AlertState.ISSUED:
            raise WrongState(f"the warning is {stored.state.value}: nothing of it can be released")
        if stored.submitted_by == actor.name and policy.required(session) > 0:
            raise SamePerson(
                "another person must release what you submitted: ask one with the right to approve"
            )
        released = outbox.release(session, alert_id)
        if not released:
            raise WrongState("nothing of this warning is on hold")
        audit.append(
            session,
            actor=actor.name,
            act="alert.released",
            subject=str(alert_id),
            detail={"role": actor.role.value, "dispatches": released},
            now=now,
        )
    ring()
    return Issued(alert_id, stored.slug, stored.state, tuple(released))
