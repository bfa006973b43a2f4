"""CAP 1.2 in JSON as marshmallow schemas, made from the grammar of `alerting.cap.schema`.

Owns the structure alone: which keys there are, which are required, what is an array, which words a vocabulary has. Forms of
values (times, URIs) and the rules are judged by `alerting.cap`. Invariant: a key of CAP is described once, in the grammar,
and so are the JSON that is taken and the OpenAPI document.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

from alerting.cap import schema as grammar
from alerting.cap.schema import Block, Field, Kind


class Closed(Schema):
    """A schema that refuses keys it does not know: an ignored key is a misunderstood warning."""

    class Meta:
        unknown = RAISE


_ABOUT: Final[dict[str, str]] = {
    "identifier": "Unique for the sender; no blanks, commas, < or &.",
    "sender": "Globally unique name of the originator, such as a domain or a mailbox.",
    "sent": "Time of origination with its offset; UTC is written -00:00.",
    "references": "Each as sender,identifier,sent.",
    "language": "BCP 47; absent means en-US.",
    "expires": "Give it: without it the warning ends after the longest life that the service allows.",
    "polygon": "CAP's text: lat,lon pairs with blanks between, the last pair as the first.",
    "circle": "CAP's text: lat,lon and, after a blank, the radius in kilometres.",
    "valueName": "The scheme, such as SAME or ISO3166-2.",
    "size": "In bytes.",
}


def _field(field: Field) -> fields.Field[Any]:
    many = field.many or field.kind in {Kind.LIST, Kind.REFERENCES}
    # null stands for an absent element, as `alerting.cap.jsonform` reads it.
    options: dict[str, Any] = {"required": field.required, "allow_none": not field.required}
    if field.name in _ABOUT:
        options["metadata"] = {"description": _ABOUT[field.name]}
    if many and field.required:
        options["validate"] = validate.Length(min=1)
    if not many:
        return _one(field, **options)
    return fields.List(_one(field), **options)


def _one(field: Field, **options: Any) -> fields.Field[Any]:
    if field.block is not None:
        return fields.Nested(SCHEMAS[field.block.name], **options)
    if field.words:
        one_of = validate.OneOf(list(field.words), error="not one of: {choices}")
        return fields.String(validate=one_of, **options)
    if field.name == "size":
        return fields.Integer(strict=True, **options)
    if field.name in {"altitude", "ceiling"}:
        return fields.Raw(
            metadata={"type": ["string", "number"], "description": "Feet above mean sea level."}, **options
        )
    if field.kind is Kind.TIME:
        metadata = {"format": "date-time", **options.pop("metadata", {})}
        return fields.String(metadata=metadata, **options)
    return fields.String(**options)


#: By the element's name: inner blocks first.
SCHEMAS: dict[str, type[Schema]] = {}


def _schema(block: Block) -> type[Schema]:
    if block.name not in SCHEMAS:
        for field in block.fields:
            if field.block is not None:
                _schema(field.block)
        # valueName and value have one shape, but a name of their own for each element, as in CAP.
        name = "Cap" + block.name[0].upper() + block.name[1:]
        attributes: dict[str, Any] = {field.name: _field(field) for field in block.fields}
        SCHEMAS[block.name] = type(name, (Closed,), attributes)
    return SCHEMAS[block.name]


AlertSchema: Final = _schema(grammar.ALERT)
