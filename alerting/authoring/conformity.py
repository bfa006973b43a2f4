"""What the rules say about a document that is to be issued: those of CAP 1.2 and those of the authority's profiles.

Owns no transaction. Must not import the store. Invariant: a profile never holds up a Cancel; what is over or wrong can
always be withdrawn, and the core still refuses a Cancel that nobody could act on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alerting.cap import rules
from alerting.cap.findings import ERROR, WARNING, Document, Finding
from alerting.cap.model import Alert, MsgType
from alerting.cap.profiles import PROFILES
from alerting.config import Settings


def judge(subject: Document | Alert, settings: Settings, now: datetime) -> tuple[Finding, ...]:
    """All findings on issuing it, by place; `now` is aware. The profiles are those of CAP_PROFILES and of its codes."""
    context = rules.Context(now=now, mode=rules.Mode.PUBLISH, profiles=settings.cap_profiles)
    findings = rules.check(subject, context)
    alert = subject if isinstance(subject, Alert) else subject.alert
    if alert is None or alert.msg_type is not MsgType.CANCEL:
        return findings
    profiled = {rule.id for name in PROFILES for rule in rules.rules(profile=name)}
    return tuple(
        replace(each, severity=WARNING) if each.severity is ERROR and each.rule in profiled else each
        for each in findings
    )
