"""Event codes of CAP-CP (Canada) and CAP-TWP (Taiwan) that real alerts carry.

Owns two incomplete lists: neither managed list is public as data, so these are the codes that published alerts and their
readers have. A row is `code|closest OET term|names`; a name is the event text of a real alert in that language, and the
words of the code itself stand in for English where no alert was seen. Imports the values alone. Invariant: no code here
was made up.
"""

from __future__ import annotations

from cap_oet.data.oet_v1_2 import OASIS_EVENT_TERMS_BY_CODE

from alerting.cap.model import Category
from alerting.cap.vocabulary.defaults import response_types
from alerting.cap.vocabulary.term import Term

CANADA = "CAP-CP"
CANADA_VALUE_NAME = "profile:CAP-CP:Event:0.4"
CANADA_ROWS = """\
airQuality|OET-004|en air quality
cold|OET-043|en cold
flashFlood|OET-079|en flash flood
fog|OET-082|en fog
freezeRain|OET-089|en freeze rain
heat|OET-098|en heat
rainfall|OET-159|en rainfall
snowSquall|OET-182|en snow squall
snowfall|OET-182|en snowfall;fr neige
spclMarine|OET-096|en special marine
squall|OET-186|en squall
storm|OET-187|en storm;fr vent de tempête
testMessage|OET-147|en test message
thunderstorm|OET-194|en thunderstorm;fr orages
tornado|OET-196|en tornado
waterspout|OET-215|en waterspout
weather|OET-216|en weather
wind|OET-218|en wind
"""

TAIWAN = "CAP-TWP"
TAIWAN_VALUE_NAME = "profile:CAP-TWP:Event:1.0"
TAIWAN_ROWS = """\
Mobiles|OET-131|en mobiles
Parking|OET-199|en parking
ReservoirDis|OET-103|zh-Hant 水庫洩洪;en reservoir discharge
airQuality|OET-004|en air quality
airRaidAlert|OET-129|en air raid alert
bloodSupply|OET-024|en blood supply
communicable|OET-046|en communicable
debrisFlow|OET-056|en debris flow
denseFog|OET-058|en dense fog
earthquake|OET-068|en earthquake
heat|OET-098|en heat
highWater|OET-103|en high water
landlines|OET-118|en landlines
railIncident|OET-158|en rail incident
rainfall|OET-159|en rainfall
roadClose|OET-165|en road close
structurFire|OET-190|en structure fire
thunderstorm|OET-194|en thunderstorm
tsunami|OET-203|en tsunami
typhoon|OET-204|en typhoon
workSchlClos|OET-174|en work school closing
"""


def canada() -> tuple[Term, ...]:
    """The Canadian codes that were seen, in order of code."""
    return tuple(_term(CANADA, CANADA_VALUE_NAME, *row.split("|")) for row in CANADA_ROWS.splitlines())


def taiwan() -> tuple[Term, ...]:
    """The Taiwanese codes that were seen, in order of code."""
    return tuple(_term(TAIWAN, TAIWAN_VALUE_NAME, *row.split("|")) for row in TAIWAN_ROWS.splitlines())


def _term(scheme: str, value_name: str, code: str, oet: str, names: str) -> Term:
    row = OASIS_EVENT_TERMS_BY_CODE[oet]
    tagged = (each.partition(" ") for each in names.split(";"))
    return Term(
        scheme=scheme,
        code=code,
        value_name=value_name,
        names=tuple((language, name) for language, _, name in tagged),
        groups=tuple(row["grouping"]),
        categories=tuple(Category(each) for each in row["categories"]),
        response_types=response_types(oet),
        oet=oet,
    )
