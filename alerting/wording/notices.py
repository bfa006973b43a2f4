"""Answers to citizens: what was understood, and what to do next.

No warning, no store. The commands (JOIN, STOP, START) are the same in every language, because providers know them so.
Invariant: a name typed by a citizen or read from a gazetteer is a value, never a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from alerting.wording import sms
from alerting.wording.phrases import Phrases, phrases
from alerting.wording.rendered import Rendered, freeze
from alerting.wording.templates import template
from alerting.wording.words import one_line


class Answer(StrEnum):
    """What is answered."""

    JOINED = "joined"  # place, code
    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"  # example
    UNKNOWN_PLACE = "unknown_place"  # written, example
    AMBIGUOUS_PLACE = "ambiguous_place"  # written, choices
    CONFIRMATION = "confirmation"  # place, link


# Of what a citizen typed: enough to recognise it, and no way to write a letter in our name.
_ECHO = 40
_MOST_CHOICES = 8


def notice(
    kind: str,
    language: str,
    channel: str,
    *,
    issuer: str = "",
    place: str = "",
    code: str = "",
    written: str = "",
    example: str = "",
    choices: Sequence[str] = (),
    link: str = "",
) -> Rendered:
    """The answer `kind` (an Answer) in a language, for "sms" or "email".

    `place` and `code` are what was understood, `written` what the citizen typed, `choices` codes (with or without
    names) of which at most 8 are said, `issuer` whose service it is. Raises ValueError for another kind or channel.
    """
    say = phrases(language)
    body = _body(
        Answer(kind),
        say,
        place=f"{one_line(place)} ({one_line(code)})" if code and code != place else one_line(place),
        written=sms.shorten(one_line(written), _ECHO),
        example=one_line(example),
        choices=[one_line(choice) for choice in choices],
        link=link,
    )
    if channel == "sms":
        text = sms.plain(f"{one_line(issuer)}: {body}" if issuer else body)
        return freeze(language, text=text, segments=sms.segments(text))
    if channel == "email":
        subject = say.say("Your subscription to warnings")
        values = {"body": body, "issuer": one_line(issuer), "subject": subject, "link": link, "phrases": say}
        text = template("email/notice.txt").render(values)
        return freeze(language, subject=subject, text=text, html=template("email/notice.html").render(values))
    raise ValueError(f"no notice for channel {channel!r}: it is sms or email")


def _body(
    kind: Answer, say: Phrases, *, place: str, written: str, example: str, choices: list[str], link: str
) -> str:
    match kind:
        case Answer.JOINED:
            return say.say("You will get warnings for %(place)s. To stop, reply STOP.", place=place)
        case Answer.STOPPED:
            return say.say("You will get no more warnings. To start again, reply START.")
        case Answer.STARTED:
            return say.say("You will get warnings again. To stop, reply STOP.")
        case Answer.HELP:
            return say.say(
                "To get warnings, reply JOIN and a place or its code, for example: JOIN %(example)s. "
                "To stop, reply STOP.",
                example=example,
            )
        case Answer.UNKNOWN_PLACE:
            return say.say(
                'We do not know the place "%(written)s". Reply JOIN and a place or its code, '
                "for example: JOIN %(example)s",
                written=written,
                example=example,
            )
        case Answer.AMBIGUOUS_PLACE:
            more = ", ..." if len(choices) > _MOST_CHOICES else ""
            return say.count(
                '"%(written)s" is the name of %(n)d place. Reply JOIN and its code: %(choices)s',
                '"%(written)s" is the name of %(n)d places. Reply JOIN and one of these codes: %(choices)s',
                len(choices),
                written=written,
                choices=", ".join(choices[:_MOST_CHOICES]) + more,
            )
        case Answer.CONFIRMATION:
            return say.say(
                "To confirm that you want warnings for %(place)s, open this link: %(link)s",
                place=place,
                link=link,
            )
