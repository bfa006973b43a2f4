"""Texts and words as authorities send them: HTML as plain text, words of CAP's vocabularies, languages, addresses.

Imports the standard library, langcodes and the strict values. Invariant: a text keeps its words, only mark-up goes; a word
is taken for another one only where it can mean nothing else.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from typing import Any, Final

import langcodes
from langcodes.tag_parser import LanguageTagError

from alerting.cap import values
from alerting.cap.schema import Field

_ELEMENTS: Final = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|figure|font|footer|form|h[1-6]|head|"
    "header|hr|html|i|img|input|ins|label|li|link|main|mark|meta|nobr|ol|o:p|p|pre|q|s|section|small|span|strike|strong|"
    "sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|video|wbr"
)
_TAG: Final = re.compile(rf"<(/?)({_ELEMENTS})(?=[\s/>])([^<>]{{0,2000}})>", re.IGNORECASE)
_HIDDEN: Final = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"))
_ENTITY: Final = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_BREAKING: Final = frozenset(
    {
        "br",
        "p",
        "div",
        "li",
        "tr",
        "ul",
        "ol",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "section",
        "article",
    }
)
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINES: Final = re.compile(r"\n{3,}")
_ROUNDS: Final = 3  # entities of entities: &amp;lt;br/&amp;gt;

_WORDS: Final = {
    "certainty": {"verylikely": "Likely", "certain": "Observed"},
    "category": {
        "cbrn": "CBRNE",
        "meteorological": "Met",
        "weather": "Met",
        "environment": "Env",
        "environmental": "Env",
    },
    "status": {"excercise": "Exercise"},
    "msgtype": {"cancelled": "Cancel", "cancellation": "Cancel", "acknowledge": "Ack"},
}
# Tags that are no languages, met where these were meant.
_MEANT: Final = {
    "sp": "es", "cz": "cs", "jp": "ja", "gr": "el", "dk": "da", "ua": "uk", "kz": "kk", "ge": "ka",
    "english": "en", "español": "es", "spanish": "es", "castellano": "es", "français": "fr", "francais": "fr",
    "french": "fr", "português": "pt", "portuguese": "pt", "deutsch": "de", "german": "de", "italiano": "it",
    "italian": "it", "chinese": "zh", "arabic": "ar", "thai": "th", "russian": "ru",
}  # fmt: skip
_HOST: Final = re.compile(r"(?:www\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:[/?#:]\S*)?")


def plain(text: str) -> str:
    """The text without HTML: tags out, blocks and breaks as line breaks, entities as their characters."""
    made = text
    for _ in range(_ROUNDS):
        before = made
        if "<" in made:
            made = _TAG.sub(_untagged, _shown(made))
        if "&" in made:
            made = _ENTITY.sub(lambda match: html.unescape(match[0]), made)
        if made == before:
            break
    if made == text:
        return text
    made = _FORBIDDEN.sub("", made.replace("\u00a0", " "))
    return _LINES.sub("\n\n", "\n".join(line.strip() for line in made.split("\n"))).strip()


def _shown(text: str) -> str:
    """The text without scripts, styles and comments. By hand: a pattern would look for each end anew."""
    for opening, closing in _HIDDEN:
        small = text.lower()
        if opening not in small or len(small) != len(text):
            continue
        parts: list[str] = []
        at = 0
        while (start := small.find(opening, at)) >= 0 and (end := small.find(closing, start)) >= 0:
            parts.append(text[at:start])
            at = end + len(closing)
        text = "".join([*parts, text[at:]])
    return text


def _untagged(match: re.Match[str]) -> str:
    return "\n" if match[2].lower() in _BREAKING else ""


def word(text: str, field: Field) -> Any:
    """The value that a word stands for, None where it stands for none."""
    key = "".join(filter(str.isalnum, text)).lower()
    known = {name.lower(): value for name, value in field.words.items()}
    if key in known:
        return known[key]
    meant = _WORDS.get(field.name.lower(), {}).get(key)
    return field.words[meant] if meant else None


def language(text: str) -> str | None:
    """The tag in canonical form; None for no text; `und` where no language can be told."""
    text = text.strip()
    if not text:
        return None
    tag = text.replace("_", "-").partition(" ")[0].partition(".")[0].strip("-,;")
    first, hyphen, rest = tag.partition("-")
    first = _MEANT.get(first.lower(), first)
    if first.lower() in {"c", "posix"}:
        return "und"
    if first.lower() == rest.lower() == "en":  # en-EN: there is no such country
        return "en"
    try:
        return values.language(langcodes.standardize_tag(f"{first}{hyphen}{rest}"))
    except (LanguageTagError, values.BadValue, ValueError):
        pass
    try:
        return values.language(langcodes.standardize_tag(first))
    except (LanguageTagError, values.BadValue, ValueError):
        return "und"


def address(text: str) -> str | None:
    """A URI that the schema takes, blanks escaped; None where the text is none."""
    escaped = "%20".join(text.split())
    try:
        return values.uri(escaped)
    except values.BadValue:
        try:
            return values.uri(
                re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", escaped).replace("[", "%5B").replace("]", "%5D")
            )
        except values.BadValue:
            return None


def web(text: str) -> str | None:
    """An absolute address; a host without a scheme gets http://; None where the text is no address."""
    made = address(text)
    if made is not None and _HOST.fullmatch(made):
        return address(f"http://{made}")
    return made


def digest(text: str) -> str:
    """A digest in hexadecimal where it was base-64 of one, without a scheme's name, colons and blanks."""
    bare = re.sub(r"^\s*sha-?1\s*[:=]", "", text, flags=re.IGNORECASE)
    bare = "".join(bare.split())
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-]){19}[0-9A-Fa-f]{2}", bare):
        return re.sub("[:-]", "", bare)
    if re.fullmatch(r"[0-9A-Fa-f]{40}", bare):
        return bare
    try:
        raw = base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        return text
    if len(raw) in {20, 32}:
        return raw.hex()
    if re.fullmatch(rb"[0-9A-Fa-f]{40}", raw):  # the digits themselves, packed
        return raw.decode("ascii")
    return text
