"""What a text costs as SMS, and how to make it shorter: GSM 03.38 (3GPP TS 23.038) and UCS-2.

Pure arithmetic on text: no templates, no CAP. Invariant: a segment boundary never falls inside an escape pair or a
grapheme, and `shorten` never leaves half of one.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

# 3GPP TS 23.038, section 6.2.1 (basic) and 6.2.1.1 (extension: two septets each).
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

# Typography alone: letters are never changed, since an accent may carry the meaning.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f", " "),
        **dict.fromkeys("•·‣", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        "…": "...",
        "«": '"',
        "»": '"',
        "\t": " ",
    }
)


class Encoding(StrEnum):
    """The two alphabets of SMS."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


#: Septets or 16-bit units of a lone message, and of each part of a longer one (the header takes the rest).
CAPACITY = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}


def encoding(text: str) -> Encoding:
    """GSM-7 when every character is in its two tables, else UCS-2."""
    return Encoding.GSM7 if all(c in _BASIC or c in _EXTENSION for c in text) else Encoding.UCS2


def plain(text: str) -> str:
    """The text with typographic quotes, dashes and blanks as on a typewriter if that makes it GSM-7, else unchanged."""
    simple = text.translate(_PLAIN)
    return simple if encoding(simple) is Encoding.GSM7 else text


def segments(text: str) -> int:
    """SMS segments that a provider charges and sends; 1 for an empty text."""
    alphabet = encoding(text)
    sizes = _sizes(text, alphabet)
    lone, part = CAPACITY[alphabet]
    if sum(sizes) <= lone:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used and used + size > part:
            count, used = count + 1, 0
        while size > part:  # a heap of combining marks longer than a segment has no whole place
            count, size = count + 1, size - part  # noqa: PLW2901 - what is left of this grapheme
        used += size
    return count


def size(text: str, alphabet: Encoding) -> int:
    """Septets or 16-bit units of the text in an alphabet; what GSM-7 lacks counts there as one."""
    return sum(_sizes(text, alphabet))


def _sizes(text: str, alphabet: Encoding) -> list[int]:
    """Of each piece that no segment boundary may divide."""
    if alphabet is Encoding.GSM7:
        return [2 if c in _EXTENSION else 1 for c in text]
    return [_units(grapheme) for grapheme in graphemes(text)]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, most: int, *, ellipsis: str = "…") -> str:
    """At most `most` graphemes, the ellipsis included; at a blank if there is one in the last third.

    A text that is short enough comes back unchanged; `most` below 1 gives an empty text.
    """
    parts = graphemes(text)
    if len(parts) <= most:
        return text
    room = most - len(ellipsis)
    if room < 1:
        return ellipsis[: max(0, most)]
    kept = parts[:room]
    if not parts[room].isspace():
        blank = max((at for at, part in enumerate(kept) if part.isspace()), default=-1)
        if blank >= room * 2 // 3:
            kept = kept[:blank]
    return "".join(kept).rstrip(" \t\n,;:.-–—、，；。،؛") + ellipsis


# Scripts of which no character joins the one before: Latin, Cyrillic, Arabic letters, Han, kana, full-width forms.
_SINGLE = re.compile(
    "[\\x00-\u02ff\u0400-\u0482\u060c\u061b\u061f-\u064a\u2010-\u2027\u3000-\u3029\u3030-\u3098\u309b-\u9fff\uff01-\uff9d]*"
)


def graphemes(text: str) -> list[str]:
    """What a reader takes for one character: the rules of UAX #29 that matter, never splitting more than they do."""
    if _SINGLE.fullmatch(text):
        return list(text)
    parts: list[str] = []
    for character in text:
        if parts and _joins(parts[-1], character):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _joins(before: str, character: str) -> bool:
    last = before[-1]
    if last == "\r":
        return False  # CR LF are two characters of GSM-7
    code = ord(character)
    if unicodedata.category(character) in {"Mn", "Me", "Mc"} or character in "\u200c\u200d":
        return not last.isspace() or last == " "
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:  # skin tones, flag tags
        return True
    if last == "\u200d":
        return not character.isspace()  # emoji sequences, and conjuncts that are asked for
    if unicodedata.combining(last) == 9 and unicodedata.category(character) == "Lo":
        return True  # a virama binds the next consonant (GB9c)
    if _is_flag_letter(character) and all(map(_is_flag_letter, before)):
        return len(before) == 1
    return _hangul(character, last)


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _hangul(character: str, last: str) -> bool:
    """Conjoining jamo: a syllable goes on with its vowel and its final."""
    code, previous = ord(character), ord(last)
    if 0x1160 <= code <= 0x11FF:
        return 0x1100 <= previous <= 0x11FF or 0xAC00 <= previous <= 0xD7A3
    return 0x1100 <= code <= 0x115F and 0x1100 <= previous <= 0x115F
