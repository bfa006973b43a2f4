"""The text of one CAP element as a value, and back: times, URIs, languages, numbers and the quoted lists.

Imports the standard library and the model. Invariant: a reader here takes exactly what the CAP 1.2 schema takes (the
tests compare with it) and raises BadValue otherwise, with a message that says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from alerting.cap.model import Reference

BLANK: Final = " \t\r\n"
"""White space as XML means it; str.strip() alone would also take no-break spaces."""

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,24}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DIGITS: Final = 24  # libxml2 refuses numbers of more digits
_ITEM: Final = re.compile(r'"([^"]*)"(?=\s|$)|([^\s"]\S*)')
_PCHAR: Final = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_AUTHORITY: Final = (
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[^\]]*\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]{1,8})?"
)
_TAIL: Final = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?\[\]])*)?"
_FROM_ROOT: Final = rf"//{_AUTHORITY}(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?"
_PLAIN_URI: Final = re.compile(
    r"https?://[A-Za-z0-9.\-]+(?:/[A-Za-z0-9.\-_~/]*)?(?:\?[A-Za-z0-9.\-_~/=&+,;:]*)?(?:#[A-Za-z0-9.\-_~/=&]*)?"
)
_URI: Final = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.\-]*:(?:{_FROM_ROOT}|(?:{_PCHAR}+(?:/{_PCHAR}*)*)?)"
    rf"|(?:{_FROM_ROOT}|(?:(?!:){_PCHAR})+(?:/{_PCHAR}*)*)?){_TAIL}"
)
# xs:anyURI takes what an IRI takes: these are escaped before the URI grammar is asked.
_ESCAPED: Final = re.compile(r"[^\x21-\x7e]|[<>\"{}|\\^`]")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DAY: Final = timedelta(days=1)


UNREAD: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for a required time that could not be read, in drafts only."""


class BadValue(ValueError):
    """A text is not what its element holds; the message says what would be."""


