"""The rules about the messages that a message acts on, section 3.2.1.

Owns A-06, A-08 and A-11 to A-14. Messages are matched on sender and identifier, not on sent, because feeds get that
time wrong (T-07).
"""

from __future__ import annotations

from collections.abc import Iterator

from alerting.cap.chain import in_force
from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import Alert, MsgType
from alerting.cap.rules.registry import Case, Fault, rule
from alerting.cap.values import UNREAD

_ACTING = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR})
_REPLACING = frozenset({MsgType.UPDATE, MsgType.CANCEL})


@rule("A-06", clause="3.2.1", severity=ERROR, needs=("msgType", "references"))
def references_required(alert: Alert, _: Case) -> Iterator[Fault]:
    """An Update, Cancel, Ack or Error names the messages that it acts on."""
    if alert.msg_type in _ACTING and not alert.references:
        yield Fault(
            ("references",), f"{alert.msg_type} acts on other messages: name them, sender,identifier,sent"
        )


@rule("A-08", clause="3.2.1", severity=WARNING, needs=("msgType",), about="references")
def alert_refers_to_nothing(alert: Alert, _: Case) -> Iterator[Fault]:
    """An Alert, the first of its kind, has no references."""
    if alert.references and alert.msg_type is MsgType.ALERT:
        yield Fault(
            ("references",), "an Alert is the first of its kind: make it an Update or take references out"
        )


@rule("A-11", clause="3.2.1", severity=ERROR, about="references")
def references_are_triples(alert: Alert, _: Case) -> Iterator[Fault]:
    """Sender and identifier in references hold no blank, comma, < or &."""
    for n, reference in enumerate(alert.references):
        for part in (reference.sender, reference.identifier):
            if part.split() != [part] or "," in part or "<" in part or "&" in part:
                yield Fault(
                    ("references", n), "sender and identifier hold no blank, comma, < or &: correct them"
                )
                break


@rule("A-12", clause="3.2.1", severity=ERROR, needs=("sender", "identifier"), about="references")
def references_look_back(alert: Alert, _: Case) -> Iterator[Fault]:
    """No message refers to itself or to one twice; referring to a later one is a warning."""
    seen: set[tuple[str, str]] = set()
    for n, reference in enumerate(alert.references):
        key = (reference.sender, reference.identifier)
        if key == (alert.sender, alert.identifier):
            yield Fault(("references", n), "a message cannot refer to itself: name the one that it acts on")
        elif reference.sent > alert.sent and alert.sent is not UNREAD:
            yield Fault(
                ("references", n),
                "the message referred to is later than this one: correct the times",
                WARNING,
            )
        if key in seen:
            yield Fault(("references", n), "this message is named twice: leave one")
        seen.add(key)


@rule("A-13", clause="3.2.1", severity=WARNING, needs=("msgType", "sent"), about="known")
def all_replaced_messages_named(alert: Alert, case: Case) -> Iterator[Fault]:
    """An Update or Cancel names every message of its chain that is still in force (of those known)."""
    known = case.context.known
    if not known or alert.msg_type not in _REPLACING:
        return
    named = {(reference.sender, reference.identifier) for reference in alert.references}
    before: set[tuple[str, str]] = set()
    ahead = list(named)
    while ahead:
        message = known.get(ahead.pop())
        for reference in message.references if message else ():
            key = (reference.sender, reference.identifier)
            if key not in before:
                before.add(key)
                ahead.append(key)
    for message in in_force(known.values(), case.now or alert.sent):
        key = (message.sender, message.identifier)
        if key in before - named and key != (alert.sender, alert.identifier):
            yield Fault(
                ("references",), f"{message.identifier} of the same chain is still in force: name it too"
            )


@rule("A-14", clause="3.2.1", severity=ERROR, needs=("msgType", "sender"), about="references")
def only_the_sender_may_replace(alert: Alert, case: Case) -> Iterator[Fault]:
    """Only its own sender, or who may act for it, updates or cancels a message."""
    if alert.msg_type not in _REPLACING:
        return
    for n, reference in enumerate(alert.references):
        if (
            reference.sender != alert.sender
            and (alert.sender, reference.sender) not in case.context.may_act_for
        ):
            yield Fault(
                ("references", n), f"only its own sender may {alert.msg_type} a message: ask that sender"
            )
