"""The rules that are judged elsewhere than in a function here: by the readers, on bytes and JSON, or by no finding at all.

Owns the list of what `xml.read` and `jsonform.from_json` report, and of the rules that nothing can break: together with
the register they name every rule of CAP 1.2 that this package knows. Invariant: no reader reports an id that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alerting.cap.findings import ERROR, WARNING, Level


@dataclass(frozen=True, slots=True)
class Judged:
    """What a reader judges under one id: its clause of CAP 1.2, its severities, and the demand in a sentence."""

    id: str
    clause: str
    severities: tuple[Level, ...]
    demand: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule that no message can break, and what in this package keeps it."""

    id: str
    clause: str
    kept: str


_E: Final = (ERROR,)
_W: Final = (WARNING,)
_BOTH: Final = (ERROR, WARNING)

BY_READERS: Final = (
    Judged("X-01", "XML 1.0", _E, "The document is well-formed XML without a DOCTYPE and within the limits."),
    Judged(
        "X-02", "3.4", _E, "The root is alert in the namespace of CAP 1.2; 1.0 and 1.1 are other languages."
    ),
    Judged(
        "X-03", "3.4", _E, "Elements stand in the schema's order, in the block they belong to, none twice."
    ),
    Judged("X-04", "3.4", _E, "Nothing foreign stands in it but a Signature, last in alert; no attributes."),
    Judged("X-06", "RFC 3629", _W, "The encoding is UTF-8."),
    Judged("X-07", "3.2.2", _E, "event is there."),
    Judged("A-01", "3.2.1", _E, "identifier is there."),
    Judged("A-02", "3.2.1", _E, "sender is there."),
    Judged("A-03", "3.3.2", _BOTH, "Times are YYYY-MM-DDThh:mm:ss±hh:mm, never Z; +00:00 is a warning."),
    Judged("A-05", "3.2.1", _E, "status is there, and one of its five words."),
    Judged("A-06", "3.2.1", _E, "msgType is there, and one of its five words."),
    Judged("A-09", "3.2.1", _E, "scope is there, and one of its three words."),
    Judged("A-10", "3.2.1", _E, "Every quotation mark in addresses is closed."),
    Judged("A-11", "3.2.1", _E, "references is a list of sender,identifier,sent and not empty."),
    Judged("A-15", "3.2.1", _W, "Every quotation mark in incidents is closed."),
    Judged("A-18", "3.2.1", _E, "password, which went with CAP 1.0, is not there."),
    Judged("I-01", "3.2.2", _E, "language has the form of a tag."),
    Judged("I-05", "3.2.2", _E, "category is there, and each one of its twelve words."),
    Judged("I-06", "3.2.2", _E, "responseType is one of its nine words."),
    Judged("I-07", "3.2.2", _E, "urgency is there, and one of its five words."),
    Judged("I-08", "3.2.2", _E, "severity and certainty are there, and of their words; Very Likely is not."),
    Judged("I-09", "3.2.2", _E, "eventCode, parameter and geocode hold a valueName and a value."),
    Judged("I-15", "3.2.2", _E, "web is a URI."),
    Judged("R-01", "3.2.3", _E, "resourceDesc and mimeType are there."),
    Judged("R-02", "3.2.3", _E, "size is a whole number."),
    Judged("R-03", "3.2.3", _E, "uri is a URI."),
    Judged("G-01", "3.2.4", _E, "areaDesc is there."),
    Judged("G-07", "3.2.4", _E, "altitude and ceiling are decimal numbers."),
    Judged("S-02", "3.3.4.1", _W, "A signature was passed over on reading, and it says so: never a refusal."),
)
"""What `alerting.cap.xml.read` and `alerting.cap.jsonform.from_json` report, by id."""

BY_NOTHING: Final = (
    Kept("A-16", "3.2.1", "code is free text; profiles are announced there (`profiles.announced`)."),
    Kept("I-10", "3.2.2", "An absent effective is sent: `segment.segments` and `chain.expiry` say so."),
    Kept("G-05", "3.2.4", "The shapes of an area are united, none is a hole: `area.ground`."),
    Kept(
        "S-01",
        "3.3.4.1",
        "A signature is enveloped and last in alert: `signature.sign`; elsewhere it is X-04.",
    ),
    Kept(
        "S-03",
        "3.3.4.1",
        "Verified over the bytes received, against pinned certificates: `signature.verify`.",
    ),
    Kept(
        "S-04", "3.3.4.1", "Two signatures are each over the alert without all of them: `signature.verify`."
    ),
    Kept(
        "S-05", "3.3.4.1", "The algorithms that are met are taken, and the time of verifying is an argument."
    ),
    Kept("Z-01", "4.2", "`check` without an error: valid by the schema and by the rules of clause 3."),
)
"""Ids of which no finding can speak, each with what keeps it."""
