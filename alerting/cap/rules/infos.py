"""The rules that compare the infos of one alert, section 3.2.2: one event, told in sequences of languages.

Owns I-02 to I-04. An absent language is en-US; languages are compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerting.cap.findings import WARNING
from alerting.cap.model import Alert, Info
from alerting.cap.rules.registry import Case, Fault, rule

_SHORT = 12  # below this many characters the same words in two languages mean nothing ("Tsunami", "SMS")


def _primary(info: Info) -> str:
    """What comes before the first hyphen: en-US and en-GB may say the same in the same words."""
    return _language(info).partition("-")[0]


def _language(info: Info) -> str:
    return (info.language or "en-US").casefold()


def _targets(info: Info) -> set[object]:
    targets: set[object] = set()
    for area in info.area:
        targets.update(area.polygon, area.circle, area.geocode)
    return targets


@rule(
    "I-02",
    clause="3.2.2",
    severity=WARNING,
    needs=("urgency", "severity", "certainty", "language"),
    about="several",
)
def later_infos_do_not_override(_: Alert, case: Case) -> Iterator[Fault]:
    """Infos of one language do not rank the same area differently."""
    sequences: dict[str, list[tuple[int, Info]]] = {}
    for i, info in enumerate(case.several):
        sequences.setdefault(_language(info), []).append((i, info))
    for sequence in sequences.values():
        ranked: dict[object, tuple[object, ...]] = {}
        for i, info in sequence:
            rank = (info.urgency, info.severity, info.certainty)
            if any(ranked.setdefault(target, rank) != rank for target in _targets(info)):
                yield Fault(
                    ("info", i),
                    "an earlier info of this language ranks the same area otherwise: let one place have one rank",
                )


@rule("I-03", clause="3.2.2", severity=WARNING, needs=("category", "eventCode", "event"), about="several")
def infos_are_about_one_event(_: Alert, case: Case) -> Iterator[Fault]:
    """All infos have the same categories and event codes, and those of one language the same event."""
    first = case.several[0]
    events: dict[str, str] = {}
    for i, info in enumerate(case.several):
        if set(info.category) != set(first.category):
            yield Fault(
                ("info", i, "category"), "the categories differ from those of the first info: make them equal"
            )
        if set(info.event_code) != set(first.event_code):
            yield Fault(
                ("info", i, "eventCode"),
                "the event codes differ from those of the first info: make them equal",
            )
        if events.setdefault(_language(info), info.event) != info.event:
            yield Fault(
                ("info", i, "event"), "another info of this language names another event: send two messages"
            )


@rule("I-04", clause="3.2.2", severity=WARNING, needs=("language",), about="several")
def languages_differ_in_text(_: Alert, case: Case) -> Iterator[Fault]:
    """Infos of different languages do not repeat each other word for word."""
    for name in ("event", "headline", "description", "instruction"):
        first: dict[str, str] = {}
        for i, info in enumerate(case.several):
            text: str | None = getattr(info, name)
            if text is None or len(text) < _SHORT:
                continue
            if first.setdefault(text, _primary(info)) != _primary(info):
                yield Fault(
                    ("info", i, name), f"another language has the same {name}: is this one translated?"
                )
