"""W-02: places in a text that a template or a hurried hand left to be filled in.

Owns the patterns. A warning, never an error: "XXX" is a numeral somewhere. Invariant: one finding for each text, with
what was found in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alerting.cap.findings import WARNING, Finding
from alerting.cap.model import Alert
from alerting.wording.checks.texts import written

_ASKED: Final = (
    "name|time|date|day|hour|place|location|area|city|town|county|street|road|number|phone|event|hazard|agency|"
    "authority|level|amount|of|the|your|and|or"
)
#: Elements of HTML are X-05's business.
_HTML: Final = (
    "a|b|i|u|p|br|hr|em|h[1-6]|li|ol|ul|td|th|tr|div|pre|sub|sup|img|span|font|code|table|tbody|thead|strong|center|"
    "small|big|html|body|head|style|script|blockquote|input|section|article|label|form|iframe|link|meta|title|dl|dt|dd"
)
_PATTERNS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # [TIME], [insert place]; not [1], nor a marker such as [EXERCISE].
        (r"\[(?!(?:EXERCISE|TEST|DRILL|UPDATE|CANCEL|SIC)\])[A-Z][A-Z _/-]{2,40}\]", 0),
        (r"\[\s*(?:insert|enter|fill in|your)\b[^\]\n]{0,60}\]", re.IGNORECASE),
        (rf"\[\s*(?:{_ASKED})(?:[ /]+(?:{_ASKED})){{0,4}}\s*\]", re.IGNORECASE),
        (r"\[\s*\]|【\s*】|〔\s*〕", 0),
        # {name}, {{ name }}, ${name}, %(name)s
        (r"\$?\{\{?\s*[A-Za-z_][\w. |-]{0,40}\}?\}|\{\s*\}|%\(\w{1,40}\)[sd]", 0),
        (rf"<(?!/?(?:{_HTML})\b)[A-Za-z][\w -]{{1,40}}>", re.IGNORECASE),
        # %s, %1$s, not the "80 %d'humidité" of a French forecast
        (r"(?<![\d\w%])(?<!\d )%(?:\d\$)?[sd]\b(?!['’])", 0),
        (r"\b(?:X{3,}|x{3,}|TBD|TBA|TBC|TODO|FIXME)\b", 0),
        (r"\b[Xx]{2}[:.h/][Xx]{2}\b", 0),
        # XX市, ○月; not the year 二〇〇〇年
        (r"(?:(?<![×Xx○])[×Xx○]{2,}+|[×○]|(?<![一二三四五六七八九十〇])〇〇(?!〇))\s?(?=[年月日时時分市县縣区區省镇鎮乡鄉村])", 0),
        (r"待定|待补充|待補充|待填|待确认|待確認|此处填写|此處填寫|未定稿|要確認|미정", 0),
        (r"\blorem ipsum\b|\bà compléter\b|\bpor definir\b|\ba definir\b|\bda definire\b", re.IGNORECASE),
        # A line of nothing but low lines is a rule, not a blank.
        (r"(?<=[^\s_])[ \t]*_{3,}|(?<!_)_{3,}+[ \t]*+(?!\s|_|\Z)", 0),
        (r"\A\s*(?:null|undefined|None|NaN)\s*\Z", 0),
    )
)  # fmt: skip


def find(alert: Alert) -> Iterator[Finding]:
    """A warning for each text with something left unfilled."""
    for place, text in written(alert):
        found = [match.group().strip() for pattern in _PATTERNS for match in pattern.finditer(text)]
        if found:
            shown = ", ".join(f'"{each[:40]}"' for each in dict.fromkeys(found[:5]))
            yield Finding(
                "W-02",
                WARNING,
                place,
                f"{shown} looks like a blank that was not filled in: write what belongs there",
            )
