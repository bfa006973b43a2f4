"""The bodies that the API takes, apart from CAP itself: marshmallow schemas, closed, documented in OpenAPI.

What only a use case can judge (an address, a region's code, a language tag) is left to it. Must not import the store.
Invariant: what a schema lets through has the types that its use case takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from alerting.api.cap_schemas import AlertSchema, Closed
from alerting.api.paging import PageQuery
from alerting.authoring.keys import Role
from alerting.authoring.reading import CHANNELS, AlertState
from alerting.subscribing import HAZARDS, Floor

FLOORS = tuple(floor.name.lower() for floor in Floor)

_not_blank = validate.Regexp(r"(?s).*\S", error="must not be blank")


def _said(text: str) -> dict[str, str]:
    return {"description": text}


# ------------------------------------------------------------------------------------------------- warnings


class Omit(Closed):
    """One channel left out, and why: both are kept in the audit."""

    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    reason = fields.String(required=True, validate=[_not_blank, validate.Length(max=500)])


class PublishBody(Closed):
    """A warning in JSON."""

    alert = fields.Nested(AlertSchema, required=True)
    omit = fields.List(
        fields.Nested(Omit),
        load_default=list,
        metadata=_said("Channels to leave out; all channels are used by default."),
    )


class OmitQuery(Closed):
    """The query of a warning in XML."""

    omit = fields.List(
        fields.String(),
        load_default=list,
        metadata=_said(
            "A channel to leave out and the reason, as `sms:reason`; may be given more than once."
        ),
    )


class TextByLanguage(fields.Dict):
    """Texts by language tag; what is wrong is told where the text stands, not where marshmallow keeps it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call] # marshmallow's has no annotations
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            told = {
                tag: [*each.get("key", ()), *each.get("value", ())] for tag, each in error.messages.items()
            }
            raise ValidationError(told, valid_data=error.valid_data) from error


class CancelBody(Closed):
    """Why a warning is lifted, and what people are told."""

    reason = fields.String(
        required=True,
        validate=[_not_blank, validate.Length(max=500)],
        metadata=_said("Becomes the note of the Cancel, which is public."),
    )
    texts = TextByLanguage(
        keys=fields.String(),
        values=fields.String(validate=[_not_blank, validate.Length(max=2000)]),
        load_default=dict,
        metadata=_said(
            "What people are told, by language tag; the standard text where a language is missing."
        ),
    )
    in_error = fields.Boolean(
        load_default=False,
        metadata=_said("The warning should never have gone out: also those now in the area are told."),
    )


class OverrideBody(Closed):
    """One contradiction that the approver takes on."""

    rule = fields.String(required=True, metadata=_said("The rule of the finding: W-03."))
    pointer = fields.String(
        required=True,
        metadata=_said(
            "Its JSON pointer into the document, such as /info/0/headline; /alert may stand before it."
        ),
    )
    reason = fields.String(
        required=True,
        validate=[_not_blank, validate.Length(max=500)],
        metadata=_said("Why the words are meant: kept in the audit with the approver's name."),
    )


class ApproveBody(Closed):
    """What the approver takes on; nothing where no words contradict the status."""

    overrides = fields.List(
        fields.Nested(OverrideBody),
        load_default=list,
        metadata=_said("Each contradiction (rule W-03) between words and status that is meant."),
    )


class AlertsQuery(PageQuery):
    """Which warnings, newest first."""

    state = fields.String(
        validate=validate.OneOf([state.value for state in AlertState]), metadata=_said("Only this state.")
    )


class DeliveriesQuery(PageQuery):
    """Tallies, or with `rows` single deliveries."""

    rows = fields.Boolean(load_default=False, metadata=_said("List deliveries, addresses masked, in pages."))


# -------------------------------------------------------------------------------------------------- regions


class RegionsQuery(PageQuery):
    """Which regions, by code."""

    q = fields.String(
        validate=validate.Length(min=1, max=100),
        metadata=_said(
            "The first letters of a name in any language, or of a code; such a list has one page."
        ),
    )
    parent = fields.String(
        validate=validate.Length(min=1, max=100),
        metadata=_said("Only the children of the region with this code."),
    )

    @validates_schema
    def one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        if "q" in data and "parent" in data:
            raise ValidationError("give q or parent, not both", "parent")


# ---------------------------------------------------------------------------------------------- subscribers


class AddressBody(Closed):
    """Where somebody is reached."""

    channel = fields.String(required=True, validate=validate.OneOf(["sms", "email"]))
    address = fields.String(
        required=True,
        validate=validate.Length(min=1, max=320),
        metadata=_said(
            "A telephone number with +, or as written in the service's own country; or a mailbox."
        ),
    )


class FollowBody(Closed):
    """A region by code, or a point."""

    region = fields.String(validate=validate.Length(min=1, max=100))
    lat = fields.Float(validate=validate.Range(-90, 90), metadata=_said("Degrees, WGS 84."))
    lon = fields.Float(validate=validate.Range(-180, 180), metadata=_said("Degrees, WGS 84."))
    floor = fields.String(
        load_default="any",
        validate=validate.OneOf(FLOORS),
        metadata=_said("The least severity to hear of. Severity Unknown passes every floor."),
    )
    hazards = fields.List(
        fields.String(validate=validate.OneOf(HAZARDS)),
        load_default=None,
        metadata=_said("CAP categories; all of them when absent."),
    )

    @validates_schema
    def one_place(self, data: Mapping[str, Any], **_: Any) -> None:
        point = {"lat", "lon"} & data.keys()
        if "region" in data and point:
            raise ValidationError("give a region or a point, not both", "region")
        if "region" not in data and len(point) != 2:
            raise ValidationError("give a region, or lat and lon")


class SubscriberBody(Closed):
    """Somebody who agreed to be warned."""

    language = fields.String(load_default=None, metadata=_said("BCP 47; the authority's when absent."))
    addresses = fields.List(
        fields.Nested(AddressBody), required=True, validate=validate.Length(min=1, max=20)
    )
    follows = fields.List(fields.Nested(FollowBody), required=True, validate=validate.Length(min=1, max=100))
    consent_at = fields.AwareDateTime(
        load_default=None, metadata=_said("When the person agreed, with an offset; now when absent.")
    )
    external_id = fields.String(load_default=None, metadata=_said("Your own id of this person."))
    audience = fields.String(load_default="public", validate=validate.OneOf(["public", "exercise"]))


class ImportQuery(Closed):
    """How a list is imported."""

    audience = fields.String(load_default="public", validate=validate.OneOf(["public", "exercise"]))


# ------------------------------------------------------------------------------------------ keys and policy


class KeyBody(Closed):
    """A key to be made."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=64))
    role = fields.String(required=True, validate=validate.OneOf([role.value for role in Role]))


class PolicyBody(Closed):
    """How many approvers a warning needs."""

    approvers = fields.Integer(
        required=True, strict=True, validate=validate.OneOf([0, 1]), metadata=_said("0 issues at once.")
    )
