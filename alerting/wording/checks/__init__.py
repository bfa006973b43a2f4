"""What is wrong with a warning's words: wrong language, blanks left unfilled, words that contradict the status.

Pure; never part of `alerting.cap.rules.check`, whose rules are about CAP. Must not be imported by alerting.cap or by
`alerting.wording` itself: the language model is read when the first text is judged, and 75 MB are not everybody's.
Invariant: a finding of severity error is a contradiction (W-03), which an approver overrides by name; the rest warns.
"""

from __future__ import annotations

from alerting.cap.findings import ERROR, Finding, by_place
from alerting.cap.model import Alert
from alerting.wording.checks import blanks, cellular, contradictions, languages, repeats

__all__ = ["check_words", "contradicting"]


def check_words(alert: Alert) -> tuple[Finding, ...]:
    """Every finding of W-01 to W-05 about the texts of an alert, by place."""
    return by_place(
        [
            *languages.find(alert),
            *blanks.find(alert),
            *contradictions.find(alert),
            *repeats.find(alert),
            *cellular.find(alert),
        ]
    )


def contradicting(alert: Alert) -> tuple[Finding, ...]:
    """The findings that block issuing until an approver overrides each; cheap, no language is identified."""
    return by_place([finding for finding in contradictions.find(alert) if finding.severity == ERROR])
