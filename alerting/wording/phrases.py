"""The fixed phrases of the service in its languages, from the catalogues in `alerting/locale`.

Catalogues are .po files, compiled in memory when a language is first asked for, so that no compiled file can be older
than its source. Knows no warning. Invariant: a language without a catalogue says the phrases in English, and its dates
and its direction are still its own.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time, get_datetime_format, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from alerting.wording.language import MUL, canonical, closest

FOLDER = Path(__file__).resolve().parents[1] / "locale"

#: BCP 47 tag of each catalogue and its folder. English is the language of the phrases themselves.
CATALOGUES = {
    "en": "en",
    "zh-Hans": "zh_Hans",
    "zh-Hant": "zh_Hant",
    "es": "es",
    "fr": "fr",
    "ar": "ar",
}


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases, dates and direction of one language."""

    language: str  # as asked for
    direction: str  # ltr | rtl
    tag: str  # of the catalogue
    locale: Locale = field(repr=False)
    _texts: Translations = field(repr=False)

    @property
    def name(self) -> str:
        """The language in its own words."""
        return str(self.locale.get_display_name() or self.language)

    def say(self, phrase: str, **values: object) -> str:
        """The phrase in this language; values fill its %(name)s places and are taken as they are."""
        text = str(self._texts.gettext(phrase))
        return text % values if values else text

    def count(self, one: str, many: str, n: int, **values: object) -> str:
        """The phrase in the plural form that `n` asks for in this language; %(n)d is the number."""
        return str(self._texts.ngettext(one, many, n)) % {"n": n, **values}

    def moment(self, at: datetime, zone: str, *, year: bool = False) -> str:
        """Weekday, date, time and zone, as `in_zone` decides; short, and with the year on demand."""
        local = in_zone(at, zone)
        skeleton = "yMMMEd" if year else "MMMEd"
        date = format_skeleton(skeleton, local, tzinfo=local.tzinfo, locale=self.locale)
        time = format_time(local, "short", tzinfo=local.tzinfo, locale=self.locale)
        pattern = str(get_datetime_format("medium", locale=self.locale))
        written = pattern.replace("'", "").replace("{1}", date).replace("{0}", time)
        return f"{written} {_zone_name(local, self.locale)}"


def in_zone(at: datetime, zone: str) -> datetime:
    """The moment on the clocks of the place that is warned.

    CAP writes times with the offset of the target area (3.3.2), so an offset other than UTC's that is not the
    issuer's at that moment is kept: the warning is for a place in another zone. All else is shown in the issuer's zone.
    Raises ZoneInfoNotFoundError (a KeyError) for a zone that does not exist.
    """
    local = at.astimezone(ZoneInfo(zone))
    written = at.utcoffset()
    return local if written in {timedelta(0), local.utcoffset()} else at


def _zone_name(local: datetime, locale: Locale) -> str:
    """The zone's short name where the language has one (CEST), else the offset as UTC+5:30."""
    offset = local.utcoffset() or timedelta(0)
    if isinstance(local.tzinfo, ZoneInfo) and offset:
        name = str(get_timezone_name(local, width="short", locale=locale))
        if name[:1].isalpha() and " " not in name:
            return name
    minutes = int(offset.total_seconds() // 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


@lru_cache(maxsize=512)
def phrases(language: str) -> Phrases:
    """The phrases of a BCP 47 language; English for `mul`, for a malformed tag and where there is no catalogue."""
    known = None if language == MUL else canonical(language)
    tag = (known and closest(known, tuple(CATALOGUES))) or "en"
    locale = (known and _locale(known)) or Locale.parse(CATALOGUES[tag])
    return Phrases(language, locale.text_direction, tag, locale, _translations(tag))


def _locale(tag: str) -> Locale | None:
    parts = tag.split("-")
    while parts:  # ar-001-x-y, ar-001, ar
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return None


@cache
def _translations(tag: str) -> Translations:
    with (FOLDER / CATALOGUES[tag] / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalogue = read_po(source, locale=CATALOGUES[tag], domain="messages", abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
