"""Alerts made for tests: one that no rule has anything against, and hypothesis strategies for all that can be written."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from alerting.cap import model as m

SENT = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=8)))
NOW = datetime(2026, 3, 1, 1, 5, tzinfo=UTC)  # five minutes after SENT
SQUARE = "10,20 10,21 11,21 11,20 10,20"


def area(**changes: Any) -> m.Area:
    return replace(
        m.Area("River plain", polygon=(SQUARE,), geocode=(m.NamedValue("FIPS", "12345"),)), **changes
    )


def info(**changes: Any) -> m.Info:
    made = m.Info(
        category=(m.Category.MET,),
        event="Flood",
        urgency=m.Urgency.IMMEDIATE,
        severity=m.Severity.SEVERE,
        certainty=m.Certainty.OBSERVED,
        language="en-GB",
        response_type=(m.ResponseType.EVACUATE,),
        effective=SENT,
        onset=SENT + timedelta(hours=1),
        expires=SENT + timedelta(hours=6),
        sender_name="River Authority",
        headline="The river rises",
        description="The river will flood the plain within the hour.",
        instruction="Go to high ground.",
        web="https://river.example/flood",
        contact="river.example",
        area=(area(),),
    )
    return replace(made, **changes)


def alert(*infos: m.Info, **changes: Any) -> m.Alert:
    made = m.Alert(
        identifier="river-2026-1",
        sender="river.example",
        sent=SENT,
        status=m.Status.ACTUAL,
        msg_type=m.MsgType.ALERT,
        scope=m.Scope.PUBLIC,
        info=infos or (info(),),
    )
    return replace(made, **changes)


def naming(*targets: m.Alert) -> tuple[m.Reference, ...]:
    return tuple(m.Reference(target.sender, target.identifier, target.sent) for target in targets)


# ---- everything that can be written ----

texts = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r"
    ),
    max_size=20,
)
tokens = st.text(string.ascii_letters + string.digits + "-._@:&<", min_size=1, max_size=12)
times = st.builds(
    lambda moment, minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28)).map(lambda moment: moment.replace(microsecond=0)),
    st.integers(-14 * 60, 14 * 60),
)
items = texts.filter(lambda text: '"' not in text)
uris = st.sampled_from(
    ["https://a.example/b?c=d#e", "a.png", "mailto:a@b.example", "//x/y", "", "https://例え.jp/ä"]
)
decimals = st.from_regex(r"[+-]?(?:[0-9]{1,6}(?:\.[0-9]{0,4})?|\.[0-9]{1,4})", fullmatch=True)
pairs = st.builds(m.NamedValue, texts, texts)
references = st.builds(m.Reference, tokens, tokens, times)


def _some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


resources = st.builds(
    m.Resource,
    texts,
    texts,
    size=_maybe(st.integers(-(10**6), 10**9)),
    uri=_maybe(uris),
    deref_uri=_maybe(texts),
    digest=_maybe(texts),
)
areas = st.builds(
    m.Area,
    texts,
    polygon=_some(texts),
    circle=_some(texts),
    geocode=_some(pairs),
    altitude=_maybe(decimals),
    ceiling=_maybe(decimals),
)
infos = st.builds(
    m.Info,
    category=st.lists(st.sampled_from(m.Category), min_size=1, max_size=2).map(tuple),
    event=texts,
    urgency=st.sampled_from(m.Urgency),
    severity=st.sampled_from(m.Severity),
    certainty=st.sampled_from(m.Certainty),
    language=_maybe(st.sampled_from(["en", "zh-Hant-TW", "sp-US", "es-419", "EN"])),
    response_type=_some(st.sampled_from(m.ResponseType)),
    audience=_maybe(texts),
    event_code=_some(pairs),
    effective=_maybe(times),
    onset=_maybe(times),
    expires=_maybe(times),
    sender_name=_maybe(texts),
    headline=_maybe(texts),
    description=_maybe(texts),
    instruction=_maybe(texts),
    web=_maybe(uris),
    contact=_maybe(texts),
    parameter=_some(pairs),
    resource=_some(resources),
    area=_some(areas),
)
alerts = st.builds(
    m.Alert,
    identifier=texts,
    sender=texts,
    sent=times,
    status=st.sampled_from(m.Status),
    msg_type=st.sampled_from(m.MsgType),
    scope=st.sampled_from(m.Scope),
    source=_maybe(texts),
    restriction=_maybe(texts),
    addresses=_some(items),
    code=_some(texts),
    note=_maybe(texts),
    references=_some(references),
    incidents=_some(items),
    info=_some(infos),
)
