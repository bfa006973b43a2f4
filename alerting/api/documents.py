"""The body of a new warning, XML or JSON, as one value: the alert, the channels left out, and what was found in reading.

Branches on the media type: a view that takes both cannot let webargs read the body. Structure is judged by the marshmallow
schemas, form and rules by `alerting.cap`. Invariant: every finding of a body is reported in one answer, by its place in the body
that the caller sent: pointers of JSON begin with /alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from marshmallow import ValidationError

from alerting.api.problems import Fault, flatten, invalid
from alerting.api.reading import JSON, read_json, wrong_type
from alerting.api.schemas import PublishBody
from alerting.authoring.reading import CHANNELS
from alerting.cap import jsonform, xml
from alerting.cap.findings import ERROR, Document, Finding
from alerting.cap.model import Alert

XML_TYPES = ("application/cap+xml", "application/xml", "text/xml")

#: For the OpenAPI document.
REQUEST_BODY: Mapping[str, Any] = {
    "required": True,
    "content": {
        "application/cap+xml": {"schema": {"type": "string", "description": "A CAP 1.2 document."}},
        "application/xml": {"schema": {"type": "string", "description": "A CAP 1.2 document."}},
        JSON: {"schema": PublishBody},
    },
}


@dataclass(frozen=True, slots=True)
class Posted:
    """A warning as it was handed in. `xml` are its bytes if it came as XML; `prefix` begins every pointer."""

    alert: Alert
    xml: bytes | None
    omit: Mapping[str, str]
    prefix: str
    warnings: Sequence[Fault] = field(default=())


def read(omit: Sequence[str]) -> Posted:
    """The warning in the request's body; raises Refused with 400, 415 or, with everything that is wrong, 422."""
    if request.mimetype == JSON:
        return _from_json(omit)
    if request.mimetype in XML_TYPES:
        return _from_xml(omit)
    raise wrong_type(*XML_TYPES, JSON)


def _from_xml(omit: Sequence[str]) -> Posted:
    data = request.get_data(cache=False)
    left_out, wrong = _omitted_in_query(omit)
    document = xml.read(data)
    wrong += faults(document.findings, "", only_errors=True)
    if document.alert is None or wrong:
        raise invalid(wrong, what="the warning")
    return Posted(document.alert, data, left_out, "", _warnings(document, ""))


def _from_json(omit: Sequence[str]) -> Posted:
    body = read_json()
    prefix = "/alert"
    wrong = [Fault("with JSON, write omit into the body", parameter="omit")] if omit else []
    try:
        loaded: Mapping[str, Any] = PublishBody().load(body)
    except ValidationError as error:
        loaded = {}
        wrong += [Fault(detail, pointer) for pointer, detail in flatten(error.messages)]
    document = Document(None)
    if isinstance(body, dict) and isinstance(body.get("alert"), dict):
        document = jsonform.from_json(body["alert"])
        told = {fault.pointer for fault in wrong}
        wrong += [
            each for each in faults(document.findings, prefix, only_errors=True) if each.pointer not in told
        ]
    left_out = {each["channel"]: each["reason"] for each in loaded.get("omit", [])}
    if len(left_out) < len(loaded.get("omit", [])):
        wrong.append(Fault("a channel is left out twice", "/omit"))
    if document.alert is None or wrong:
        raise invalid(wrong, what="the warning")
    return Posted(document.alert, None, left_out, prefix, _warnings(document, prefix))


def _omitted_in_query(omit: Sequence[str]) -> tuple[dict[str, str], list[Fault]]:
    """`sms:reason` of the query as channel -> reason, and what is wrong with it."""
    found: dict[str, str] = {}
    wrong: list[Fault] = []
    for written in omit:
        channel, _, reason = written.partition(":")
        if channel not in CHANNELS or not reason.strip() or len(reason) > 500:
            wrong.append(
                Fault(f"write channel:reason, the channel one of {', '.join(CHANNELS)}", parameter="omit")
            )
        elif channel in found:
            wrong.append(Fault(f"{channel} is left out twice", parameter="omit"))
        else:
            found[channel] = reason.strip()
    return found, wrong


def _warnings(document: Document, prefix: str) -> Sequence[Fault]:
    return [_fault(each, prefix) for each in document.findings if each.severity != ERROR]


def faults(findings: Iterable[Finding], prefix: str, *, only_errors: bool = False) -> list[Fault]:
    """Findings of the CAP core as they are told; `prefix` is where the alert stands in the body."""
    return [_fault(each, prefix) for each in findings if not only_errors or each.severity == ERROR]


def _fault(finding: Finding, prefix: str) -> Fault:
    return Fault(finding.message, prefix + finding.pointer, finding.rule, finding.path)
