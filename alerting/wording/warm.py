"""Say something to nobody, so that the first warning does not wait for templates, catalogues and time zones to load.

Owns no text: a throw-away alert goes through every template once. Invariant: nothing of it is kept or sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from alerting.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Info,
    MsgType,
    Scope,
    Severity,
    Status,
    Urgency,
)  # fmt: skip
from alerting.cap.segment import segments
from alerting.wording.render import render_all
from alerting.wording.rendered import Issuer

#: The languages that have a catalogue of fixed phrases.
LANGUAGES = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")

CHANNELS = ("sms", "email", "rss", "web")


def warm(issuer: Issuer, *, now: datetime) -> None:
    """Load what `render_all` and `check_words` will need in this process; half a second, once."""
    from alerting.wording.checks import identify

    identify.warm()
    infos = tuple(
        Info(
            category=(Category.OTHER,), event="-", urgency=Urgency.UNKNOWN, severity=Severity.UNKNOWN,
            certainty=Certainty.UNKNOWN, language=language, expires=now + timedelta(hours=1), area=(Area("-"),),
        )
        for language in LANGUAGES
    )  # fmt: skip
    alert = Alert("-", "-", now, Status.TEST, MsgType.ALERT, Scope.PUBLIC, info=infos)
    for segment in segments(alert):
        render_all(alert, segment, CHANNELS, issuer, issuer.base_url)
