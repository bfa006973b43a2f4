"""The four classes and the four grades of China's Emergency Response Law, in English and simplified Chinese.

Owns the eight terms: CN-CLASS with examples that a search finds, CN-GRADE with the colour and the CAP severity. The codes
are our own keys, not event codes, so the value name is None. The classes' categories and the grades' severities are our
proposal, but for grade III, which real alerts write as Moderate. Imports the values alone. Invariant: I is the worst.
"""

from __future__ import annotations

from alerting.cap.model import Category, ResponseType, Severity
from alerting.cap.vocabulary.term import Term

CLASS = "CN-CLASS"
GRADE = "CN-GRADE"

# code, English, Chinese, categories, response types, examples
_CLASSES = (
    (
        "natural-disaster",
        "natural disaster",
        "自然灾害",
        (Category.MET, Category.GEO, Category.FIRE, Category.ENV),
        (ResponseType.PREPARE, ResponseType.MONITOR),
        "气象 暴雨 台风 雷电 高温 水旱 洪水 地震 地质 滑坡 泥石流 海洋 风暴潮 森林草原火灾 生物灾害",
    ),
    (
        "accident",
        "accident disaster",
        "事故灾难",
        (Category.SAFETY, Category.TRANSPORT, Category.INFRA, Category.CBRNE, Category.ENV),
        (ResponseType.AVOID, ResponseType.MONITOR),
        "安全生产 交通 公共设施 核与辐射 环境污染",
    ),
    (
        "public-health",
        "public health event",
        "公共卫生事件",
        (Category.HEALTH, Category.ENV),
        (ResponseType.AVOID, ResponseType.MONITOR),
        "传染病 群体性不明原因疾病 食品安全 动物疫情",
    ),
    (
        "social-security",
        "social security event",
        "社会安全事件",
        (Category.SECURITY,),
        (ResponseType.AVOID, ResponseType.MONITOR),
        "恐怖袭击 刑事 群体性 金融 涉外",
    ),
)

# code, severity, English colour, Chinese colour, English wording, Chinese wordings
_GRADES = (
    ("I", Severity.EXTREME, "red", "红色", "particularly serious", ("特别重大", "特别严重")),
    ("II", Severity.SEVERE, "orange", "橙色", "serious", ("重大", "严重")),
    ("III", Severity.MODERATE, "yellow", "黄色", "fairly serious", ("较大", "较重")),
    ("IV", Severity.MINOR, "blue", "蓝色", "ordinary", ("一般",)),
)

_ORDINALS = {"I": "一级", "II": "二级", "III": "三级", "IV": "四级"}


def classes() -> tuple[Term, ...]:
    """The classes in the order of the law."""
    return tuple(
        Term(
            scheme=CLASS,
            code=code,
            value_name=None,
            names=(("en", english), ("zh-Hans", chinese)),
            groups=("class",),
            categories=categories,
            response_types=response_types,
            keywords=tuple(examples.split()),
        )
        for code, english, chinese, categories, response_types, examples in _CLASSES
    )


def grades() -> tuple[Term, ...]:
    """The grades, worst first. They belong to no category and call for nothing by themselves."""
    return tuple(
        Term(
            scheme=GRADE,
            code=code,
            value_name=None,
            names=(
                ("en", wording),
                ("en", red),
                *(("zh-Hans", each) for each in chinese),
                ("zh-Hans", hong),
                ("zh-Hans", _ORDINALS[code]),
            ),
            groups=("grade",),
            categories=(),
            response_types=(),
            severity=severity,
        )
        for code, severity, red, hong, wording, chinese in _GRADES
    )
