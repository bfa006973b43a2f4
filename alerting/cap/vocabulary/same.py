"""SAME: the three-letter event codes of the Emergency Alert System and of weather radio.

Owns the codes as `code|kind|standing|closest OET term|name|other name`. Kind (warning, watch, emergency, statement, test)
and OET term are our reading. Standing says where the code is from: `cfr` 47 CFR 11.31(e); `list` lists of receivers, not
11.31(e); `unclear` its standing there could not be read; `retired`. Names are those of 11.31(e) where it has the code.
Imports the values and cap-oet's data. Invariant: a row is a term.
"""

from __future__ import annotations

from cap_oet.data.oet_v1_2 import OASIS_EVENT_TERMS_BY_CODE

from alerting.cap.model import Category, ResponseType
from alerting.cap.vocabulary import defaults
from alerting.cap.vocabulary.term import Term

SCHEME = "SAME"
VALUE_NAME = "SAME"

ROWS = """\
ADR|test|cfr|OET-002|Administrative Message|
AVA|watch|cfr|OET-018|Avalanche Watch|
AVW|warning|cfr|OET-018|Avalanche Warning|
BHW|warning|list|OET-022|Biological Hazard Warning|
BLU|emergency|cfr|OET-070|Blue Alert|
BWW|warning|list|OET-047|Boil Water Warning|
BZW|warning|cfr|OET-023|Blizzard Warning|
CAE|emergency|cfr|OET-038|Child Abduction Emergency|
CDW|warning|cfr|OET-039|Civil Danger Warning|
CEM|emergency|cfr|OET-039|Civil Emergency Message|
CFA|watch|cfr|OET-042|Coastal Flood Watch|
CFW|warning|cfr|OET-042|Coastal Flood Warning|
CHW|warning|list|OET-037|Chemical Hazard Warning|
CWW|warning|list|OET-047|Contaminated Water Warning|
DBA|watch|list|OET-053|Dam Watch|
DBW|warning|list|OET-052|Dam Break Warning|
DEW|warning|list|OET-046|Contagious Disease Warning|
DMO|test|cfr|OET-147|Practice/Demo Warning|
DSW|warning|cfr|OET-066|Dust Storm Warning|
EAN|emergency|cfr|OET-039|National Emergency Message|Emergency Action Notification
EAT|statement|retired|OET-039|Emergency Action Termination|
EQW|warning|cfr|OET-068|Earthquake Warning|
EVA|watch|list|OET-039|Evacuation Watch|
EVI|emergency|cfr|OET-039|Evacuation Immediate|Immediate Evacuation
EWW|warning|cfr|OET-218|Extreme Wind Warning|
FCW|warning|list|OET-083|Food Contamination Warning|
FFA|watch|cfr|OET-079|Flash Flood Watch|
FFS|statement|cfr|OET-079|Flash Flood Statement|
FFW|warning|cfr|OET-079|Flash Flood Warning|
FLA|watch|cfr|OET-081|Flood Watch|
FLS|statement|cfr|OET-081|Flood Statement|
FLW|warning|cfr|OET-081|Flood Warning|
FRW|warning|cfr|OET-078|Fire Warning|
FSW|warning|list|OET-080|Flash Freeze Warning|
FZW|warning|list|OET-087|Freeze Warning|
HLS|statement|cfr|OET-106|Hurricane Statement|Hurricane Local Statement
HMW|warning|cfr|OET-037|Hazardous Materials Warning|
HUA|watch|cfr|OET-106|Hurricane Watch|
HUW|warning|cfr|OET-106|Hurricane Warning|
HWA|watch|cfr|OET-218|High Wind Watch|
HWW|warning|cfr|OET-218|High Wind Warning|
IBW|warning|list|OET-110|Iceberg Warning|
IFW|warning|list|OET-113|Industrial Fire Warning|
LAE|emergency|cfr|OET-039|Local Area Emergency|
LEW|warning|cfr|OET-120|Law Enforcement Warning|
LSW|warning|list|OET-119|Landslide Warning|
MEP|emergency|cfr|OET-130|Missing and Endangered Persons|
NAT|test|list|OET-147|National Audible Test|
NIC|statement|unclear|OET-002|National Information Center|
NMN|test|cfr|OET-135|Network Message Notification|
NPT|test|cfr|OET-147|Nationwide Test of the Emergency Alert System|National Periodic Test
NST|test|list|OET-147|National Silent Test|
NUW|warning|cfr|OET-136|Nuclear Power Plant Warning|
POS|statement|list|OET-145|Power Outage Statement|
RHW|warning|cfr|OET-154|Radiological Hazard Warning|
RMT|test|cfr|OET-147|Required Monthly Test|
RWT|test|cfr|OET-147|Required Weekly Test|
SCS|statement|list|OET-174|School Closing Statement|
SMW|warning|cfr|OET-096|Special Marine Warning|
SPS|statement|cfr|OET-128|Special Weather Statement|
SPW|warning|cfr|OET-039|Shelter in Place Warning|
SQW|warning|list|OET-182|Snow Squall Warning|
SSA|watch|cfr|OET-189|Storm Surge Watch|
SSW|warning|cfr|OET-189|Storm Surge Warning|
SVA|watch|cfr|OET-194|Severe Thunderstorm Watch|
SVR|warning|cfr|OET-194|Severe Thunderstorm Warning|
SVS|statement|cfr|OET-128|Severe Weather Statement|
TOA|watch|cfr|OET-196|Tornado Watch|
TOE|emergency|cfr|OET-074|911 Telephone Outage Emergency|
TOR|warning|cfr|OET-196|Tornado Warning|
TRA|watch|cfr|OET-202|Tropical Storm Watch|
TRW|warning|cfr|OET-202|Tropical Storm Warning|
TSA|watch|cfr|OET-203|Tsunami Watch|
TSW|warning|cfr|OET-203|Tsunami Warning|
TXB|test|list|OET-155|Transmitter Backup On|
TXF|test|list|OET-155|Transmitter Carrier Off|
TXO|test|list|OET-155|Transmitter Carrier On|
TXP|test|list|OET-155|Transmitter Primary On|
VOA|watch|list|OET-208|Volcano Watch|
VOW|warning|cfr|OET-208|Volcano Warning|
WFA|watch|list|OET-217|Wildfire Watch|Wild Fire Watch
WFW|warning|list|OET-217|Wildfire Warning|Wild Fire Warning
WSA|watch|cfr|OET-222|Winter Storm Watch|
WSW|warning|cfr|OET-222|Winter Storm Warning|
"""

