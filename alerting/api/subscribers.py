"""Subscribers over HTTP: make, list (masked), show, erase, import and export.

Thin views over `alerting.subscribing`. Must not import the store. Invariant: an address leaves unmasked only in the export,
which is for the registrar and audited before its first row.
"""

from __future__ import annotations

from io import BufferedReader, RawIOBase
from typing import Any, cast

from flask import Response, request

from alerting.api import paging, subscription
from alerting.api.access import allow, caller
from alerting.api.answers import ListedAnswer, ReportAnswer, SubscribedAnswer, SubscribersAnswer
from alerting.api.documented import refuses
from alerting.api.problems import Problem, Refused
from alerting.api.reading import JSON, ApiBlueprint, wrong_type
from alerting.api.schemas import ImportQuery, SubscriberBody
from alerting.api.setting import now, settings
from alerting.authoring.keys import Role
from alerting.subscribing import (
    Listed,
    Report,
    Subscribed,
    erase,
    export,
    get,
    import_csv,
    lines_of,
    page,
    subscribe,
)

#: Bytes of one list: a million rows have about 80 MB.
LARGEST_IMPORT = 256 * 1024 * 1024

blp = ApiBlueprint("subscribers", __name__, url_prefix="/api/v1", description="Who is warned, where and how.")


@blp.route("/subscribers", methods=["POST"])
@refuses(blp, 400, 415)
@blp.doc(requestBody={"required": True, "content": {JSON: {"schema": SubscriberBody}}})
@blp.response(201, SubscribedAnswer)
@blp.alt_response(200, schema=SubscribedAnswer, success=True, description="An address was known already")
@allow(Role.REGISTRAR)
def subscriber_new() -> tuple[Subscribed, int, dict[str, str]]:
    """Subscribe somebody who agreed to it."""
    body = subscription.read()
    made = subscribe(
        language=body["language"],
        follows=[subscription.follow(each) for each in body["follows"]],
        addresses=[subscription.address(each) for each in body["addresses"]],
        consent_at=body["consent_at"] or now(),
        source="api",
        settings=settings(),
        now=now(),
        external_id=body["external_id"],
        audience=body["audience"],
    )
    return made, 201 if made.created else 200, {"Location": f"/api/v1/subscribers/{made.id}"}


@blp.route("/subscribers", methods=["GET"])
@refuses(blp)
@blp.arguments(paging.PageQuery, location="query")
@blp.response(200, SubscribersAnswer, headers=paging.LINK)
@allow(Role.REGISTRAR, Role.AUDITOR)
def subscriber_list(query: dict[str, Any]) -> Response:
    """Subscribers in order of their ids, addresses masked."""
    found = page(settings=settings(), after=paging.after_number(query) or 0, limit=query["limit"])
    return paging.link_next(paging.written(SubscribersAnswer(), found), found.next)


@blp.route("/subscribers/<int:subscriber>", methods=["GET"])
@refuses(blp, 404)
@blp.response(200, ListedAnswer)
@allow(Role.REGISTRAR, Role.AUDITOR)
def subscriber_one(subscriber: int) -> Listed:
    """One subscriber, addresses masked."""
    found = get(subscriber, settings=settings()) if subscriber < 2**63 else None
    if found is None:
        raise _nobody(subscriber)
    return found


@blp.route("/subscribers/<int:subscriber>", methods=["DELETE"])
@refuses(blp, 404)
@blp.response(204)
@allow(Role.REGISTRAR)
def subscriber_erase(subscriber: int) -> Response:
    """Forget somebody: addresses and places. A STOP is kept unreadably; what was sent stays counted, without the person."""
    if subscriber >= 2**63 or not erase(subscriber, actor=caller().name, now=now()):
        raise _nobody(subscriber)
    return Response(status=204)


def _nobody(subscriber: int) -> Refused:
    return Refused(Problem(404, f"there is no subscriber {subscriber}", "not-found"))


@blp.route("/subscribers/import", methods=["POST"])
@refuses(blp, 413, 415)
@blp.arguments(ImportQuery, location="query")
@blp.doc(
    requestBody={
        "required": True,
        "description": "The columns are described in docs/subscribers.md.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
)
@blp.response(200, ReportAnswer)
@allow(Role.REGISTRAR)
def subscriber_import(query: dict[str, Any]) -> Report:
    """Import a list: good rows are stored, bad ones reported with line and column."""
    if request.mimetype != "text/csv":
        raise wrong_type("text/csv")
    request.max_content_length = LARGEST_IMPORT
    return import_csv(
        # A stream of werkzeug's looks for the end of a line byte by byte.
        lines_of(BufferedReader(cast("RawIOBase", request.stream), 65536)),
        actor=caller().name,
        settings=settings(),
        now=now(),
        audience=query["audience"],
    )


@blp.route("/subscribers/export", methods=["GET"])
@refuses(blp)
@blp.response(200, {"type": "string"}, content_type="text/csv")
@allow(Role.REGISTRAR)
def subscriber_export() -> Response:
    """The whole list as CSV, addresses open, in the columns of the import; audited."""
    pieces = export(actor=caller().name, settings=settings(), now=now())
    headers = {"Content-Disposition": 'attachment; filename="subscribers.csv"', "Cache-Control": "no-store"}
    return Response(pieces, mimetype="text/csv", headers=headers)
