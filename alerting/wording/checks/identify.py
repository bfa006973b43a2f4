"""In which language a text is, by the model of py3langid (ADR 11), told at the level at which it can be told.

Owns the groups of languages that the model takes for one another. The model is read at the first question: 0.6 s and
75 MB of memory. Invariant: an answer is a probability over groups; whoever asks decides what is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: Languages under one name: too close to be told apart in a warning, or dialects that nobody names in a tag.
_GROUPS: Final = (
    ("no", "nb", "nn"),
    ("sr", "hr", "bs", "sh", "cnr"),
    ("id", "ms", "zsm", "ind", "jv"),
    ("zh", "yue", "wuu", "cmn", "hak", "nan", "lzh"),
    ("es", "an", "ext"),
    ("ar", "arz", "ary", "arb", "apc", "ajp"),
    ("fa", "prs", "pes"),
    ("tl", "fil", "bcl"),
    ("en", "pcm"),
    ("it", "lij", "vec"),
    ("he", "hbo"),
    ("el", "grc"),
    ("lv", "ltg"),
    ("uz", "uzs", "uzn"),
    ("ku", "sdh", "ckb", "kmr"),
    ("sw", "swh"),
    ("ki", "kik"),
    ("gn", "gug"),
    ("ht", "gcf", "gcr"),
    ("st", "nso", "tn"),
    ("zu", "xh", "ss", "nr"),
    ("hi", "mai", "bho"),
    ("ff", "fuv"),
)
_NAME: Final = {code: group[0] for group in _GROUPS for code in group}


def group(language: str) -> str:
    """The name under which a primary language subtag is told."""
    return _NAME.get(language, language)


def known() -> frozenset[str]:
    """The groups that the model can name."""
    return frozenset(map(group, _model().nb_classes))


def probabilities(text: str) -> Mapping[str, float]:
    """How likely each group is, 0 to 1; the sum is 1 less what is no language at all."""
    found: dict[str, float] = {}
    for label, share in _model().rank(text):
        found[group(label)] = found.get(group(label), 0.0) + float(share)
    return found


def warm() -> None:
    """Read the model now, so that the first warning does not wait for it."""
    _model()


@cache
def _model() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