_OF_KIND = {"watch": defaults.WATCH, "statement": defaults.STATEMENT, "test": defaults.TEST}

#: Where the closest term says less than the code itself does.
_OF_CODE = {
    "BLU": (ResponseType.MONITOR, ResponseType.AVOID),
    "EAN": (ResponseType.MONITOR,),
    "EVI": (ResponseType.EVACUATE,),
    "EWW": (ResponseType.SHELTER,),
    "HWW": (ResponseType.SHELTER, ResponseType.AVOID),
    "SPW": (ResponseType.SHELTER,),
}


def terms() -> tuple[Term, ...]:
    """The codes in alphabetical order."""
    return tuple(_term(*row.split("|")) for row in ROWS.splitlines())


def _term(code: str, kind: str, standing: str, oet: str, name: str, other: str) -> Term:
    categories: list[str] = OASIS_EVENT_TERMS_BY_CODE[oet]["categories"]
    return Term(
        scheme=SCHEME,
        code=code,
        value_name=VALUE_NAME,
        names=tuple(("en", each) for each in (name, other) if each),
        groups=(kind, "47 CFR 11.31(e)") if standing == "cfr" else (kind,),
        categories=tuple(Category(each) for each in categories),
        response_types=_OF_CODE.get(code) or _OF_KIND.get(kind) or defaults.response_types(oet),
        oet=oet,
    )
