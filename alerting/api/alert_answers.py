"""How a warning and its deliveries are answered: marshmallow schemas, and the join of what authoring and tracking know.

Must not import the store. Invariant: an address in an answer is masked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields

from alerting.api.answers import ForecastAnswer
from alerting.api.cap_schemas import AlertSchema
from alerting.authoring.reading import Detail
from alerting.config import Settings
from alerting.tracking.reports import Report


def _said(text: str) -> dict[str, str]:
    return {"description": text}


class SummaryAnswer(Schema):
    """A warning in a list. Times are UTC, but for `sent`, which keeps its offset."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    sender = fields.String(required=True)
    identifier = fields.String(required=True)
    sent = fields.AwareDateTime(required=True)
    status = fields.String(required=True)
    scope = fields.String(required=True)
    msg_type = fields.String(required=True)
    event = fields.String(required=True, allow_none=True)
    colour = fields.String(required=True, allow_none=True)
    languages = fields.List(fields.String(), required=True)
    submitted_by = fields.String(required=True)
    approved_by = fields.String(required=True, allow_none=True)
    received_at = fields.AwareDateTime(required=True)
    issued_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    expires = fields.AwareDateTime(required=True, allow_none=True)


class AlertsAnswer(Schema):
    alerts = fields.List(fields.Nested(SummaryAnswer), attribute="rows", required=True)


class SegmentAnswer(Schema):
    """One segment: the infos of one message in several languages."""

    n = fields.Integer(required=True)
    languages = fields.List(fields.String(), required=True)
    categories = fields.List(fields.String(), required=True)
    severity = fields.String(required=True)
    colour = fields.String(required=True)
    area = fields.String(required=True)
    effective = fields.AwareDateTime(required=True)
    expires = fields.AwareDateTime(required=True)


class DispatchAnswer(Schema):
    """One channel of one warning."""

    channel = fields.String(required=True)
    state = fields.String(required=True)
    planned = fields.Integer(required=True)
    approved = fields.Integer(
        required=True, allow_none=True, metadata=_said("People counted at approval; null: not limited.")
    )
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    first_at = fields.AwareDateTime(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    left = fields.Integer(required=True, metadata=_said("Deliveries that wait, or will be tried again."))
    seconds_left = fields.Float(
        required=True,
        allow_none=True,
        metadata=_said("What they need at the channel's rate; null without a rate, and at the end."),
    )
    tallies = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata=_said("Deliveries by status.")
    )


class UrlsAnswer(Schema):
    page = fields.String(required=True)
    cap = fields.String(required=True)
    deliveries = fields.String(required=True)


class AlertAnswer(SummaryAnswer):
    """One warning."""

    omit = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    people = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata=_said("Counted at approval.")
    )
    forecasts = fields.List(
        fields.Nested(ForecastAnswer),
        required=True,
        metadata=_said("While it waits for approval: how long the channels with a rate need."),
    )
    supersedes = fields.List(fields.UUID(), required=True)
    superseded_by = fields.List(fields.UUID(), required=True)
    segments = fields.List(fields.Nested(SegmentAnswer), required=True)
    dispatches = fields.List(fields.Nested(DispatchAnswer), required=True)
    urls = fields.Nested(UrlsAnswer, required=True, metadata=_said("Page and CAP answer once it is issued."))
    alert = fields.Nested(AlertSchema, required=True)


class TallyAnswer(Schema):
    channel = fields.String(required=True)
    region = fields.String(required=True, metadata=_said("Code; empty for none."))
    region_name = fields.String(required=True)
    status = fields.String(required=True)
    n = fields.Integer(required=True)


class TalliesAnswer(Schema):
    """Deliveries counted."""

    tallies = fields.List(fields.Nested(TallyAnswer), attribute="counts", required=True)
    finished = fields.Boolean(
        required=True, metadata=_said("Every dispatch has ended: nothing more will be sent.")
    )


class RowAnswer(Schema):
    """One delivery."""

    dispatch = fields.Integer(required=True)
    n = fields.Integer(required=True)
    channel = fields.String(required=True)
    region = fields.String(required=True)
    segment = fields.Integer(required=True)
    language = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    maybe_repeated = fields.Boolean(required=True)
    reference = fields.String(required=True, allow_none=True, metadata=_said("The provider's id."))
    at = fields.AwareDateTime(required=True, allow_none=True)
    to = fields.String(required=True, allow_none=True, metadata=_said("Masked; null after erasure."))


class RowsAnswer(Schema):
    """Deliveries one by one."""

    rows = fields.List(fields.Nested(RowAnswer), required=True)


def shown(found: Detail, report: Report, settings: Settings) -> dict[str, Any]:
    """One warning with its dispatches, in the form of AlertAnswer."""
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for count in report.counts:
        counted[count.channel][count.status] += count.n
    base = settings.public_base_url
    return {
        **asdict(found.summary),
        "omit": found.omit,
        "people": found.people,
        "supersedes": found.supersedes,
        "superseded_by": found.superseded_by,
        "segments": found.segments,
        "dispatches": [
            {
                "channel": each.channel,
                "state": each.state,
                "planned": each.planned,
                "approved": each.approved,
                "opened_at": each.opened_at,
                "first_at": each.first_at,
                "closed_at": each.closed_at,
                "left": each.left,
                "seconds_left": each.seconds_left,
                "tallies": dict(counted[each.channel]),
            }
            for each in report.dispatches
        ],
        "urls": {
            "page": f"{base}/w/{found.slug}",
            "cap": f"{base}/cap/{found.summary.id}.xml",
            "deliveries": f"/api/v1/alerts/{found.summary.id}/deliveries",
        },
        "alert": found.cap,
    }
