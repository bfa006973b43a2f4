"""Contradictions between words and status, and the approver who takes them on by name.

Pure. Judges nothing but W-03: the other findings about words are warnings and hold nobody up. Invariant: a warning whose
words contradict its status is issued only when each contradiction is overridden, by rule and place, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerting.authoring.errors import Contradicted, Refused
from alerting.cap.findings import ERROR, WARNING, Finding
from alerting.cap.model import Alert
from alerting.wording.checks import check_words, contradicting


@dataclass(frozen=True, slots=True)
class Override:
    """One contradiction that an approver takes on; `pointer` into the document, with or without /alert before it."""

    rule: str
    pointer: str
    reason: str

    @property
    def place(self) -> str:
        """The pointer as findings have it; a body of JSON has the document under /alert."""
        return self.pointer.removeprefix("/alert")


def judge(alert: Alert) -> tuple[list[Finding], bool]:
    """What is wrong with a warning's words, all as warnings, and whether it must wait for overrides."""
    found = check_words(alert)
    blocked = any(finding.severity == ERROR for finding in found)
    return [replace(finding, severity=WARNING) for finding in found], blocked


def accept(alert: Alert, overrides: Sequence[Override]) -> None:
    """Return when the overrides are exactly the contradictions of the alert.

    Raises Refused for overrides without a reason, given twice or matching nothing, and Contradicted for what is left.
    """
    open_ones = {(finding.rule, finding.pointer): finding for finding in contradicting(alert)}
    left = dict(open_ones)
    wrong: list[Finding] = []
    for n, override in enumerate(overrides):
        key = override.rule, override.place
        if not override.reason.strip():
            wrong.append(_refusal(n, "reason", "an override needs a reason: it is audited"))
        if key not in open_ones:
            known = ", ".join(f"{rule} at {pointer}" for rule, pointer in open_ones) or "nothing"
            wrong.append(
                _refusal(n, "pointer", f"no contradiction stands there: there is {known} to override")
            )
        elif key not in left:
            wrong.append(_refusal(n, "pointer", "this contradiction is overridden twice: once is enough"))
        left.pop(key, None)
    if wrong:
        raise Refused([*wrong, *left.values()])
    if left:
        raise Contradicted(tuple(left.values()))


def audited(overrides: Sequence[Override]) -> dict[str, object]:
    """The overrides as the audit keeps them."""
    return {
        "overrides": [
            {"rule": each.rule, "pointer": each.place, "reason": each.reason.strip()} for each in overrides
        ]
    }


def _refusal(n: int, name: str, message: str) -> Finding:
    return Finding("OVERRIDE", ERROR, ("overrides", n, name), message)
