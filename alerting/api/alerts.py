"""Warnings over HTTP: submit (XML or JSON), approve, cancel, list, show, and what became of them.

Thin views over `alerting.authoring` and `alerting.tracking`. Must not import the store. Invariant: a body that is not understood
to the last key is refused; what is answered 2xx is committed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from alerting import authoring
from alerting.api import documents, paging
from alerting.api.access import allow, caller
from alerting.api.alert_answers import AlertAnswer, AlertsAnswer, RowsAnswer, TalliesAnswer, shown
from alerting.api.answers import IssuedAnswer, SubmittedAnswer
from alerting.api.documented import refuses
from alerting.api.problems import Fault, Problem, Refused, invalid
from alerting.api.reading import JSON, ApiBlueprint
from alerting.api.schemas import AlertsQuery, ApproveBody, CancelBody, DeliveriesQuery, OmitQuery
from alerting.api.setting import now, settings
from alerting.authoring import Actor, Submitted, reading
from alerting.authoring.keys import Role
from alerting.tracking import reports

READERS = (Role.PREPARER, Role.APPROVER, Role.AUDITOR)

blp = ApiBlueprint(
    "alerts", __name__, url_prefix="/api/v1", description="Warnings, from CAP to who was reached."
)


def _actor() -> Actor:
    key = caller()
    return Actor(name=key.name, role=key.role)


@blp.route("/alerts", methods=["POST"])
@refuses(blp, 400, 409, 413, 415)
@blp.arguments(OmitQuery, location="query")
@blp.doc(requestBody=documents.REQUEST_BODY)
@blp.response(201, SubmittedAnswer)
@blp.alt_response(200, schema=SubmittedAnswer, success=True, description="The same document was taken before")
@allow(Role.PREPARER, Role.APPROVER)
def alert_new(query: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Submit a warning; it is issued at once if the policy asks for no approver.

    All channels are used unless `omit` leaves some out, each with a reason. The same document again is answered 200 with the
    same id; another document under the same sender and identifier is a conflict (409).
    """
    posted = documents.read(query["omit"])
    made = authoring.submit(
        posted.alert, posted.xml, actor=_actor(), omit=posted.omit, settings=settings(), now=now()
    )
    return _submitted(made, [*posted.warnings, *documents.faults(made.warnings)])


def _submitted(made: Submitted, warnings: list[Fault]) -> tuple[dict[str, Any], int, dict[str, str]]:
    answer = {
        "id": made.id,
        "state": made.state,
        "page": f"{settings().public_base_url}/w/{made.slug}",
        "people": dict(made.people),
        "forecasts": made.forecasts,
        "warnings": [fault.as_json() for fault in dict.fromkeys(warnings)],
    }
    return answer, 201 if made.created else 200, {"Location": f"/api/v1/alerts/{made.id}"}


@blp.route("/alerts/<uuid:alert>/approve", methods=["POST"])
@refuses(blp, 400, 404, 409, 413, 415)
@blp.doc(requestBody={"required": False, "content": {JSON: {"schema": ApproveBody}}})
@blp.response(200, IssuedAnswer)
@allow(Role.APPROVER)
def alert_approve(alert: UUID) -> dict[str, Any]:
    """Issue a warning that another key submitted.

    Words that contradict the status (rule W-03) are 409, each with its pointer, until the body overrides every one of them
    with a reason.
    """
    issued = authoring.approve(
        alert, actor=_actor(), settings=settings(), now=now(), overrides=documents.overrides()
    )
    return {"id": issued.id, "state": issued.state, "forecasts": issued.forecasts}


@blp.route("/alerts/<uuid:alert>/release", methods=["POST"])
@refuses(blp, 404, 409)
@blp.response(200, IssuedAnswer)
@allow(Role.APPROVER)
def alert_release(alert: UUID) -> dict[str, Any]:
    """Let a warning go on that is on hold because it would reach more people than were approved."""
    issued = authoring.release(alert, actor=_actor(), now=now())
    return {"id": issued.id, "state": issued.state, "forecasts": issued.forecasts}


@blp.route("/alerts/<uuid:alert>/cancel", methods=["POST"])
@refuses(blp, 400, 404, 409, 415)
@blp.arguments(CancelBody)
@blp.response(201, SubmittedAnswer)
@allow(Role.APPROVER)
def alert_cancel(body: dict[str, Any], alert: UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Lift a warning: makes a Cancel, which goes out like any warning, to those who were reached.

    Identifier, time and references are the service's work; where no text is given for a language, the standard text is used.
    """
    made = authoring.cancel(
        alert,
        reason=body["reason"],
        texts=body["texts"],
        in_error=body["in_error"],
        actor=_actor(),
        settings=settings(),
        now=now(),
    )
    return _submitted(made, documents.faults(made.warnings))


@blp.route("/alerts", methods=["GET"])
@refuses(blp)
@blp.arguments(AlertsQuery, location="query")
@blp.response(200, AlertsAnswer, headers=paging.LINK)
@allow(*READERS)
def alert_list(query: dict[str, Any]) -> Response:
    """Warnings, the newest first."""
    found = reading.listing(state=query.get("state"), before=paging.after_number(query), limit=query["limit"])
    return paging.link_next(paging.written(AlertsAnswer(), found), found.next)


@blp.route("/alerts/<uuid:alert>", methods=["GET"])
@refuses(blp, 404)
@blp.response(200, AlertAnswer)
@allow(*READERS)
def alert_one(alert: UUID) -> dict[str, Any]:
    """One warning: its state, segments, languages and addresses, who submitted and approved it, and its dispatches."""
    found = reading.detail(alert)
    if found is None:
        raise _unknown(alert)
    report = reports.report(alert, language=settings().default_language)
    return {**shown(found, report, settings()), "forecasts": reading.forecasts(alert, now=now())}


@blp.route("/alerts/<uuid:alert>/deliveries", methods=["GET"])
@refuses(blp, 404)
@blp.arguments(DeliveriesQuery, location="query")
@blp.response(200, TalliesAnswer, headers=paging.LINK)
@allow(*READERS)
def alert_deliveries(query: dict[str, Any], alert: UUID) -> Response:
    """Who was reached: numbers by channel, region and status; with `rows=true` each delivery, addresses masked."""
    if not reading.exists(alert):
        raise _unknown(alert)
    if not query["rows"]:
        found = reports.report(alert, language=settings().default_language)
        return paging.written(TalliesAnswer(), found)
    limit = query["limit"]
    rows = reports.deliveries(alert, settings=settings(), after=_after(query), limit=limit + 1)
    last = f"{rows[limit - 1].dispatch}.{rows[limit - 1].n}" if len(rows) > limit else None
    return paging.link_next(paging.written(RowsAnswer(), {"rows": rows[:limit]}), last)


def _after(query: dict[str, Any]) -> tuple[int, int]:
    written = paging.after_text(query)
    if written is None:
        return 0, 0
    dispatch, _, n = written.partition(".")
    if not (dispatch.isdecimal() and n.isdecimal() and max(len(dispatch), len(n)) <= 18):
        raise invalid([Fault("not a cursor of ours: take it from the Link header", parameter="cursor")])
    return int(dispatch), int(n)


def _unknown(alert: UUID) -> Refused:
    return Refused(Problem(404, f"there is no warning {alert}", "not-found"))
