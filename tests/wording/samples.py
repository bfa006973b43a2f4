"""A flood in three languages, for the tests of wording, feeds and pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from alerting.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Info,
    MsgType,
    Reference,
    Scope,
    Severity,
    Status,
    Urgency,
)
from alerting.cap.segment import Segment, segments
from alerting.wording import Issuer

CHINA = timezone(timedelta(hours=8))
SENT = datetime(2026, 7, 24, 10, 0, tzinfo=CHINA)
LINK = "https://warnings.example.org/w/k3x9qa"
ISSUER = Issuer("Water Office", "en", "Asia/Shanghai", "https://warnings.example.org")


def info(language: str = "en", **changes: object) -> Info:
    made = Info(
        category=(Category.MET,),
        event="Flood",
        urgency=Urgency.IMMEDIATE,
        severity=Severity.SEVERE,
        certainty=Certainty.OBSERVED,
        language=language,
        expires=SENT + timedelta(hours=9),
        headline="Flood in the lower valley",
        description="The river rises quickly.",
        instruction="Move to higher ground now.",
        area=(Area("Lower valley", polygon=("30,117 31,117 31,118 30,117",)),),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # a test names the fields


ENGLISH = info()
CHINESE = info(
    "zh-Hans",
    event="洪水",
    headline="洪水橙色预警",
    description="河水正在快速上涨。",
    instruction="请立即转移到高处。",
    area=(Area("下游河谷", polygon=("30,117 31,117 31,118 30,117",)),),
)
ARABIC = info(
    "ar",
    event="فيضان",
    headline="تحذير من فيضان",
    description="منسوب النهر يرتفع بسرعة.",
    instruction="انتقل إلى مكان مرتفع الآن.",
    area=(Area("الوادي السفلي", polygon=("30,117 31,117 31,118 30,117",)),),
)


def alert(*infos: Info, **changes: object) -> Alert:
    made = Alert(
        identifier="flood-1",
        sender="water@example.org",
        sent=SENT,
        status=Status.ACTUAL,
        msg_type=MsgType.ALERT,
        scope=Scope.PUBLIC,
        info=infos or (ENGLISH, CHINESE, ARABIC),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # a test names the fields


def first(told: Alert) -> Segment:
    return segments(told)[0]


def cancel_without_info(languages: tuple[str, ...] = ("en", "zh-Hans", "ar")) -> tuple[Alert, Segment]:
    """A Cancel that says nothing itself, with the segment that authoring makes of the original."""
    original = alert()
    told = alert(
        identifier="flood-2",
        msg_type=MsgType.CANCEL,
        sent=SENT + timedelta(hours=2),
        references=(Reference("water@example.org", "flood-1", SENT),),
    )
    return replace(told, info=()), replace(first(original), infos=(), languages=languages)
