"""How the sandbox misbehaves: rules that are tried in order and used up.

    {"channel": "sms", "to": "+15550100", "http": 400, "code": 21610}        refuse one number
    {"channel": "sms", "http": 429, "code": 20429, "retry_after": 2, "times": 5}
    {"channel": "sms", "final": "undelivered", "error_code": 30003}           what the callback says in the end
    {"channel": "email", "reply": "550 5.1.1 no", "stage": "rcpt"}            stage: mail, rcpt, data
    {"channel": "email", "drop": true, "times": 1}                            taken, but the reply is lost
    {"channel": "sms", "latency": 0.2}

Standard library only. Invariant: an unknown field or a wrong type is refused with its name, never ignored.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field, fields


class ScriptError(ValueError):
    """The script is not one; the text says which rule and why."""


@dataclass(slots=True)
class Rule:
    """One piece of misbehaviour; `times` counts down, None for ever; `to` None for everybody. Seconds throughout."""

    channel: str
    to: str | None = None
    times: int | None = None
    latency: float | None = None
    drop: bool = False
    http: int | None = None
    code: int | None = None
    retry_after: float | None = None
    final: str | None = None
    error_code: int | None = None
    reply: str | None = None
    stage: str = "rcpt"

    def answers(self) -> bool:
        """Whether it takes the place of the good reply, so that no later rule is looked at."""
        return self.drop or self.http is not None or self.reply is not None


@dataclass(slots=True)
class Script:
    """The rules in force."""

    rules: list[Rule] = field(default_factory=list)

    def matching(self, channel: str, to: str, *, at_mail: bool = False) -> list[Rule]:
        """The rules for one message, used up by it: all that only delay or colour it, the first that answers."""
        found = []
        for rule in self.rules:
            if rule.channel != channel or (rule.stage == "mail") is not at_mail:
                continue
            if rule.to in (None, to) and rule.times != 0:
                if rule.times is not None:
                    rule.times -= 1
                found.append(rule)
                if rule.answers():
                    break
        return found


def parse(document: object) -> list[Rule]:
    """Rules from decoded JSON, a list of objects; raises ScriptError with every finding."""
    if not isinstance(document, list):
        raise ScriptError("a script is a list of rules")
    hints = typing.get_type_hints(Rule)
    problems, rules = [], []
    for n, item in enumerate(document):
        found = [f"rule {n}: {problem}" for problem in _problems(item, hints)]
        problems += found
        if not found:
            rules.append(Rule(**item))
    if problems:
        raise ScriptError("; ".join(problems))
    return rules


def _problems(item: object, hints: dict[str, object]) -> Iterable[str]:
    if not isinstance(item, dict):
        yield "not an object"
        return
    known = {entry.name for entry in fields(Rule)}
    for name, value in item.items():
        if name not in known:
            yield f"unknown field {name!r}; known are {', '.join(sorted(known))}"
        elif not _fits(value, hints[name]):
            yield f"{name} has the wrong type"
    if item.get("channel") not in ("sms", "email"):
        yield 'channel must be "sms" or "email"'
    if item.get("stage", "rcpt") not in ("mail", "rcpt", "data"):
        yield "stage must be mail, rcpt or data"


def _fits(value: object, hint: object) -> bool:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, bool):
        return bool in kinds
    return any(
        isinstance(value, (int, float) if kind is float else kind) for kind in kinds if isinstance(kind, type)
    )
