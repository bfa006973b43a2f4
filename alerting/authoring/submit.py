"""Submitting a warning: judged whole, frozen, and issued at once where the policy asks for no second person.

Owns the transaction. Architecture sections 3 and 5. Invariant: the same document again is the same warning, however many
submit it at once; nothing is written of a document that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from alerting.authoring import conformity, gate, issue, lineage, overrides, policy, refusal
from alerting.authoring.errors import Conflict, Refused
from alerting.authoring.freeze import Frozen, Print, freeze
from alerting.authoring.gate import Passage
from alerting.authoring.lineage import Lineage
from alerting.authoring.values import Actor, Submitted
from alerting.cap import jsonform
from alerting.cap import xml as cap_xml
from alerting.cap.findings import ERROR, WARNING, Finding, Place, by_place
from alerting.cap.model import Alert, MsgType
from alerting.config import Settings
from alerting.fanout import bell
from alerting.store import alerts, audience, audit, forecast
from alerting.store.alerts import Stored
from alerting.store.engine import transaction
from alerting.store.forecast import Forecast
from alerting.store.states import AlertState, Audience, Lane, Origin
from alerting.wording import Issuer

#: Letters and digits that nobody takes for one another, 32 of them; 8 make a slug.
_SLUG_LETTERS = "abcdefghjkmnpqrstuvwxyz234567890"
_SLUG_LENGTH = 8


def submit(
    alert: Alert,
    xml: bytes | None,  # noqa: ARG001 - relayed documents will keep the bytes received; our own are written anew
    *,
    actor: Actor,
    omit: Mapping[str, str],
    settings: Settings,
    now: datetime,
) -> Submitted:
    """Take a warning; `omit` gives the reason for each channel that is left out.

    Raises Refused with every finding, Conflict when the identity belongs to another text. The same document again
    returns what was made of it the first time, with `created` False. `now` is aware.
    """
    digest = jsonform.digest(alert)
    with transaction() as session:
        known = alerts.by_identity(session, alert.sender, alert.identifier)
        submitted = (
            _known(known, digest) if known else _take(session, alert, digest, actor, omit, settings, now)
        )
    if submitted.created and submitted.state is AlertState.ISSUED:
        ring()
    return submitted


def ring() -> None:
    """Wake the workers that plan and publish; after the commit, and never needed (the sweep rings too)."""
    bell.ring(Lane.PLAN)
    bell.ring(Lane.WEB)


def issuer(settings: Settings) -> Issuer:
    """The authority as its texts name it."""
    return Issuer(
        settings.authority_name, settings.default_language, settings.time_zone, settings.public_base_url
    )


def link(settings: Settings, slug: str) -> str:
    """The address of a warning's public page."""
    return f"{settings.public_base_url}/w/{slug}"


def _known(stored: Stored, digest: bytes) -> Submitted:
    if stored.hash != digest:
        raise Conflict(stored.id)
    return Submitted(
        stored.id, stored.slug, stored.state, created=False, people=tuple(sorted(stored.people.items()))
    )


def _take(
    session: Session,
    alert: Alert,
    digest: bytes,
    actor: Actor,
    omit: Mapping[str, str],
    settings: Settings,
    now: datetime,
) -> Submitted:
    """Judge a document, freeze it and write it; raises Refused with everything that was found."""
    passed = gate.passage(alert, omit)
    words, contradicted = overrides.judge(alert)
    judged = [*conformity.judge(alert, settings, now), *words]
    if _errors([*judged, *passed.findings]):
        raise Refused(
            by_place([*judged, *passed.findings, *refusal.further(session, alert, passed.workspace, now)])
        )
    made = _insert(session, alert, digest, passed, now)
    if made is None:  # another submission of this identity has just committed
        known = alerts.by_identity(session, alert.sender, alert.identifier)
        if known is None:
            raise RuntimeError("an alert was refused by the database although its identity is free")
        return _known(known, digest)
    acts_on = lineage.trace(session, alert, passed.workspace, now)
    findings = [*judged, *passed.findings, *acts_on.findings]
    if passed.audience is None:
        return _record(session, *made, actor, findings, now)
    life = timedelta(seconds=settings.maximum_life)
    # An exercise has no public page: a link to none would be the first thing that its readers try.
    page = link(settings, made[1]) if passed.audience is Audience.PUBLIC else ""
    how = Print(passed.channels, issuer(settings), page, life)
    frozen = freeze(session, alert, acts_on, how, now)
    findings += frozen.findings
    if _errors(findings):
        raise Refused(by_place(findings))
    state, people, forecasts = _settle(
        session, made[0], alert, frozen, acts_on, passed, actor, contradicted, settings, now
    )
    findings += (_shortage(alert, each) for each in forecasts if each.short)
    return Submitted(
        *made,
        state,
        created=True,
        warnings=_warnings(findings),
        people=tuple(sorted(people.items())),
        forecasts=forecasts,
    )


