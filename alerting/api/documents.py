"""The body of a new warning, XML or JSON, as one value: the alert, the channels left out, and what was found in reading.

Branches on the media type: a view that takes both cannot let webargs read the body. Structure is judged by the marshmallow
schemas, form and rules by `alerting.cap`. Invariant: every finding of a body is reported in one answer, by its place in the body
that the caller sent: pointers of JSON begin with /alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import g, request
from marshmallow import ValidationError

from alerting.api.problems import Fault, Refused, flatten, invalid
from alerting.api.reading import JSON, has_body, read_body, read_json, wrong_type
from alerting.api.schemas import ApproveBody, PublishBody
from alerting.api.setting import now, settings
from alerting.authoring import Override, judge, signature_findings
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
    """A warning as it was handed in; `xml` are its bytes if it came as XML."""

    alert: Alert
    xml: bytes | None
    omit: Mapping[str, str]
    warnings: Sequence[Fault] = field(default=())


def read(omit: Sequence[str]) -> Posted:
    """The warning in the request's body; raises Refused with 400, 415 or, with everything that is wrong, 422."""
    if request.mimetype == JSON:
        return _from_json(omit)
    if request.mimetype in XML_TYPES:
        return _from_xml(omit)
    raise wrong_type(*XML_TYPES, JSON)


def _from_xml(omit: Sequence[str]) -> Posted:
    data = read_body()
    left_out, wrong = _omitted_in_query(omit)
    document = xml.read(data)
    alert = _require(document, left_out, wrong)
    return Posted(alert, data, left_out, faults(_verified(document, data)))


def _verified(document: Document, data: bytes) -> list[Finding]:
    """What was found in reading; a signature that was passed over there is verified here, over the bytes as they came."""
    found = [each for each in document.findings if each.rule != "S-02"]
    if len(found) < len(document.findings):
        found += signature_findings(data, settings=settings(), now=now())
    return found


def _from_json(omit: Sequence[str]) -> Posted:
    body = read_json()
    g.alert_stands_at = "/alert"
    try:
        loaded: Mapping[str, Any] = PublishBody().load(body)
        structure: list[Fault] = []
    except ValidationError as error:
        loaded = {}
        structure = [Fault(detail, pointer) for pointer, detail in flatten(error.messages)]
    wrong = [Fault("with JSON, write omit into the body", parameter="omit")] if omit else []
    left_out = {each["channel"]: each["reason"] for each in loaded.get("omit", [])}
    if len(left_out) < len(loaded.get("omit", [])):
        wrong.append(Fault("a channel is left out twice", "/omit"))
    alert = body.get("alert") if isinstance(body, dict) else None
    if not isinstance(alert, dict):
        raise invalid([*wrong, *structure], what="the warning")
    document = jsonform.from_json(alert)
    # Where both found the same, the rule's words say how to mend it.
    told = {each.pointer for each in faults(document.findings)}
    wrong += [each for each in structure if each.pointer not in told]
    return Posted(_require(document, left_out, wrong), None, left_out, faults(document.findings))


def overrides() -> list[Override]:
    """What the approver takes on, by the body of the request; nothing without a body. Raises Refused with 400, 415, 422."""
    if not has_body():
        return []
    try:
        loaded: Mapping[str, Any] = ApproveBody().load(read_json())
    except ValidationError as error:
        faults = [Fault(detail, pointer) for pointer, detail in flatten(error.messages)]
        raise invalid(faults, what="the approval") from error
    return [Override(each["rule"], each["pointer"], each["reason"]) for each in loaded["overrides"]]


def _require(document: Document, omit: Mapping[str, str], wrong: Sequence[Fault]) -> Alert:
    """The alert of a document whose form is sound; else raises Refused with that, `wrong` and what else can be judged."""
    if document.alert is not None and not wrong:
        return document.alert
    findings = judge(document, omit, settings=settings(), now=now())
    refused = invalid(
        [*wrong, *faults(each for each in findings if each.severity == ERROR)], what="the warning"
    )
    warnings = faults(each for each in findings if each.severity != ERROR)
    raise Refused(replace(refused.problem, warnings=warnings))


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


def faults(findings: Iterable[Finding]) -> list[Fault]:
    """Findings about the alert of this request as they are told, by their place in its body."""
    return [_fault(each) for each in findings]


def _fault(finding: Finding) -> Fault:
    stands_at = g.get("alert_stands_at", "")
    if finding.place[:1] == ("omit",):  # beside the alert in a JSON body, in the query of an XML one
        if stands_at:
            return Fault(finding.message, "/omit", finding.rule)
        return Fault(finding.message, rule=finding.rule, parameter="omit")
    if finding.place[:1] in {
        ("texts",),
        ("overrides",),
    }:  # of the body of a cancel or an approval, which is no CAP
        return Fault(finding.message, finding.pointer, finding.rule)
    return Fault(finding.message, stands_at + finding.pointer, finding.rule, finding.path)
