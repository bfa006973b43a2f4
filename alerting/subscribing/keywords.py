"""What a text to our number asks for: STOP, START, HELP or JOIN, in the words of six languages.

Pure. English words are those that Twilio honours by itself (STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, OPTOUT, REVOKE;
START, YES, UNSTOP; HELP, INFO), the others what carriers and people use in their countries. Imports nothing of the service.
Invariant: a text that is a STOP in any of the languages is never read as something else.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Asked(StrEnum):
    """What a text asks for; OTHER when none of it was understood."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    JOIN = "join"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Command:
    """A text as it was understood: `place` is what follows JOIN, `language` that of the word (None: told by nothing)."""

    asked: Asked
    place: str = ""
    language: str | None = None


# French and Spanish speakers write STOP too, so that English words say nothing of the language.
_WORDS: dict[Asked, dict[str | None, str]] = {
    Asked.STOP: {
        None: "stop, stop all, stopall, unsubscribe, cancel, end, quit, opt out, opt-out, optout, revoke",
        "fr": "arret, arreter, desabonner, desinscrire, desinscription, resilier, annuler, fin",
        "es": "alto, parar, baja, cancelar, detener, desuscribir, salir, fin",
        "zh-Hans": "停止, 退订, 取消, 取消订阅, 停, td, t",
        "zh-Hant": "退訂, 取消訂閱, 停止, 取消",
        "ar": "توقف, ايقاف, اوقف, قف, الغاء, الغاء الاشتراك",
    },
    Asked.START: {
        None: "start, yes, unstop, resume",
        "fr": "debut, demarrer, reprendre, oui",
        "es": "inicio, iniciar, comenzar, empezar, reanudar, si",
        "zh-Hans": "开始, 恢复",
        "zh-Hant": "開始, 恢復",
        "ar": "ابدا, استئناف, نعم",
    },
    Asked.HELP: {
        None: "help, info",
        "fr": "aide",
        "es": "ayuda, informacion",
        "zh-Hans": "帮助, 说明",
        "zh-Hant": "幫助, 說明",
        "ar": "مساعدة, معلومات",
    },
    Asked.JOIN: {
        None: "join, subscribe",
        "fr": "rejoindre, abonner, inscrire",
        "es": "unir, unirme, alta, suscribir",
        "zh-Hans": "订阅, 加入",
        "zh-Hant": "訂閱, 加入",
        "ar": "اشتراك, اشترك, انضم",
    },
}

#: Words that mean STOP even with more behind them ("stop please"); the others begin other sentences as well.
_STOP_FIRST = "stop, unsubscribe, arret, desabonner, 退订, 退訂, توقف"

_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def _key(written: str) -> str:
    """Letters as they are compared: no case, no accents or Arabic vowel and hamza marks, single blanks, no edges."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", written) if unicodedata.category(c) not in {"Mn", "Cf"}
    )
    return _EDGES.sub("", " ".join(unicodedata.normalize("NFKC", bare).casefold().split()))


def _keys(words: str) -> list[str]:
    return [_key(word) for word in words.split(",")]


def _table() -> dict[str, tuple[Asked, str | None]]:
    table: dict[str, tuple[Asked, str | None]] = {}
    for asked in reversed(_WORDS):  # STOP comes last and wins
        for spoken, words in _WORDS[asked].items():
            for key in _keys(words):
                language = spoken
                other = table.get(key, (None, None))
                if (
                    other[0] is asked
                ):  # both Chinese scripts have it: the more frequent one; otherwise it tells nothing
                    language = other[1] if other[1] == "zh-Hans" and language == "zh-Hant" else None
                table[key] = (asked, language)
    return table


_TABLE = _table()
_STOPS = frozenset(_keys(_STOP_FIRST))
_UNSPACED = [
    (word, language)
    for word, (asked, language) in _TABLE.items()
    if asked is Asked.JOIN and not word.isascii()
]


def understand(text: str) -> Command:
    """What a text asks for.

    STOP, START and HELP must be the whole text, but for blanks and punctuation ("Stop!"), or STOP its first word. JOIN is
    followed by the place; scripts written without blanks need none ("订阅安徽").
    """
    key = _key(text)
    asked, language = _TABLE.get(key, (Asked.OTHER, None))
    if asked is not Asked.OTHER:
        return Command(asked, language=language)
    first, _, rest = key.partition(" ")
    first = _key(first)
    asked, language = _TABLE.get(first, (Asked.OTHER, None))
    if first in _STOPS:
        return Command(Asked.STOP, language=language)
    if asked is Asked.JOIN:
        return Command(Asked.JOIN, _after(text, rest), language)
    for word, spoken in _UNSPACED:
        if key.startswith(word):
            return Command(Asked.JOIN, key.removeprefix(word).strip(), spoken)
    return Command(Asked.OTHER)


def _after(text: str, rest: str) -> str:
    """The place as it was typed, with its accents and marks, where the text has blanks to cut at."""
    words = text.split(maxsplit=1)
    return words[1].strip().strip("\"'.,!") if len(words) == 2 else rest