def time(text: str) -> datetime:
    """An aware datetime with the offset as written; `-00:00` is UTC. Section 3.3.2.

    24:00:00 is the schema's other name of the next midnight and is read as that.
    """
    text = text.strip(BLANK)
    if _TIME.fullmatch(text) is None:
        raise BadValue(_time_hint(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        if text[11:19] == "24:00:00":
            return _next_midnight(text)
        raise BadValue(f"{text} is not in the calendar: correct the date or the time") from None


def _next_midnight(text: str) -> datetime:
    try:
        return datetime.fromisoformat(f"{text[:11]}00:00:00{text[19:]}") + _DAY
    except (ValueError, OverflowError):
        raise BadValue(f"{text} is not in the calendar: correct the date or the time") from None


def _time_hint(text: str) -> str:
    wanted = "write YYYY-MM-DDThh:mm:ss with an offset such as +08:00"
    if text.endswith(("Z", "z")):
        return f"{short(text)} ends in Z, which CAP does not allow: write -00:00 for UTC"
    return f"{short(text)} is not a CAP time: {wanted}"


def zero_written_plus(text: str) -> bool:
    """Whether a time says UTC as +00:00, which passes the schema against the letter of section 3.3.2."""
    return "+00:00" in text


def time_text(moment: datetime) -> str:
    """CAP's form of an aware time; UTC is written -00:00. Raises BadValue for what the form cannot hold."""
    offset = moment.utcoffset()
    if offset is None or moment.microsecond:
        raise BadValue("a CAP time needs a zone and whole seconds")
    year, two = moment.year, _TWO_DIGITS  # isoformat() takes three times as long
    return (
        f"{two[year // 100]}{two[year % 100]}-{two[moment.month]}-{two[moment.day]}"
        f"T{two[moment.hour]}:{two[moment.minute]}:{two[moment.second]}{_offset_text(offset)}"
    )


_TWO_DIGITS: Final = tuple(f"{n:02}" for n in range(100))


@lru_cache(maxsize=256)
def _offset_text(offset: timedelta) -> str:
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest or abs(minutes) > 14 * 60:
        raise BadValue("a CAP time needs a zone of whole minutes, 14 hours at most")
    hours, minutes_left = divmod(abs(minutes), 60)
    return f"{'+' if minutes > 0 else '-'}{hours:02}:{minutes_left:02}"


@lru_cache(maxsize=512)
def language(text: str) -> str | None:
    """A language tag as written; None for the empty text, for which the schema's default en-US stands."""
    if not text:
        return None
    tag = text.strip(BLANK)
    if _LANGUAGE.fullmatch(tag) is None:
        raise BadValue(f"{short(text)} is not a language tag: write one such as en-US or zh-Hans")
    return tag


def uri(text: str) -> str:
    """A URI or relative reference as xs:anyURI takes it, white space collapsed."""
    if _PLAIN_URI.fullmatch(text):
        return text
    if any(blank in text for blank in BLANK):
        text = " ".join(part for part in re.split(r"[ \t\r\n]+", text) if part)
    if _URI.fullmatch(text) is None and _URI.fullmatch(_ESCAPED.sub("_", text)) is None:
        raise BadValue(f"{short(text)} is not a URI: write it percent-encoded")
    return text


def integer(text: str) -> int:
    """A whole number, negative ones included (R-02 judges them)."""
    text = text.strip(BLANK)
    if _INTEGER.fullmatch(text) is None:
        raise BadValue(f"{short(text)} is not a whole number: write the size in bytes")
    return int(text)


def decimal(text: str) -> str:
    """A decimal number as written, without exponent."""
    text = text.strip(BLANK)
    if _DECIMAL.fullmatch(text) is None or sum(map(str.isdigit, text)) > _DIGITS:
        raise BadValue(
            f"{short(text)} is not a decimal number: write feet above mean sea level, such as 1500"
        )
    return text


def items(text: str) -> tuple[tuple[str, ...], bool]:
    """The items of a space-separated list with quoted blanks (A-10, A-15), and whether every quote was matched."""
    if '"' not in text:
        return tuple(text.split()), True
    found: list[str] = []
    end = 0
    clean = True
    for match in _ITEM.finditer(text):
        clean = clean and not text[end : match.start()].strip()
        end = match.end()
        found.append(match[2] if match[1] is None else match[1])
    return tuple(found), clean and not text[end:].strip()


def items_text(listed: Sequence[str]) -> str:
    """The list as one text, items with blanks quoted. Raises BadValue for an item that no quoting can hold."""
    return " ".join(map(_item_text, listed))


def _item_text(item: str) -> str:
    if item and not item.startswith('"') and item.split() == [item]:
        return item
    if '"' in item:
        raise BadValue("an item with a quotation mark cannot stand in a CAP list: leave the mark out")
    return f'"{item}"'


def reference(text: str) -> Reference:
    """One `sender,identifier,sent`. Raises BadValue (A-11)."""
    parts = text.split(",")
    if len(parts) != 3 or not parts[0] or not parts[1]:
        raise BadValue("write each reference as sender,identifier,sent: two commas, no blanks, no part empty")
    return Reference(parts[0], parts[1], time(parts[2]))


def reference_text(triple: Reference) -> str:
    """The triple as CAP writes it. Raises BadValue where a comma or blank in it would make another list of it."""
    for part in (triple.sender, triple.identifier):
        if not part or "," in part or part.split() != [part]:
            raise BadValue("sender and identifier of a reference must not be empty or hold blanks or commas")
    return f"{triple.sender},{triple.identifier},{time_text(triple.sent)}"


def unwritable(text: str) -> str | None:
    """The first character that XML 1.0 cannot hold, as U+XXXX, else None."""
    match = _FORBIDDEN.search(text)
    return f"U+{ord(match[0]):04X}" if match else None


def short(text: str) -> str:
    """A quotation for a message: a document can carry megabytes where a number belongs."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
