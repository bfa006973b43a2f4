"""Finding a term: by its code, or by what somebody types.

Owns the ranking: exact code, exact name, beginning of a code or name, words of a name or code, then words of a group or
keyword; Chinese is matched anywhere, as its words have no spaces. Case, accents and width do not count. Imports langcodes
and the catalogue; folded once at first use. Invariant: the same query gives the same terms in the same order.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import langcodes
from langcodes.tag_parser import LanguageTagError

from alerting.cap.vocabulary.catalogue import SCHEMES, every_term, scheme_of
from alerting.cap.vocabulary.term import Term

LARGEST_LIMIT: Final = 1000

_CODE, _BEGUN, _WORD, _AROUND = range(4)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it is compared: its language with the script that it implies, its folded text and words."""

    language: str
    script: str
    folded: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A term as it is compared; `around` are the words of its groups and keywords."""

    term: Term
    code: str
    names: tuple[_Name, ...]
    words: tuple[str, ...]
    around: tuple[str, ...]


def term(scheme: str, code: str) -> Term | None:
    """The term with this code; the scheme by its name or as a CAP valueName writes it, both in any case of letters."""
    found = scheme_of(scheme)
    return _by_code().get((found, _fold(code))) if found is not None else None


def search(
    query: str, *, scheme: str | None = None, language: str | None = None, limit: int = 20
) -> tuple[Term, ...]:
    """The terms that match, best first; an empty query lists them in order.

    `language` keeps the terms that have a name in it, by RFC 5646 with the script that a region implies (zh-CN finds
    zh-Hans); codes match in any language. `limit` is 1 to 1000. Raises ValueError for an unknown scheme, for what is no
    language tag and for a limit out of range, and says what would do.
    """
    if not 1 <= limit <= LARGEST_LIMIT:
        raise ValueError(f"limit must be 1 to {LARGEST_LIMIT}")
    wanted = None if scheme is None else scheme_of(scheme)
    if scheme is not None and wanted is None:
        raise ValueError(f"there is no such scheme: use one of {', '.join(SCHEMES)}")
    spoken = None if language is None else _language(language)
    folded = _fold(query)
    ranked: list[tuple[int, int, int]] = []
    entries = _entries()
    for place, entry in enumerate(entries):
        if wanted is not None and entry.term.scheme != wanted:
            continue
        names = (
            entry.names if spoken is None else tuple(each for each in entry.names if _speaks(each, spoken))
        )
        if names:
            rank = _rank(entry, names, folded)
            if rank is not None:
                ranked.append((*rank, place))
    return tuple(entries[place].term for _, _, place in sorted(ranked)[:limit])


def _rank(entry: _Entry, names: tuple[_Name, ...], query: str) -> tuple[int, int] | None:
    """How well an entry matches: a rank and the length of what matched, both smaller for better; None for not at all."""
    if not query:
        return (_CODE, 0)
    if query == entry.code:
        return (_CODE, 0)
    # An exact name is the shortest text that begins with the query, so it comes first among these.
    begun = [len(text) for text in (entry.code, *(name.folded for name in names)) if text.startswith(query)]
    if begun:
        return (_BEGUN, min(begun))
    for rank, words in ((_WORD, entry.words), (_AROUND, (*entry.words, *entry.around))):
        lengths = [len(name.folded) for name in names if _within(query, name, words)]
        if lengths:
            return (rank, min(lengths))
    return None


def _within(query: str, name: _Name, words: tuple[str, ...]) -> bool:
    """Whether each word asked for begins a word of the name or one of `words`, or Chinese stands inside one."""
    if _HAN.search(query):
        return any(query in text for text in (name.folded, *words))
    return all(any(word.startswith(each) for word in (*name.words, *words)) for each in query.split())


@cache
def _entries() -> tuple[_Entry, ...]:
    return tuple(_entry(each) for each in every_term())


@cache
def _by_code() -> dict[tuple[str, str], Term]:
    return {(each.term.scheme, each.code): each.term for each in _entries()}


def _entry(each: Term) -> _Entry:
    names = []
    for tag, name in each.names:
        folded = _fold(name)
        names.append(_Name(*_language(tag), folded, tuple(folded.split())))
    words = _fold(_HUMP.sub(" ", each.code)).split()
    around = [word for text in (*each.groups, *each.keywords) for word in _fold(text).split()]
    return _Entry(each, _fold(each.code), tuple(names), tuple(words), tuple(around))


def _fold(text: str) -> str:
    """Letters and digits alone, in one case, width and form, without accents, single spaces between words."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return _NO_LETTER.sub(" ", bare.casefold()).strip()


def _language(tag: str) -> tuple[str, str]:
    """The language and its script, "" where the tag leaves the script open: zh alone finds both."""
    try:
        parsed = langcodes.Language.get(tag)
    except LanguageTagError as error:
        raise ValueError("this is no language tag: write it as BCP 47 does, such as en or zh-Hans") from error
    if parsed.script is None and parsed.territory is None:
        return (parsed.language or "", "")
    full = parsed.maximize()
    return (full.language or "", full.script or "")


def _speaks(name: _Name, spoken: tuple[str, str]) -> bool:
    language, script = spoken
    return name.language == language and (not script or not name.script or name.script == script)
