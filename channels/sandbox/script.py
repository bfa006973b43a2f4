"""How the sandbox misbehaves: rules that are tried in order and used up. One language for both of its modes.

    {"channel": "sms", "to": "+15550100", "http": 400, "code": 21610}        refuse one number
    {"channel": "sms", "http": 429, "code": 20429, "retry_after": 2, "times": 500}   a storm; "share": 0.1 a drizzle
    {"channel": "sms", "drop": true, "times": 1}                              taken, but the reply is lost
    {"channel": "sms", "hang": true}                                          never answered, and not taken
    {"channel": "sms", "hang": true, "drop": true}                            never answered, but taken
    {"channel": "sms", "latency": 0.2}                                        answered late
    {"channel": "sms", "callback_delay": 5, "callback_times": 2, "callback_reversed": true}
    {"channel": "sms", "final": "undelivered", "error_code": 30003}           what the callback says in the end
    {"channel": "email", "reply": "550 5.1.1 no", "stage": "rcpt"}            stage: connect, mail, rcpt, data
    {"channel": "email", "hang": true, "stage": "connect"}                    no greeting

Standard library only. Invariant: an unknown field or a wrong type is refused with its name, never ignored.
"""

from __future__ import annotations

import random
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

#: Where in a mail's transaction a rule applies; what concerns its end (`drop`, DATA's reply) is found at RCPT.
STAGES = ("connect", "mail", "rcpt", "data")


class ScriptError(ValueError):
    """The script is not one; the text says which rule and why."""


@dataclass(slots=True)
class Rule:
    """One piece of misbehaviour; `times` counts down, None for ever; `to` None for everybody. Seconds throughout.

    `share` is the part of the messages that it meets, by a generator with a fixed seed. `queued`: taken, and not yet sent on.
    """

    channel: str
    to: str | None = None
    times: int | None = None
    share: float | None = None
    latency: float | None = None
    drop: bool = False
    hang: bool = False
    http: int | None = None
    code: int | None = None
    retry_after: float | None = None
    queued: bool = False
    final: str | None = None
    error_code: int | None = None
    callback_delay: float | None = None
    callback_times: int | None = None
    callback_reversed: bool = False
    reply: str | None = None
    stage: str = "rcpt"

    def answers(self) -> bool:
        """Whether it takes the place of the good reply, so that no later rule is looked at."""
        return self.drop or self.hang or self.http is not None or self.reply is not None


@dataclass(slots=True)
class Script:
    """The rules in force."""

    rules: list[Rule] = field(default_factory=list)  # one that is used up goes
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # a fault is no secret

    def matching(self, channel: str, to: str | None, *, stage: str = "rcpt") -> list[Rule]:
        """The rules for one message, used up by it: all that only delay or colour it, the first that answers.

        `stage` "connect" and "mail" meet the rules of that stage alone, "rcpt" those of a message: rcpt and data.
        """
        found = []
        for rule in self.rules:
            of = "rcpt" if rule.stage == "data" else rule.stage
            if rule.channel != channel or of != stage or rule.to not in (None, to):
                continue
            if rule.share is not None and self.dice.random() >= rule.share:
                continue
            if rule.times == 0:
                continue
            if rule.times is not None:
                rule.times -= 1
            found.append(rule)
            if rule.answers():
                break
        self._forget_used_up(found)
        return found

    def refusing(self) -> Rule | None:
        """The rule, used up by it, that a look-up of texts meets: the first that refuses or hangs for everybody."""
        for rule in self.rules:
            refuses = rule.http is not None or (rule.hang and not rule.drop)
            if rule.channel != "sms" or rule.to is not None or not refuses:
                continue
            if rule.share is not None and self.dice.random() >= rule.share:
                continue
            if rule.times is not None:
                rule.times -= 1
            self._forget_used_up([rule])
            return rule
        return None

    def _forget_used_up(self, rules: list[Rule]) -> None:
        if any(rule.times == 0 for rule in rules):
            self.rules[:] = [rule for rule in self.rules if rule.times != 0]


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
    if item.get("stage", "rcpt") not in STAGES:
        yield f"stage must be one of {', '.join(STAGES)}"


def _fits(value: object, hint: object) -> bool:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, bool):
        return bool in kinds
    return any(
        isinstance(value, (int, float) if kind is float else kind) for kind in kinds if isinstance(kind, type)
    )
