"""How a rule is written, collected and run: the decorator, the context and `check`.

Owns the registers: that of the core and one for each profile. A rule is a function of an alert and a Case that yields a
Fault for each breach; it has no clock, no randomness and no I/O. Invariant: every rule of the core runs on every
document, whatever else is wrong with it, those of a profile where the document announces it or the context names it,
each once; the findings come back ordered by place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Literal, NamedTuple

from shapely.geometry.base import BaseGeometry

from alerting.cap.area import BadShape, circle, more_points, polygon, sound
from alerting.cap.crossing import UNCROWDED
from alerting.cap.findings import Document, Finding, Level, Place, by_place
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.model import Alert, Area, Resource, Scope, Status
from alerting.cap.slots import builder


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
    update or cancel another's message, beside its own sender (A-14). `profiles` are names of alerting.cap.profiles
    whose rules run too, beside those of the profiles that the alert's codes announce.
    """

    now: datetime | None = None
    mode: Mode = Mode.READ
    known: Mapping[Identity, Alert] = field(default_factory=dict)
    skew: timedelta = timedelta(minutes=5)
    may_act_for: frozenset[tuple[str, str]] = frozenset()
    limits: Limits = LIMITS
    profiles: tuple[str, ...] = ()


READING: Final = Context()


class Fault(NamedTuple):
    """One breach: where, what to do about it, and a severity where it is not the rule's own."""

    place: Place
    message: str
    severity: Level | None = None


class Case:
    """One document under examination: its context, and what several rules look at, laid out once.

    `areas`, `circles` and `resources` are those of all infos with their places; `references` are the alert's; `several`
    are its infos where there is more than one. `shapes` are the polygons that could be read, each with its place and
    whether it is valid; `flaws` say why others, and circles, could not. With `too_many_points` (G-10) none was read, and
    where they are `crowded` their crossings are counted before they are compared. `markup` says that texts may hold "<" or "&". `bare` are the areas without a shape,
    `heights` those with a ceiling; `drilling` says that the status is not Actual, `limited` that not everybody is meant.
    """

    __slots__ = (
        "areas",
        "bare",
        "circles",
        "context",
        "crowded",
        "drilling",
        "flaws",
        "heights",
        "incidents",
        "known",
        "limited",
        "markup",
        "now",
        "publishing",
        "references",
        "resources",
        "several",
        "shapes",
        "too_many_points",
    )

    def __init__(self, alert: Alert, context: Context, *, plain: bool = False) -> None:
        self.context = context
        self.markup = not plain
        self.now = context.now
        self.publishing = context.mode is Mode.PUBLISH
        self.references = alert.references
        self.incidents = alert.incidents
        self.known = context.known
        self.drilling = alert.status is not Status.ACTUAL
        self.limited = bool(
            alert.scope is not Scope.PUBLIC or alert.addresses or alert.restriction is not None
        )
        self.bare: list[tuple[Place, Area]] = []
        self.heights: list[tuple[Place, Area]] = []
        self.several = alert.info if len(alert.info) > 1 else ()
        self.areas: list[tuple[Place, Area]] = []
        polygons: list[tuple[Place, str]] = []
        self.circles: list[tuple[Place, str]] = []
        self.resources: list[tuple[Place, Resource]] = []
        for i, info in enumerate(alert.info):
            for a, area in enumerate(info.area):
                place: Place = ("info", i, "area", a)
                self.areas.append((place, area))
                if not area.polygon and not area.circle:
                    self.bare.append((place, area))
                if area.ceiling is not None:
                    self.heights.append((place, area))
                for n, text in enumerate(area.polygon):
                    polygons.append(((*place, "polygon", n), text))
                for n, text in enumerate(area.circle):
                    self.circles.append(((*place, "circle", n), text))
            for r, resource in enumerate(info.resource):
                self.resources.append((("info", i, "resource", r), resource))
        self._draw(polygons)

    def _draw(self, polygons: list[tuple[Place, str]]) -> None:
        """Read polygons and circles: what they are, or why they are nothing."""
        limits = self.context.limits
        texts = [text for _, text in polygons]
        self.crowded = more_points(texts, UNCROWDED)
        self.too_many_points = self.crowded and more_points(texts, limits.points)
        self.shapes: list[tuple[Place, BaseGeometry, bool]] = []
        self.flaws: list[tuple[Place, BadShape]] = []
        if self.too_many_points:
            message = f"the polygons have more than {limits.points} points: simplify them"
            self.flaws.append((("info",), BadShape("G-10", message)))
        elif polygons:
            self._read(polygons)
        if (drawn := len({text for _, text in self.circles})) > (most := limits.circles):
            message = f"there are {drawn} circles, more than {most}: draw a polygon round them"
            self.flaws.append((("info",), BadShape("G-10", message)))
        for spot, text in self.circles:
            try:
                circle(text)
            except BadShape as bad:
                self.flaws.append((spot, bad))

    def _read(self, polygons: list[tuple[Place, str]]) -> None:
        """Read every polygon, each text once: the languages of a warning repeat them."""
        known: dict[str, tuple[BaseGeometry, bool] | BadShape] = {}
        alone = not self.several  # the polygons of one info differ, and to look for long texts takes time
        for place, text in polygons:
            shape = None if alone else known.get(text)
            if shape is None:
                try:
                    geometry = polygon(text)
                    shape = (geometry, sound(geometry, crowded=self.crowded))
                except BadShape as bad:
                    shape = bad
                if not alone:
                    known[text] = shape
            if isinstance(shape, BadShape):
                self.flaws.append((place, shape))
            else:
                self.shapes.append((place, *shape))


