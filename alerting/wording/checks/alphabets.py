"""Which script a text is written in, and whether Chinese is written in simplified or traditional characters.

Pure tables over Unicode. Invariant: a script is named by its ISO 15924 code, and only where the characters leave no doubt.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

_BY_NAME: Final = {
    "LATIN": "Latn", "CYRILLIC": "Cyrl", "GREEK": "Grek", "ARABIC": "Arab", "HEBREW": "Hebr", "CJK": "Hani",
    "HIRAGANA": "Kana", "KATAKANA": "Kana", "KATAKANA-HIRAGANA": "Kana", "HANGUL": "Hang", "THAI": "Thai",
    "DEVANAGARI": "Deva", "BENGALI": "Beng", "TAMIL": "Taml", "TELUGU": "Telu", "GEORGIAN": "Geor",
    "ARMENIAN": "Armn", "ETHIOPIC": "Ethi", "KHMER": "Khmr", "LAO": "Laoo", "MYANMAR": "Mymr", "SINHALA": "Sinh",
    "GUJARATI": "Gujr", "GURMUKHI": "Guru", "KANNADA": "Knda", "MALAYALAM": "Mlym", "ORIYA": "Orya",
    "TIBETAN": "Tibt", "THAANA": "Thaa", "MONGOLIAN": "Mong",
}  # fmt: skip

#: A script's name in English.
WRITTEN: Final = {
    code: {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "KATAKANA-HIRAGANA": "Japanese",
           "HANGUL": "Korean"}.get(name, name.capitalize())
    for name, code in _BY_NAME.items()
}  # fmt: skip

#: The characters of each language's script; a script that stands for several is spelt out.
PARTS: Final = {
    "Hans": {"Hani"}, "Hant": {"Hani"}, "Jpan": {"Hani", "Kana"}, "Kore": {"Hang", "Hani"},
}  # fmt: skip

# Pairs that differ, of those that warnings are made of. Japanese shares some of either: only Chinese is judged by them.
_SIMPLIFIED: Final = (
    "发报预区气黄蓝红级响应电风险请离开门国时间东乡镇县节关闭车队员务体转达听闻话语讯议论设备护带为义这还进远连运过达边"
    "阳阴队际陆难雾飞马鱼鸟龙岛岭岗峡湾灾灭热烧厂号涨库桥线给红细级约纪纸终统继续绝绿维综缓网罗联职胁脑脱层属岁师广庆"
    "华单卫厅压团围图场块坝坏坚处备复头奋实宁审对导将尔尽显晓机权条来杨极构标树样档检楼欢残毁汇汉汤沟泞泽洁涛涝渐"
    "湿溃滚满滩积穷窝竞笔筑简类粮紧纷练组织经结绕"
)
_TRADITIONAL: Final = (
    "發報預區氣黃藍紅級響應電風險請離開門國時間東鄉鎮縣節關閉車隊員務體轉達聽聞話語訊議論設備護帶為義這還進遠連運過達邊"
    "陽陰隊際陸難霧飛馬魚鳥龍島嶺崗峽灣災滅熱燒廠號漲庫橋線給紅細級約紀紙終統繼續絕綠維綜緩網羅聯職脅腦脫層屬歲師廣慶"
    "華單衛廳壓團圍圖場塊壩壞堅處備複頭奮實寧審對導將爾盡顯曉機權條來楊極構標樹樣檔檢樓歡殘毀匯漢湯溝濘澤潔濤澇漸"
    "濕潰滾滿灘積窮窩競筆築簡類糧緊紛練組織經結繞"
)
SIMPLIFIED: Final = frozenset(_SIMPLIFIED) - frozenset(_TRADITIONAL)
TRADITIONAL: Final = frozenset(_TRADITIONAL) - frozenset(_SIMPLIFIED)

#: So many telling characters settle it, if the other kind is not a fifth of them.
_ENOUGH: Final = 2


@lru_cache(maxsize=4096)
def script_of(character: str) -> str | None:
    """The script of a letter; None for digits, signs and scripts that are not told apart here."""
    if not character.isalpha():
        return None
    return _BY_NAME.get(unicodedata.name(character, "").split(" ")[0])


def scripts(text: str) -> Counter[str]:
    """How many letters of each script a text has."""
    return Counter(script for c in text if (script := script_of(c)) is not None)


def chinese(text: str) -> str | None:
    """Hans or Hant, where the characters of a Chinese text say which; else None."""
    simple = sum(c in SIMPLIFIED for c in text)
    full = sum(c in TRADITIONAL for c in text)
    if max(simple, full) < _ENOUGH or 5 * min(simple, full) > max(simple, full):
        return None
    return "Hans" if simple > full else "Hant"
