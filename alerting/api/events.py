"""Events over HTTP: the terms of every vocabulary, found by code or by words.

A thin view over `alerting.cap.vocabulary`, with the schemas of its query and answer. Must not import the store. Invariant:
the answer depends on the query alone.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, fields, validate

from alerting.api.access import allow
from alerting.api.cap_schemas import Closed
from alerting.api.documented import refuses
from alerting.api.problems import Fault, invalid
from alerting.api.reading import ApiBlueprint
from alerting.authoring.keys import Role
from alerting.cap import vocabulary

EVERY_ROLE = tuple(Role)

blp = ApiBlueprint(
    "events", __name__, url_prefix="/api/v1", description="Codes and names for what a warning is about."
)


def _said(text: str) -> dict[str, str]:
    return {"description": text}


class EventsQuery(Closed):
    """Which terms, best match first."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=100),
        metadata=_said("A code, or the beginnings of words of a name; nothing lists the terms in order."),
    )
    scheme = fields.String(
        validate=validate.OneOf(vocabulary.SCHEMES), metadata=_said("Only this vocabulary.")
    )
    language = fields.String(
        validate=validate.Length(min=2, max=35),
        metadata=_said("Only terms that have a name in this language, such as en or zh-Hans."),
    )
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=500))


class EventNameAnswer(Schema):
    language = fields.String(required=True)
    name = fields.String(required=True)


class InstructionAnswer(Schema):
    """A suggested text, never sent by itself, and the public page whose advice it follows."""

    language = fields.String(required=True)
    text = fields.String(required=True)
    source = fields.URL(required=True)
    publisher = fields.String(required=True)
    licence = fields.String(required=True)


class EventAnswer(Schema):
    scheme = fields.String(required=True)
    code = fields.String(required=True)
    value_name = fields.String(
        required=True,
        allow_none=True,
        metadata=_said("The valueName of a CAP eventCode; null where the code is no event code."),
    )
    names = fields.List(
        fields.Nested(EventNameAnswer),
        required=True,
        metadata=_said("The preferred one of a language first."),
    )
    groups = fields.List(fields.String(), required=True, metadata=_said("The source's own groupings."))
    categories = fields.List(fields.String(), required=True)
    response_types = fields.List(
        fields.String(), required=True, metadata=_said("Our proposal: no vocabulary gives them.")
    )
    oet = fields.String(
        required=True, allow_none=True, metadata=_said("The closest OASIS event term, in our reading.")
    )
    severity = fields.String(required=True, allow_none=True, metadata=_said("Of a grade."))
    instructions = fields.List(fields.Nested(InstructionAnswer), required=True)


class EventsAnswer(Schema):
    events = fields.List(fields.Nested(EventAnswer), required=True)


@blp.route("/events", methods=["GET"])
@refuses(blp)
@blp.arguments(EventsQuery, location="query")
@blp.response(200, EventsAnswer)
@allow(*EVERY_ROLE)
def event_list(query: dict[str, Any]) -> dict[str, Any]:
    """Event terms that match, best first: codes, names, categories, proposed response types and instructions."""
    try:
        found = vocabulary.search(
            query["q"], scheme=query.get("scheme"), language=query.get("language"), limit=query["limit"]
        )
    except ValueError as error:
        raise invalid([Fault(str(error), parameter="language")]) from error
    return {"events": [_plain(term) for term in found]}


def _plain(term: vocabulary.Term) -> dict[str, Any]:
    return {
        **asdict(term),
        "names": [{"language": language, "name": name} for language, name in term.names],
    }
