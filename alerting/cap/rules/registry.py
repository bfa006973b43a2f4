"""How a rule is written, collected and run: the decorator, the context and `check`.

Owns the register. A rule is a function of an alert and a Case that yields a Fault for each breach; it has no clock, no
randomness and no I/O. Invariant: every rule runs on every document, whatever else is wrong with it, and the findings
come back ordered by place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple

from shapely.geometry.base import BaseGeometry

from alerting.cap.area import BadShape, polygon
from alerting.cap.findings import Document, Finding, Level, Place, by_place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.model import Alert


class Mode(Enum):
    """Why a document is checked: to take what others have issued, or to issue it now."""

    READ = "read"
    PUBLISH = "publish"


Identity = tuple[str, str]
"""Sender and identifier: what a reference is matched on (T-07)."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a verdict depends on beside the document.

    `now` is aware; without it nothing is compared with the clock. `known` are the messages that references are
    resolved in. `skew` is how far a sender's clock may be ahead. `may_act_for` holds (sender, owner) pairs: who may
    update or cancel another's message, beside its own sender (A-14).
    """

    now: datetime | None = None
    mode: Mode = Mode.READ
    known: Mapping[Identity, Alert] = field(default_factory=dict)
    skew: timedelta = timedelta(minutes=5)
    may_act_for: frozenset[tuple[str, str]] = frozenset()
    limits: Limits = LIMITS


READING: Final = Context()


class Fault(NamedTuple):
    """One breach: where, what to do about it, and a severity where it is not the rule's own."""

    place: Place
    message: str
    severity: Level | None = None


class Case:
    """One document under examination: its context, and its polygons, each read once however many rules ask."""

    __slots__ = ("_shapes", "_sound", "context", "now", "publishing", "too_many_points")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.now = context.now
        self.publishing = context.mode is Mode.PUBLISH
        self.too_many_points: bool | None = None
        self._shapes: dict[str, BaseGeometry | BadShape] = {}
        self._sound: dict[int, bool] = {}

    def shape(self, text: str) -> BaseGeometry | BadShape:
        """The polygon's geometry, or why there is none."""
        shape = self._shapes.get(text)
        if shape is None:
            try:
                shape = polygon(text)
            except BadShape as bad:
                shape = bad
            self._shapes[text] = shape
        return shape

    def sound(self, shape: BaseGeometry) -> bool:
        """Whether a geometry of `shape` is valid; asked once for each."""
        known = self._sound.get(id(shape))
        if known is None:
            known = self._sound[id(shape)] = bool(shape.is_valid)
        return known


Test = Callable[[Alert, Case], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of RULES.md: its clause of CAP 1.2, its severity on reading and on publishing, and its test.

    `needs` are the elements whose content it judges by: where one could not be read, the rule has nothing to say.
    """

    id: str
    clause: str
    severity: Level
    publish: Level
    needs: frozenset[str]
    test: Test


_REGISTER: Final[list[Rule]] = []


def rule(
    rule_id: str, *, clause: str, severity: Level, publish: Level | None = None, needs: tuple[str, ...] = ()
) -> Callable[[Test], Test]:
    """Enter a test in the register; `publish` is its severity when issuing, where that differs."""

    def enter(test: Test) -> Test:
        _REGISTER.append(Rule(rule_id, clause, severity, publish or severity, frozenset(needs), test))
        return test

    return enter


def rules() -> tuple[Rule, ...]:
    """Every rule in the register, in the order of its definition."""
    return tuple(_REGISTER)


def check(subject: Document | Alert, context: Context = READING) -> tuple[Finding, ...]:
    """Everything wrong with a document: the findings of reading it and of all rules, ordered by place.

    A document whose form is broken is still judged by what could be read of it.
    """
    findings: list[Finding] = []
    if isinstance(subject, Alert):
        alert: Alert | None = subject
    else:
        findings.extend(subject.findings)
        alert = subject.alert
        if alert is None:
            return _check_draft(subject, findings, context)
    case = Case(context)
    for entry in _REGISTER:
        for fault in entry.test(alert, case):
            findings.append(_finding(entry, fault, case))
    return by_place(findings[: context.limits.findings])


def _check_draft(subject: Document, findings: list[Finding], context: Context) -> tuple[Finding, ...]:
    """The rules on what could be read: silent about every place and element that could not."""
    if subject.draft is None:
        return by_place(findings)
    unread = {finding.place for finding in findings}
    names = {step for place in unread for step in place[-2:] if isinstance(step, str)}
    case = Case(context)
    for entry in _REGISTER:
        if entry.needs & names:
            continue
        for fault in entry.test(subject.draft, case):
            if fault.place not in unread:
                findings.append(_finding(entry, fault, case))
    return by_place(findings[: context.limits.findings])


def _finding(entry: Rule, fault: Fault, case: Case) -> Finding:
    severity = fault.severity or (entry.publish if case.publishing else entry.severity)
    return Finding(entry.id, severity, fault.place, fault.message)