def _settle(
    session: Session,
    alert_id: UUID,
    alert: Alert,
    frozen: Frozen,
    acts_on: Lineage,
    passed: Passage,
    actor: Actor,
    contradicted: bool,
    settings: Settings,
    now: datetime,
) -> tuple[AlertState, dict[str, int], tuple[Forecast, ...]]:
    """Write what was frozen, and issue it where the policy asks for no second person and no word contradicts the status."""
    waits = contradicted or policy.required(session) > 0
    # Counting costs time: where nobody waits for the number it is only needed to say that a sender is too slow.
    counted = waits or forecast.paced(session, passed.channels)
    people = _people(session, alert, frozen, acts_on, passed) if counted else {}
    alerts.insert_state(
        session,
        alert_id,
        state=AlertState.SUBMITTED,
        submitted_by=actor.name,
        people=people,
        expires=frozen.expires,
    )
    alerts.insert_segments(session, alert_id, frozen.segments)
    alerts.insert_renderings(session, alert_id, frozen.renderings)
    forecasts = forecast.of_people(
        session,
        alert_id,
        people,
        priority=issue.urgency(frozen.priority or 0, passed.workspace),
        expires=frozen.expires,
        now=now,
    )
    state = AlertState.SUBMITTED
    if not waits:
        issue.put_in_force(session, alert_id, alert, acts_on, approved_by=None, settings=settings, now=now)
        state = AlertState.ISSUED
    _audit(session, alert_id, alert, passed, people, actor, state, now)
    return state, people, forecasts


def _shortage(alert: Alert, needed: Forecast) -> Finding:
    """Less time than messages: said where it can be mended, in the first info's expiry."""
    place: Place = ("info", 0, "expires") if alert.info else ("msgType",)
    return Finding("PACE", WARNING, place, needed.shortage)


def _insert(
    session: Session, alert: Alert, digest: bytes, passed: Passage, now: datetime
) -> tuple[UUID, str] | None:
    """Write the document under a new id and slug; None when its identity is taken."""
    document = alerts.Document(
        id=uuid4(),
        slug="",
        workspace=passed.workspace,
        sender=alert.sender,
        identifier=alert.identifier,
        sent=alert.sent,
        status=alert.status.value,
        scope=alert.scope.value,
        msg_type=alert.msg_type.value,
        origin=Origin.OWN,
        hash=digest,
        cap=jsonform.to_json(alert),
        cap_xml=cap_xml.write(alert),
        omit=dict(passed.omitted),
        received_at=now,
    )
    for _ in range(3):  # a slug is 40 random bits: one that is taken is as good as never met twice
        alert_id = uuid4()
        document = replace(document, id=alert_id, slug=_slug(alert_id))
        if alerts.insert_document(session, document):
            return alert_id, document.slug
        if alerts.by_identity(session, alert.sender, alert.identifier) is not None:
            return None
    return None


def _slug(alert_id: UUID) -> str:
    bits = alert_id.int
    return "".join(_SLUG_LETTERS[bits >> (5 * n) & 31] for n in range(_SLUG_LENGTH))


def _errors(findings: Sequence[Finding]) -> bool:
    return any(finding.severity == ERROR for finding in findings)


def _warnings(findings: list[Finding]) -> tuple[Finding, ...]:
    return by_place([finding for finding in findings if finding.severity != ERROR])


def _record(
    session: Session, alert_id: UUID, slug: str, actor: Actor, findings: list[Finding], now: datetime
) -> Submitted:
    """Keep an acknowledgement or a system message: it is never sent."""
    if _errors(findings):
        raise Refused(by_place(findings))
    state = AlertState.RECORDED
    alerts.insert_state(session, alert_id, state=state, submitted_by=actor.name, people={}, expires=None)
    audit.append(
        session,
        actor=actor.name,
        act="alert.recorded",
        subject=str(alert_id),
        detail={"role": actor.role.value},
        now=now,
    )
    return Submitted(alert_id, slug, state, created=True, warnings=_warnings(findings))


def _people(
    session: Session, alert: Alert, frozen: Frozen, acts_on: Lineage, passed: Passage
) -> dict[str, int]:
    """At most so many people by channel: those on the ground, and those whom the replaced warnings were planned for."""
    channels = [name for name in passed.channels if name not in gate.BROADCAST]
    if passed.audience is None:
        return {}
    found = audience.people(session, frozen.segments, channels, passed.audience)
    if alert.msg_type is not MsgType.ALERT:
        reached = audience.planned_for(session, [stored.id for stored in acts_on.known])
        found = {channel: n + reached.get(channel, 0) for channel, n in found.items()}
    return found


def _audit(
    session: Session,
    alert_id: UUID,
    alert: Alert,
    passed: Passage,
    people: Mapping[str, int],
    actor: Actor,
    state: AlertState,
    now: datetime,
) -> None:
    """Say who submitted what, and that it was issued by the policy: last of all, as the chain's lock asks."""
    detail: dict[str, object] = {
        "role": actor.role.value,
        "sender": alert.sender,
        "identifier": alert.identifier,
        "msgType": alert.msg_type.value,
        "workspace": passed.workspace.value,
        "channels": list(passed.channels),
        "omit": dict(passed.omitted),
        "people": dict(people),
    }
    subject = str(alert_id)
    audit.append(session, actor=actor.name, act="alert.submitted", subject=subject, detail=detail, now=now)
    if state is AlertState.ISSUED:
        detail = {"approvers": 0}
        audit.append(session, actor=actor.name, act="alert.issued", subject=subject, detail=detail, now=now)
