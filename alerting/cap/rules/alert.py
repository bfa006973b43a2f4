"""The rules of the alert element, section 3.2.1: identity, times, status, scope and the lists.

Owns A-01 to A-05, A-07, A-09, A-10, A-15 and A-17 as far as they are judged on the model; their form is judged by the
readers. Rules about referenced messages lie in `references`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, MsgType, Scope, Status
from alerting.cap.rules.registry import Case, Fault, rule

_INFORMING = frozenset({MsgType.ALERT, MsgType.UPDATE})
_UNSENT = frozenset({Status.DRAFT, Status.SYSTEM, Status.TEST})  # an Exercise has lists of its own


def _forbidden(name: str) -> str | None:
    for character, said in ((",", "a comma"), ("<", "<"), ("&", "&")):
        if character in name:
            return said
    return None if len(name.split()) < 2 and name == name.strip() else "a blank"


@rule("A-01", clause="3.2.1", severity=ERROR)
def identifier_is_one_token(alert: Alert, case: Case) -> Iterator[Fault]:
    """The identifier holds no blank, comma, < or &, and its sender has not used it for another message."""
    if said := _forbidden(alert.identifier):
        yield Fault(("identifier",), f"the identifier holds {said}: use none of blank, comma, < and &")
    known = case.context.known
    if known:
        other = known.get((alert.sender, alert.identifier))
        if other is not None and other != alert:
            yield Fault(
                ("identifier",), "this sender has used this identifier for another message: take a new one"
            )


@rule("A-02", clause="3.2.1", severity=ERROR)
def sender_is_one_token(alert: Alert, _: Case) -> Iterator[Fault]:
    """The sender holds no blank, comma, < or &."""
    if said := _forbidden(alert.sender):
        yield Fault(
            ("sender",), f"the sender holds {said}: use a domain name or the like, no blank, comma, < or &"
        )


@rule("A-04", clause="3.2.1", severity=WARNING, needs=("sent",), about="now")
def sent_is_not_ahead(alert: Alert, case: Case) -> Iterator[Fault]:
    """sent does not lie in the future, beyond the skew that the context allows."""
    if case.now is not None and alert.sent > case.now + case.context.skew:
        yield Fault(("sent",), "sent lies in the future: give the time at which the message was made")


@rule("A-05", clause="3.2.1", severity=WARNING, needs=("status",), about="drilling")
def status_fits_its_use(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Exercise names itself in note, and nobody issues a Draft, System or Test message to warn people."""
    status = alert.status
    if status is Status.ACTUAL:
        return
    if status is Status.EXERCISE and not (alert.note and alert.note.strip()):
        yield Fault(("note",), "an Exercise names itself in note: write which exercise this is")
    if case.publishing and status in _UNSENT:
        yield Fault(
            ("status",), f"a {status} message warns nobody of the public: write Actual to warn people"
        )


@rule("A-07", clause="3.2.1", severity=WARNING, needs=("msgType",))
def error_explains_itself(alert: Alert, _: Case) -> Iterator[Fault]:
    """An Error says in note what was wrong."""
    if alert.msg_type is MsgType.ERROR and not (alert.note and alert.note.strip()):
        yield Fault(("note",), "an Error says in note what was wrong: write it")


@rule("A-09", clause="3.2.1", severity=ERROR, needs=("scope",), about="limited")
def restriction_goes_with_restricted(alert: Alert, _: Case) -> Iterator[Fault]:
    """restriction stands with scope Restricted, and only there."""
    restricted = alert.scope is Scope.RESTRICTED
    if restricted and not (alert.restriction and alert.restriction.strip()):
        yield Fault(
            ("restriction",), "scope Restricted needs the rule for limiting distribution: write it here"
        )
    elif alert.restriction is not None and not restricted:
        yield Fault(
            ("restriction",), f"restriction goes with scope Restricted, not {alert.scope}: take it out"
        )


@rule("A-10", clause="3.2.1", severity=ERROR, needs=("scope",), about="limited")
def private_has_addresses(alert: Alert, _: Case) -> Iterator[Fault]:
    """scope Private lists its recipients, those with blanks in quotation marks."""
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        yield Fault(("addresses",), "scope Private needs the intended recipients: list them here")
    for n, address in enumerate(alert.addresses):
        if not address.strip() or ('"' in address and address.split() != [address]):
            yield Fault(
                ("addresses", n), "an address is empty or holds quotation marks: write it without them"
            )


@rule("A-15", clause="3.2.1", severity=WARNING, about="incidents")
def incidents_are_names(alert: Alert, _: Case) -> Iterator[Fault]:
    """Each incident is a name, those with blanks in quotation marks."""
    for n, incident in enumerate(alert.incidents):
        if not incident.strip() or ('"' in incident and incident.split() != [incident]):
            yield Fault(
                ("incidents", n), "an incident is empty or holds quotation marks: write its name without them"
            )


@rule("A-17", clause="1.3.1", severity=ERROR, needs=("status", "msgType"))
def warning_has_an_info(alert: Alert, _: Case) -> Iterator[Fault]:
    """An Alert or Update of status Actual has an info."""
    if not alert.info and alert.status is Status.ACTUAL and alert.msg_type in _INFORMING:
        yield Fault(("info",), f"an actual {alert.msg_type} informs somebody: add an info block")
