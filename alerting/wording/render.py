"""Renders a segment for each channel and language, and freezes what it made.

The one place that knows which channel says it how. Pure: no clock, no database. Invariant: equal input gives equal
bytes, and a language is one of the segment's or `mul`, which is all of them in one text.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerting.cap.model import Alert
from alerting.cap.segment import Segment
from alerting.wording import sms, sms_text
from alerting.wording.language import MUL
from alerting.wording.rendered import Issuer, Rendered, freeze
from alerting.wording.templates import template
from alerting.wording.words import Words, one_line, words

#: Longer subjects are cut by mail programs anyway (RFC 5322 2.1.1 asks for lines under 78 and allows 998).
_SUBJECT = 150
#: Of a summary in a feed: graphemes of the description.
_SUMMARY = 600


def render(
    alert: Alert, segment: Segment, channel: str, language: str, issuer: Issuer, link: str
) -> Rendered:
    """The segment's text for "sms", "email", "rss" or "web" in one of its languages or `mul`.

    `link` is the absolute address of the public page, empty where there is none. Raises ValueError for another channel
    or language.
    """
    spoken = segment.languages if language == MUL else (language,)
    if not spoken:
        raise ValueError(f"segment {segment.n} has no language")
    told = [words(alert, segment, each, issuer) for each in spoken]
    if channel == "sms":
        text = sms_text.warning(told, link, issuer.sms_limits)
        return freeze(language, text=text, segments=sms.segments(text))
    if channel == "email":
        return _email(told, language, link)
    if channel in {"rss", "web"}:
        return freeze(language, subject=_subject(told), text=_summary(told))
    raise ValueError(f"no wording for channel {channel!r}: it is sms, email, rss or web")


def render_all(
    alert: Alert, segment: Segment, channels: Sequence[str], issuer: Issuer, link: str
) -> dict[tuple[str, str], Rendered]:
    """Every text of the segment by (channel, language), with `mul` when it has more than one language."""
    languages = [*segment.languages, MUL] if len(segment.languages) > 1 else list(segment.languages)
    return {
        (channel, language): render(alert, segment, channel, language, issuer, link)
        for channel in channels
        for language in languages
    }


def _email(told: Sequence[Words], language: str, link: str) -> Rendered:
    values = {"told": told, "link": link, "language": told[0].language if language == MUL else language}
    subject = _subject(told)
    text = template("email/warning.txt").render(values).strip() + "\n"
    html = template("email/warning.html").render(values, subject=subject, direction=told[0].direction)
    return freeze(language, subject=subject, text=text, html=html)


def _subject(told: Sequence[Words]) -> str:
    """Marker, kind and headline on one line; in several languages shared out among them."""
    room = _SUBJECT // len(told)
    titles = (f"{each.marker}: {each.title}" if each.marker else each.title for each in told)
    return " / ".join(sms.shorten(one_line(title), room) for title in titles)


def _summary(told: Sequence[Words]) -> str:
    summary = template("feeds/summary.txt")
    return "\n\n".join(
        summary.render(
            words=each,
            title=each.title if len(told) > 1 else "",
            description=sms.shorten(one_line(each.description), _SUMMARY),
        ).strip()
        for each in told
    )