About = Literal[
    "areas",
    "bare",
    "circles",
    "drilling",
    "flaws",
    "heights",
    "incidents",
    "known",
    "limited",
    "markup",
    "now",
    "references",
    "resources",
    "several",
    "shapes",
]
Test = Callable[[Alert, Case], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of RULES.md: its clause of CAP 1.2, its severity on reading and on publishing, and its test.

    The rule of a profile has that profile's name, and as its clause the document that asks for it.

    `needs` are the elements whose content it judges by: where one could not be read, the rule has nothing to say.
    `about` is what it looks through: a rule about resources is not called where there are none.
    """

    id: str
    clause: str
    severity: Level
    publish: Level
    needs: frozenset[str]
    about: About | None
    test: Test
    profile: str | None = None


Step = tuple[About | None, list[tuple[Test, Rule]]]
_REGISTER: Final[list[Rule]] = []
_PROFILED: Final[dict[str, list[Rule]]] = {}  # the same for each profile, by its name
_TOGETHER: Final[
    dict[tuple[str, ...], list[Step]]
] = {}  # core and profiles, as they have been asked for, by what they are about


def rule(
    rule_id: str,
    *,
    clause: str,
    severity: Level,
    publish: Level | None = None,
    needs: tuple[str, ...] = (),
    about: About | None = None,
    profile: str | None = None,
) -> Callable[[Test], Test]:
    """Enter a test in the register of the core, or of `profile`.

    `publish` is its severity when issuing, where that differs.
    """

    def enter(test: Test) -> Test:
        made = Rule(rule_id, clause, severity, publish or severity, frozenset(needs), about, test, profile)
        register = _REGISTER if profile is None else _PROFILED.setdefault(profile, [])
        register.append(made)
        _TOGETHER.clear()
        return test

    return enter


def rules(*, profile: str | None = None) -> tuple[Rule, ...]:
    """Every rule of the core, or of the profile of that name, in the order of its definition.

    The names are the keys of `alerting.cap.profiles.PROFILES`; raises ValueError for another.
    """
    if profile is None:
        return tuple(_REGISTER)
    return tuple(_profiled(profile))


_finding: Final = builder(Finding)


def check(subject: Document | Alert, context: Context = READING) -> tuple[Finding, ...]:
    """Everything wrong with a document: the findings of reading it and of all rules, ordered by place.

    A document whose form is broken is still judged by what could be read of it: the rules are silent about every
    place and element that could not. Raises ValueError where `context.profiles` names a profile that there is not.
    """
    if isinstance(subject, Alert):
        return by_place(_run(_steps(subject, context), subject, context))
    findings = list(subject.findings)
    if subject.alert is not None:
        findings += _run(_steps(subject.alert, context), subject.alert, context, plain=subject.plain)
    elif subject.draft is not None:
        unread = {finding.place for finding in findings}
        names = {step for place in unread for step in place[-2:] if isinstance(step, str)}
        able = [
            (about, [step for step in tests if not step[1].needs & names])
            for about, tests in _steps(subject.draft, context)
        ]
        findings += [found for found in _run(able, subject.draft, context) if found.place not in unread]
    return by_place(findings[: context.limits.findings])


def _steps(alert: Alert, context: Context) -> list[Step]:
    """The rules for this alert: those of the core, and of its profiles where it has any."""
    names: tuple[str, ...] = ()
    if alert.code or context.profiles:
        from alerting.cap.profiles import announced  # the profiles' rules are made with this module

        asked = announced(alert)
        if asked or context.profiles:
            names = tuple(dict.fromkeys([*(profile.name for profile in asked), *context.profiles]))
    steps = _TOGETHER.get(names)
    if steps is None:
        found: dict[About | None, list[tuple[Test, Rule]]] = {}
        for entry in (*_REGISTER, *(entry for name in names for entry in _profiled(name))):
            found.setdefault(entry.about, []).append((entry.test, entry))
        steps = _TOGETHER[names] = list(found.items())
    return steps


def _profiled(name: str) -> list[Rule]:
    from alerting.cap.profiles import named

    return _PROFILED[named(name).name]


def _run(steps: Iterable[Step], alert: Alert, context: Context, *, plain: bool = False) -> list[Finding]:
    case = Case(alert, context, plain=plain)
    publishing, most = case.publishing, context.limits.findings
    findings: list[Finding] = []
    for about, tests in steps:
        if about is not None and not getattr(case, about):
            continue
        for test, entry in tests:
            for place, message, severity in test(alert, case):
                level = severity or (entry.publish if publishing else entry.severity)
                findings.append(_finding((entry.id, level, place, message)))
                if len(findings) >= most:
                    return findings
    return findings
