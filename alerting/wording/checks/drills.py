"""The words by which a text says that it is a test or a drill, says that it is none, or means something else.

Owns the vocabulary by language; patterns alone, no CAP. English and the words of Chinese, Japanese and Korean are looked for
in every text, the others in texts of their language: the French "tes" is no Indonesian test. Invariant: a text that denies
being a drill, or that asks to exercise caution, is not taken for one that is a drill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tongue:
    """`drill` finds the words, `denial` phrases that say that it is real, `innocent` phrases that mean something else."""

    drill: re.Pattern[str]
    denial: re.Pattern[str] | None = None
    innocent: re.Pattern[str] | None = None


def _tongue(drill: str, denial: str | None = None, innocent: str | None = None) -> Tongue:
    def made(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)

    return Tongue(made(drill), made(denial) if denial else None, made(innocent) if innocent else None)


_EN_WORD: Final = r"(?:tests?|drills?|exercises?)"
_ENGLISH: Final = _tongue(
    r"\b(?:tests?|testing|test[ -]?cases?|drills?|exercises?)\b",
    rf"\b(?:not|isn['’]t|no)\s+(?:an?\s+|just\s+|only\s+)*{_EN_WORD}(?:\s*(?:,|\bor\b|\bnor\b|\band\b)+\s*(?:an?\s+)?{_EN_WORD})*\b",
    r"\bexercis(?:e|es|ed|ing)\s+(?:\w+\s+){0,3}?(?:caution|care|vigilance|patience|restraint|judge?ment|discretion|"
    r"sense|prudence|control|rights?|options?)\b"
    r"|\b(?:physical|outdoors?|strenuous|vigorous|heavy|intense|prolonged|moderate|aerobic)\s+exercises?\b"
    r"|\b(?:to|or|avoid|limit|reduce|not|when|while|cannot|should|must|you|people|children)\s+exercises?\b"
    r"|\bexercises?\s+(?:outdoors?|outside|indoors?|in the open)\b",
)
_CHINESE: Final = _tongue(
    r"演练|演練|演习|演習|测试|測試|试鸣|試鳴|试警|試警|防空试|预案演",
    r"(?:不是|并非|並非|绝非|絕非|非)(?:一次|一场|一場)?(?:演练|演練|演习|演習|测试|測試)",
)
_JAPANESE: Final = _tongue(
    r"訓練|テスト|試験(?:放送|配信|発信|送信)",
    r"(?:訓練|演習|テスト)では(?:ありません|ない)",
    r"訓練(?:校|所|生|施設)",
)
_KOREAN: Final = _tongue(
    r"훈련|테스트|시험\s?(?:방송|발송|문자|메시지)|모의",
    r"(?:훈련|테스트)[이가은]?\s?아닙니다|훈련\s?상황이?\s?아",
    r"훈련소|훈련원",
)

#: Looked for everywhere: no other language writes these letters for something else, and "test" travels.
EVERYWHERE: Final = (_ENGLISH, _CHINESE, _JAPANESE, _KOREAN)

#: By primary language subtag.
BY_LANGUAGE: Final = {
    "es": _tongue(
        r"\b(?:simulacros?|pruebas?|mensaje de ejercicio|(?:es|solo|sólo) un ejercicio|"
        r"ejercicios? (?:de|del) (?:evacua\w+|emerg\w+|alert\w+|simul\w+|prueba)|\Aejercicio)\b",
        r"\bno es (?:un|una|ningún|ninguna)\s+(?:simulacro|prueba|ejercicio|test)\b",
        r"\ba prueba de\b",
    ),
    "fr": _tongue(
        r"\b(?:exercices?|essais?|test|simulation)\b",
        r"\b(?:n['’]est pas|ne s['’]agit pas d['’])\s*(?:un|une)?\s*(?:exercice|essai|test|simulation)\b",
        r"\bexercices? (?:physiques?|intenses?|en plein air|à l['’]extérieur)|\b(?:de l['’]|en |l['’])exercice\b",
    ),
    "de": _tongue(
        r"\b(?:test(?:s|fall|alarm\w*|warnung\w*|meldung\w*|nachricht\w*|betrieb\w*)?|probe(?:alarm|warnung|betrieb)\w*|"
        r"(?:\w+schutz|notfall|alarm)?übung(?:en)?)\b",
        r"\b(?:keine?|nicht (?:um )?(?:eine?n?))\s+(?:übung|test|probealarm)\b",
    ),
    "pt": _tongue(
        r"\b(?:simulacros?|simulados?|testes?|(?:é|apenas|só) um exercício|exercícios? de (?:evacua\w+|emerg\w+|simul\w+))\b",
        r"\bnão é (?:um|uma)\s+(?:simulacro|simulado|teste|exercício)\b",
    ),
    "it": _tongue(
        r"\b(?:esercitazion[ei]|test|(?:messaggio|allarme|solo una?) (?:di )?prova|simulazione)\b",
        r"\bnon è (?:un['’]\s?|un |una )(?:esercitazione|test|prova|simulazione)\b",
    ),
    "nl": _tongue(r"\b(?:oefening(?:en)?|test\w*alarm|testbericht\w*|proefalarm)\b", r"\bgeen (?:oefening|test)\b"),
    "sv": _tongue(r"\b(?:övning(?:en|ar)?|provlarm\w*|testlarm\w*)\b", r"\b(?:inte|ingen) (?:en )?övning\b"),
    "no": _tongue(r"\b(?:øvelsen?|prøvealarm\w*|testvarsel\w*)\b", r"\b(?:ikke|ingen) (?:en )?øvelse\b"),
    "da": _tongue(r"\b(?:øvelsen?|prøvealarm\w*|testvarsling\w*)\b", r"\b(?:ikke|ingen) (?:en )?øvelse\b"),
    "fi": _tongue(r"\b(?:harjoitus\w*|testi\w*|kokeiluhälyty\w*)\b", r"\bei ole (?:harjoitus|testi)\b"),
    "pl": _tongue(r"\b(?:ćwiczeni[ea]|próbn[ya] (?:alarm|komunikat|syrena)|testow\w+)\b", r"\bto nie (?:są )?ćwiczeni[ea]\b"),
    "cs": _tongue(r"\b(?:cvičení|zkoušk[aouy] (?:sirén|systému)|testovací)\b", r"\bnejde o cvičení|není cvičení\b"),
    "ro": _tongue(r"\b(?:exercițiu|exerciţiu|simulare|mesaj test)\b", r"\bnu este (?:un )?(?:exercițiu|exerciţiu|test)\b"),
    "hu": _tongue(r"\b(?:gyakorlat|próbariasztás|teszt\w*)\b", r"\bnem gyakorlat\b"),
    "el": _tongue(r"\b(?:άσκηση|ασκηση|δοκιμ\w+|τεστ)\b", r"\bδεν (?:είναι|ειναι) άσκηση\b"),
    "tr": _tongue(r"\b(?:tatbikat\w*|deneme (?:mesaj\w*|yayın\w*))\b", r"\btatbikat değil\w*"),
    "ru": _tongue(
        r"\b(?:учени[яйе]\w*|учебн\w+ тревог\w+|тест\w*|проверк\w+ (?:системы|оповещения))\b",
        r"\bне учени[яе]|не учебн\w+|не тест\w*",
    ),
    "uk": _tongue(r"\b(?:навчальн\w+ тривог\w+|тест\w*|перевірк\w+ системи)\b", r"\bне навчальн\w+|не тест\w*"),
    "ar": _tongue(
        r"تمرين|اختبار|تجريبي|محاكاة|مناورة|تدريب",
        r"ليست?\s+(?:هذا\s+)?(?:تمرين|اختبار|تجرب|تدريب|محاكاة)\w*",
        r"تمارين رياضية",
    ),
    "fa": _tongue(r"تمرین|مانور|رزمایش|آزمایشی", r"(?:تمرین|مانور|رزمایش)\s+نیست"),
    "he": _tongue(r"תרגיל|תרגול|ניסוי", r"(?:אינו|לא|אין זה)\s+(?:תרגיל|תרגול|ניסוי)"),
    "hi": _tongue(r"अभ्यास|परीक्षण|ड्रिल|पूर्वाभ्यास|टेस्ट", r"(?:अभ्यास|परीक्षण|ड्रिल)\s+नहीं"),
    "th": _tongue(r"ทดสอบ|ฝึกซ้อม|ซ้อม", r"ไม่ใช่การ(?:ทดสอบ|ฝึกซ้อม|ซ้อม)"),
    "vi": _tongue(r"\b(?:diễn tập|thử nghiệm|bản tin thử)\b", r"\bkhông phải (?:là )?(?:diễn tập|thử nghiệm)\b"),
    "id": _tongue(r"\b(?:simulasi|latihan|uji coba|gladi)\b", r"\b(?:bukan|bukanlah) (?:simulasi|latihan|uji coba)\b"),
}  # fmt: skip

#: What also tells people that it is not real; too common in real warnings to contradict one.
_HINTS: Final = re.compile(
    r"\b(?:simulat|simul|demo\b|demonstrat|training|rehears|practice|mock|probe|prova|prueba|essai|esempio)|演示|模拟|模擬|试验|試驗",
    re.IGNORECASE,
)


def tongues(language: str) -> tuple[Tongue, ...]:
    """The vocabularies in which a text of this group of languages is read."""
    own = BY_LANGUAGE.get(language)
    return EVERYWHERE if own is None else (*EVERYWHERE, own)


def words(text: str, language: str) -> tuple[str, ...]:
    """The words by which the text says that it is a test or a drill, each once, as written."""
    found: dict[str, None] = {}
    for tongue in tongues(language):
        left = text
        for harmless in (tongue.denial, tongue.innocent):
            left = harmless.sub(" ~ ", left) if harmless else left
        found.update(dict.fromkeys(tongue.drill.findall(left)))
    return tuple(found)


def denials(text: str, language: str) -> tuple[str, ...]:
    """The phrases by which the text says that it is no test or drill, as written."""
    found = [tongue.denial.search(text) for tongue in tongues(language) if tongue.denial]
    return tuple(dict.fromkeys(match.group() for match in found if match))


def hints(text: str) -> bool:
    """Whether the text says in weaker words that it is not real."""
    return _HINTS.search(text) is not None
