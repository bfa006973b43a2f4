"""W-01: the text of an info is in the language that it claims.

First by script, which a few letters settle, then by the model of `identify`. A warning, never an error, and quiet wherever
there is doubt: short texts, names and numbers, languages that the model does not know or takes for one another.
Invariant: a text is told of once, and an info of which every judged text is in one other language is told of as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import langcodes
from babel import Locale, UnknownLocaleError
from langcodes.tag_parser import LanguageTagError

from alerting.cap.findings import WARNING, Finding, Place
from alerting.cap.model import Alert
from alerting.cap.segment import canonical_language
from alerting.wording.checks import alphabets, identify
from alerting.wording.checks.texts import spoken

#: Another language must be this likely, and the claimed one no likelier than that.
SURE: Final = 0.6
HARDLY: Final = 0.01

#: A text is in the claimed language if that is as likely as all others together.
_EVEN: Final = 0.5

#: Longer texts are not judged better, only later.
MOST: Final = 2_000

#: Letters below which nothing is judged: by script, by the model (an ideograph counts for three).
_FEW: Final = 4
_SHORT: Final = 18

#: Written in more than one script without saying so in the tag.
_SEVERAL_SCRIPTS: Final = frozenset(
    {"sr", "bs", "cnr", "sh", "uz", "az", "kk", "ky", "tk", "tt", "tg", "ku", "mn", "pa", "ms", "ug", "sd", "ks", "ha", "ff",
     "bm", "man", "ro", "crh", "rom", "kmr", "ckb", "shi", "zgh", "kab", "be", "dz", "bo", "sa", "pi", "cr", "iu", "jv", "su"}
)  # fmt: skip

_SCRIPT_NAMES: Final = {"Hans": "simplified characters", "Hant": "traditional characters"}


def find(alert: Alert) -> Iterator[Finding]:
    """A warning for each text, or info, that is in another language than the info claims."""
    for i, info in enumerate(alert.info):
        tag = canonical_language(info.language)
        claim = _claim(tag)
        if claim is None:
            continue
        texts = [(place, text[:MOST]) for place, text in spoken(info, i)]
        wrong = [(place, found) for place, text in texts if (found := _by_script(text, tag, claim))]
        if not wrong:
            wrong = list(_by_model(texts, claim.language or ""))
        yield from _told(("info", i, "language"), tag, wrong, len(texts))


def _claim(tag: str) -> langcodes.Language | None:
    """The language with its script, None where the tag names none."""
    try:
        claim = langcodes.Language.get(tag)
    except LanguageTagError:
        return None
    if (claim.language or "und") in {"und", "mul", "mis", "zxx"} or tag.lower().startswith("x-"):
        return None
    return claim


def _told(whole: Place, tag: str, wrong: list[tuple[Place, str]], texts: int) -> Iterator[Finding]:
    said = {found for _, found in wrong}
    if len(said) == 1 and len(wrong) == texts and texts > 1:
        yield Finding(
            "W-01", WARNING, whole,
            f"the language is {tag}, and the texts look like {said.pop()}: correct the language or the texts",
        )  # fmt: skip
        return
    for place, found in wrong:
        yield Finding(
            "W-01", WARNING, place,
            f"the language of this info is {tag}, and this looks like {found}: translate it, or correct the language",
        )  # fmt: skip


def _by_script(text: str, tag: str, claim: langcodes.Language) -> str | None:
    """What the text is written in, where its letters leave no doubt that it is not the claimed language."""
    found = alphabets.scripts(text)
    most = sum(found.values())
    if most < _FEW:
        return None
    script = claim.script or claim.maximize().script or ""
    if identify.group(claim.language or "") == "zh":
        own = alphabets.chinese(text)
        # A bare zh says nothing of the characters.
        if "-" in tag and own is not None and script in _SCRIPT_NAMES and own != script:
            return _SCRIPT_NAMES[own]
    if claim.script is None and claim.language in _SEVERAL_SCRIPTS:
        return None
    parts = alphabets.PARTS.get(script, {script})
    if not parts <= alphabets.WRITTEN.keys():
        return None
    strange = {name: n for name, n in found.items() if name not in parts}
    name = max(strange, key=strange.__getitem__, default=None)
    if name is None or (name == "Latn" and most < _SHORT):  # acronyms: SMS, NOAA
        return None
    return f"{alphabets.WRITTEN[name]} script" if strange[name] >= 0.8 * most else None


def _by_model(texts: list[tuple[Place, str]], language: str) -> Iterator[tuple[Place, str]]:
    """Each text that is in another language; all of them when none is in the claimed one and together they are not."""
    claimed = identify.group(language)
    if claimed not in identify.known():
        return
    judged = {place: identify.probabilities(text) for place, text in texts if _weight(text) >= _SHORT}
    together = "\n".join(text for _, text in texts)
    if _weight(together) < _SHORT:
        return
    if all(shares.get(claimed, 0.0) < _EVEN for shares in judged.values()):
        whole = _other(identify.probabilities(together), claimed)
        if whole is not None:
            yield from ((place, whole) for place, _ in texts)
            return
    for place, shares in judged.items():
        if (other := _other(shares, claimed)) is not None:
            yield place, other


def _other(shares: Mapping[str, float], claimed: str) -> str | None:
    """The name of another language that a text is in for sure, else None."""
    best = max(shares, key=shares.__getitem__)
    if best in {claimed, "zxx"} or shares[best] < SURE or shares.get(claimed, 0.0) > HARDLY:
        return None
    return _name(best)


def _name(language: str) -> str:
    try:
        return str(Locale.parse(language).english_name)
    except (UnknownLocaleError, ValueError):
        return language


def _weight(text: str) -> int:
    return sum(
        (3 if name in {"Hani", "Kana", "Hang"} else 1) * n for name, n in alphabets.scripts(text).items()
    )
