"""What the API answers, as marshmallow schemas: they write the JSON and document it.

Owns the shape of each answer. Must not import the store. Invariant: no schema here has a field for an address that is not
masked, a key or a token, but `KeyMade`, which shows a key once.
"""

from __future__ import annotations

from marshmallow import Schema, fields


def _said(text: str) -> dict[str, str]:
    return {"description": text}


class FaultAnswer(Schema):
    """One finding."""

    rule = fields.String(metadata=_said("The rule that it breaks, such as I-12."))
    detail = fields.String(required=True)
    pointer = fields.String(metadata=_said("JSON pointer (RFC 6901) into the body."))
    path = fields.String(metadata=_said("XPath into a CAP document."))
    parameter = fields.String(metadata=_said("Name in the query."))
    line = fields.Integer(metadata=_said("Line of a CSV file, from 1."))


class ProblemAnswer(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    request_id = fields.String(required=True, metadata=_said("Finds this request in the log of the service."))
    errors = fields.List(fields.Nested(FaultAnswer), metadata=_said("Everything that is wrong, at once."))
    warnings = fields.List(fields.Nested(FaultAnswer))


class ForecastAnswer(Schema):
    """How long a channel with a rate needs for the people of a warning."""

    channel = fields.String(required=True)
    people = fields.Integer(required=True)
    segments = fields.Integer(required=True, metadata=_said("SMS segments of the longest text."))
    rate = fields.Float(required=True, metadata=_said("Messages (SMS: segments) a second of the channel."))
    ahead = fields.Integer(
        required=True, metadata=_said("Messages (SMS: segments) of other warnings that go first.")
    )
    seconds = fields.Float(required=True, metadata=_said("Until the last of them has been sent to."))
    reachable = fields.Integer(required=True, metadata=_said("People who can be sent to before the expiry."))
    words = fields.String(required=True, metadata=_said("For example: about 20 minutes for 12 000 people."))


class SubmittedAnswer(Schema):
    """A warning that was taken."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    page = fields.String(
        required=True, metadata=_said("The public page, which answers once the warning is issued.")
    )
    people = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata=_said(
            "By channel: at most so many people will be reached; empty where nobody has to approve and no channel has a rate."
        ),
    )
    forecasts = fields.List(
        fields.Nested(ForecastAnswer),
        required=True,
        metadata=_said("How long the channels with a rate need for them."),
    )
    warnings = fields.List(fields.Nested(FaultAnswer), required=True)


class IssuedAnswer(Schema):
    """A warning after its approval."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    forecasts = fields.List(
        fields.Nested(ForecastAnswer),
        required=True,
        metadata=_said("How long the channels with a rate need for the people counted before."),
    )


class RegionAnswer(Schema):
    code = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    box = fields.List(
        fields.Float(), required=True, allow_none=True, metadata=_said("West, south, east, north in degrees.")
    )
    time_zone = fields.String(required=True, allow_none=True)


class RegionsAnswer(Schema):
    regions = fields.List(fields.Nested(RegionAnswer), attribute="rows", required=True)


class GeocodeAnswer(Schema):
    scheme = fields.String(required=True)
    value = fields.String(required=True)


class RegionDetailAnswer(RegionAnswer):
    geocodes = fields.List(fields.Nested(GeocodeAnswer), required=True)
    has_geometry = fields.Boolean(required=True)


class SubscribedAnswer(Schema):
    id = fields.Integer(required=True)
    created = fields.Boolean(
        required=True, metadata=_said("False: an address was known, its follows were added to.")
    )
    silent = fields.Integer(required=True, metadata=_said("Addresses that said STOP and stay stopped."))


class ListedAddressAnswer(Schema):
    channel = fields.String(required=True)
    shown = fields.String(required=True, metadata=_said("Masked."))
    state = fields.String(required=True)


class ListedFollowAnswer(Schema):
    region = fields.String(required=True, allow_none=True)
    lat = fields.Float(required=True, allow_none=True)
    lon = fields.Float(required=True, allow_none=True)
    floor = fields.Function(
        lambda follow: follow.floor.name.lower(), metadata={"type": "string"}, required=True
    )
    hazards = fields.List(fields.String(), required=True, allow_none=True)


class ListedAnswer(Schema):
    """One subscriber, addresses masked."""

    id = fields.Integer(required=True)
    audience = fields.String(required=True)
    language = fields.String(required=True)
    source = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    consent_at = fields.AwareDateTime(required=True)
    addresses = fields.List(fields.Nested(ListedAddressAnswer), required=True)
    follows = fields.List(fields.Nested(ListedFollowAnswer), required=True)


class SubscribersAnswer(Schema):
    subscribers = fields.List(fields.Nested(ListedAnswer), attribute="rows", required=True)


class RowFindingAnswer(Schema):
    line = fields.Integer(required=True)
    column = fields.String(required=True, metadata=_said("Empty when it is the whole row."))
    problem = fields.String(required=True)
    mend = fields.String(required=True)


class ReportAnswer(Schema):
    """What became of a list, row by row."""

    rows = fields.Integer(required=True)
    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    silent = fields.Integer(required=True)
    left_out = fields.Integer(required=True, metadata=_said("Findings beyond the first 10 000."))
    findings = fields.List(fields.Nested(RowFindingAnswer), required=True)


class KeyAnswer(Schema):
    name = fields.String(required=True)
    role = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)


class KeysAnswer(Schema):
    keys = fields.List(fields.Nested(KeyAnswer), required=True)


class KeyMade(Schema):
    name = fields.String(required=True)
    role = fields.String(required=True)
    key = fields.String(required=True, metadata=_said("Shown once: it cannot be had again."))


class PolicyAnswer(Schema):
    approvers = fields.Integer(required=True)


class CheckAnswer(Schema):
    name = fields.String(required=True)
    ok = fields.Boolean(required=True)
    detail = fields.String(required=True)


class HealthAnswer(Schema):
    ready = fields.Boolean(required=True)
    well = fields.Boolean(required=True)
    sweep_age = fields.Float(
        required=True, allow_none=True, metadata=_said("Seconds since the sweep's last round.")
    )
    checks = fields.List(fields.Nested(CheckAnswer), required=True)
