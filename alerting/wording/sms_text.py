"""A warning as SMS: what must be said always, what explains it as far as there is room.

Shortens in a fixed order to a budget of segments. No encoding tables (those are in sms.py). Invariant: place, time with
zone, issuer, what to do and the whole link are in the text, and if need be the budget yields, never they.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerting.wording import sms
from alerting.wording.rendered import SmsLimits
from alerting.wording.templates import template
from alerting.wording.words import Words, one_line

# No text longer than all segments together is of use: a description of 10 000 characters is not measured whole.
_MOST = 1_600

# What gives way, in this order, and the graphemes that are left of it at least. The second pass is for long links and
# many languages.
_FIRST_PASS = (
    ("description", 0),
    ("note", 0),
    ("action", 60),
    ("place", 30),
    ("headline", 50),
    ("issuer", 30),
)
_SECOND_PASS = (("action", 16), ("place", 12), ("headline", 12), ("issuer", 10))

# A description cut to less than this explains nothing.
_LEAST_DESCRIPTION = 20


@dataclass(frozen=True, slots=True)
class _Parts:
    marker: str
    note: str
    headline: str
    place: str
    time: str
    description: str
    action: str
    issuer: str

    def text(self, link: str) -> str:
        values = {name: getattr(self, name) for name in self.__slots__}
        return template("sms/warning.txt").render(link=link, **values).strip()

    def cut(self, name: str, most: int, ellipsis: str) -> _Parts:
        shorter = sms.shorten(getattr(self, name), most, ellipsis=ellipsis)
        if name == "description" and most < _LEAST_DESCRIPTION:
            shorter = ""
        return _Parts(**{field: getattr(self, field) for field in self.__slots__} | {name: shorter})


def warning(told: Sequence[Words], link: str, limits: SmsLimits) -> str:
    """The text in the languages told, one block for each, the link once at the end."""
    blocks = [_parts(words) for words in told]
    whole = _joined(blocks, link)
    alphabet = sms.encoding(sms.plain(whole))
    if len(blocks) == 1:
        fitted = _fit(blocks[0], lambda parts: _within(sms.plain(parts.text(link)), limits), alphabet)
        return sms.plain(fitted.text(link))
    most = _limit(alphabet, limits)
    room = _share(min(most * len(blocks), limits.all_languages), alphabet, len(blocks), link)
    fitted_blocks = [_fit(parts, lambda p: _size(p.text(""), alphabet) <= room, alphabet) for parts in blocks]
    return sms.plain(_joined(fitted_blocks, link))


def _parts(words: Words) -> _Parts:
    def short(text: str) -> str:
        return sms.shorten(one_line(text), _MOST)

    action = short(words.action)
    description = short(words.description)
    return _Parts(
        marker=words.marker,
        note=short(words.note) if words.marker else "",
        headline=short(words.title),
        place=short(words.place),
        time=words.time,
        description="" if description == action else description,
        action=action,
        issuer=short(words.issuer),
    )


def _joined(blocks: Sequence[_Parts], link: str) -> str:
    return (
        "\n\n".join(parts.text("") for parts in blocks[:-1])
        + ("\n\n" if blocks[1:] else "")
        + blocks[-1].text(link)
    )


def _limit(alphabet: sms.Encoding, limits: SmsLimits) -> int:
    return limits.gsm7 if alphabet is sms.Encoding.GSM7 else limits.ucs2


def _within(text: str, limits: SmsLimits) -> bool:
    return sms.segments(text) <= _limit(sms.encoding(text), limits)


def _share(most: int, alphabet: sms.Encoding, languages: int, link: str) -> int:
    """Units of the alphabet for the block of one language when all languages and the link share `most` segments."""
    lone, part = sms.CAPACITY[alphabet]
    capacity = lone if most == 1 else part * most
    # A grapheme or an escape pair that does not fit at the end of a segment leaves a gap there.
    return (capacity - most * 2 - _size(link, alphabet) - 2 * languages) // languages


def _size(text: str, alphabet: sms.Encoding) -> int:
    return sms.size(sms.plain(text), alphabet)


def _fit(parts: _Parts, fits: Callable[[_Parts], bool], alphabet: sms.Encoding) -> _Parts:
    ellipsis = "..." if alphabet is sms.Encoding.GSM7 else "…"
    for name, least in (*_FIRST_PASS, *_SECOND_PASS):
        if fits(parts):
            return parts
        parts = _cut_to_fit(parts, name, least, fits, ellipsis)
    return parts


def _cut_to_fit(
    parts: _Parts, name: str, least: int, fits: Callable[[_Parts], bool], ellipsis: str
) -> _Parts:
    """The part as long as it fits, and not shorter than `least` graphemes."""
    low, high = least, len(sms.graphemes(getattr(parts, name)))
    if high <= low:
        return parts
    while low < high:
        middle = (low + high + 1) // 2
        if fits(parts.cut(name, middle, ellipsis)):
            low = middle
        else:
            high = middle - 1
    return parts.cut(name, low, ellipsis)
