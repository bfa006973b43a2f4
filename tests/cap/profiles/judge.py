"""What a profile says about an alert, and the real alerts that the corpus has for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from alerting.cap import model as m
from alerting.cap.findings import Finding
from alerting.cap.rules import Context, check, rules
from alerting.cap.xml import read


def said(profile: str, alert: m.Alert, context: Context | None = None) -> list[Finding]:
    """The findings of the profile's own rules; the core's are tested with the core."""
    ids = {rule.id for rule in rules(profile=profile)}
    chosen = replace(context or Context(), profiles=(profile,))
    return [finding for finding in check(alert, chosen) if finding.rule in ids]


def brief(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.rule, str(finding.severity), finding.path) for finding in findings]


@cache
def real(shared: Path, name: str) -> m.Alert:
    """The alert of one file of the corpus, by the end of its name."""
    found = list((shared / "cap" / "corpus").glob(f"*/*{name}.xml"))
    assert len(found) == 1, name
    alert = read(found[0].read_bytes()).alert
    assert alert is not None, name
    return alert


def pairs(**named: str) -> tuple[m.NamedValue, ...]:
    return tuple(m.NamedValue(name.replace("_", "-"), value) for name, value in named.items())


def changed(alert: m.Alert, n: int = 0, **changes: Any) -> m.Alert:
    """The alert with one of its infos changed."""
    infos = list(alert.info)
    infos[n] = replace(infos[n], **changes)
    return replace(alert, info=tuple(infos))


def relaid(alert: m.Alert, n: int = 0, **changes: Any) -> m.Alert:
    """The alert with the first area of one info changed."""
    area = replace(alert.info[n].area[0], **changes)
    return changed(alert, n, area=(area, *alert.info[n].area[1:]))
