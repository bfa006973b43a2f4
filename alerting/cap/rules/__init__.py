"""The rules of CAP 1.2 that no schema catches: groups X, A, I, R and G, each a function with its clause.

Owns `check`. Importing this package enters every rule in the register; profiles will add theirs on top. Must not
import anything outside `alerting.cap`. Invariant: rules see a document and a context, never a clock.
"""

from alerting.cap.findings import ERROR, WARNING, Finding, Level
from alerting.cap.rules import alert, area, info, infos, references, resource, text, zone  # noqa: F401 - entered by import
from alerting.cap.rules.registry import READING, Context, Identity, Mode, Rule, check, rules

__all__ = [
    "ERROR",
    "READING",
    "WARNING",
    "Context",
    "Finding",
    "Identity",
    "Level",
    "Mode",
    "Rule",
    "check",
    "rules",
]
