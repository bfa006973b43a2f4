"""The grammar of CAP 1.2 as one table: which element holds what, in which order, how often (section 3.4).

Owns Block and Field; the XML reader and writer and the JSON form are walks over them, so an element is described once.
Imports the model and the values. Invariant: the order of a block's fields is the order of the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from operator import attrgetter
from typing import Any, Final

from alerting.cap import values
from alerting.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Info,
    MsgType,
    NamedValue,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Status,
    Urgency,
)
from alerting.cap.slots import builder

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE_NAMESPACE: Final = "http://www.w3.org/2000/09/xmldsig#"


class Kind(Enum):
    """What an element holds."""

    TEXT = "text"
    WORD = "word"  # one of a closed vocabulary
    TIME = "time"
    VALUE = "value"  # text with a form of its own, read by `Field.read`
    LIST = "list"  # space-separated items in one element, an array in JSON
    REFERENCES = "references"
    BLOCK = "block"


_LISTED: Final = frozenset({Kind.LIST, Kind.REFERENCES})


@dataclass(frozen=True, slots=True)
class Block:
    """An element with elements inside.

    `make` is its class in the model; `values` takes a value of it apart and `build` puts one together, both in the
    order of `fields`. `required` are ranks; `empty` are the values of a block with nothing in it: () where they are
    tuples, else None. `by_tag` has what the XML reader asks of each element in one look-up.
    """

    name: str
    make: type[Any]
    fields: tuple[Field, ...]
    by_name: dict[str, Field]
    by_tag: dict[str, Step]
    required: tuple[int, ...]
    empty: tuple[tuple[()] | None, ...]
    values: Callable[[Any], tuple[Any, ...]]
    build: Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One element of a block; `rule` is the rule of RULES.md that speaks about its form."""

    name: str
    kind: Kind
    rule: str
    attr: str = ""  # the name in the model: CAP's in snake case
    rank: int = 0
    many: bool = False
    required: bool = False
    words: dict[str, Any] = field(default_factory=dict)
    read: Callable[[str], Any] | None = None
    block: Block | None = None
    placeholder: Any = None


Step = tuple[int, bool, Kind, Field]
"""A field behind its rank, whether it may come again, and its kind."""


def _block(name: str, make: type[Any], *described: Field) -> Block:
    ranked = tuple(replace(each, attr=_snake(each.name), rank=n) for n, each in enumerate(described))
    return Block(
        name=name,
        make=make,
        fields=ranked,
        by_name={each.name: each for each in ranked},
        by_tag={f"{{{NAMESPACE}}}{each.name}": (each.rank, each.many, each.kind, each) for each in ranked},
        required=tuple(each.rank for each in ranked if each.required),
        empty=tuple(() if each.many or each.kind in _LISTED else None for each in ranked),
        values=attrgetter(*(each.attr for each in ranked)),
        build=builder(make, [each.attr for each in ranked]),
    )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _text(name: str, rule: str = "X-03", *, many: bool = False, required: bool = False) -> Field:
    return Field(name, Kind.TEXT, rule, many=many, required=required, placeholder="" if required else None)


def _word(
    name: str, vocabulary: type[StrEnum], rule: str, placeholder: Any = None, *, many: bool = False
) -> Field:
    required = placeholder is not None or vocabulary is Category
    words = {member.value: member for member in vocabulary}
    return Field(name, Kind.WORD, rule, many=many, required=required, words=words, placeholder=placeholder)


def _time(name: str, placeholder: Any = None) -> Field:
    required = placeholder is not None
    return Field(name, Kind.TIME, "A-03", required=required, read=values.time, placeholder=placeholder)


def _value(name: str, rule: str, read: Callable[[str], Any]) -> Field:
    return Field(name, Kind.VALUE, rule, read=read)


def _nested(block: Block) -> Field:
    return Field(block.name, Kind.BLOCK, "X-03", many=True, block=block)


def _pair(name: str) -> Field:
    pair = _block(
        name, NamedValue, _text("valueName", "I-09", required=True), _text("value", "I-09", required=True)
    )
    return _nested(pair)


RESOURCE: Final = _block(
    "resource",
    Resource,
    _text("resourceDesc", "R-01", required=True),
    _text("mimeType", "R-01", required=True),
    _value("size", "R-02", values.integer),
    _value("uri", "R-03", values.uri),
    _text("derefUri", "R-04"),
    _text("digest", "R-05"),
)
AREA: Final = _block(
    "area",
    Area,
    _text("areaDesc", "G-01", required=True),
    _text("polygon", "G-02", many=True),
    _text("circle", "G-04", many=True),
    _pair("geocode"),
    _value("altitude", "G-07", values.decimal),
    _value("ceiling", "G-07", values.decimal),
)
INFO: Final = _block(
    "info",
    Info,
    _value("language", "I-01", values.language),
    _word("category", Category, "I-05", many=True),
    _text("event", "X-07", required=True),
    _word("responseType", ResponseType, "I-06", many=True),
    _word("urgency", Urgency, "I-07", Urgency.UNKNOWN),
    _word("severity", Severity, "I-08", Severity.UNKNOWN),
    _word("certainty", Certainty, "I-08", Certainty.UNKNOWN),
    _text("audience"),
    _pair("eventCode"),
    _time("effective"),
    _time("onset"),
    _time("expires"),
    _text("senderName"),
    _text("headline"),
    _text("description"),
    _text("instruction"),
    _value("web", "I-15", values.uri),
    _text("contact"),
    _pair("parameter"),
    _nested(RESOURCE),
    _nested(AREA),
)
ALERT: Final = _block(
    "alert",
    Alert,
    _text("identifier", "A-01", required=True),
    _text("sender", "A-02", required=True),
    _time("sent", values.UNREAD),
    _word("status", Status, "A-05", Status.DRAFT),
    _word("msgType", MsgType, "A-06", MsgType.ALERT),
    _text("source"),
    _word("scope", Scope, "A-09", Scope.PUBLIC),
    _text("restriction", "A-09"),
    Field("addresses", Kind.LIST, "A-10"),
    _text("code", many=True),
    _text("note"),
    Field("references", Kind.REFERENCES, "A-11"),
    Field("incidents", Kind.LIST, "A-15"),
    _nested(INFO),
)
