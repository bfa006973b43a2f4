"""CAP-AU: the Australian event list 1.0, in two tiers, with the CAP categories that the list gives.

Owns the 176 rows as `tier I|tier II|code|categories|closest OET term`; the last column is our own reading and is empty
where no term is close. The facts come from testdata of google/cap-library (Apache-2.0). Codes are spelled as there, also
where they break the list's own rule of 4 to 12 letters. Imports the values alone. Invariant: a row is a term.
"""

from __future__ import annotations

from alerting.cap.model import Category
from alerting.cap.vocabulary.defaults import of_tier, response_types
from alerting.cap.vocabulary.term import Term

SCHEME = "CAP-AU"

#: As real Australian alerts write it.
VALUE_NAME = "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0:AUeventLIST:1.0"

ROWS = """\
Administration||admin|Other|OET-002
Air Quality||airQuality|Health|OET-004
Animal Health||animalHealth|Env|OET-015
Animal Health|Animal Disease|animalDiseas|Env|OET-013
Animal Health|Animal Feed|animalFeed|Env|OET-014
Animal Health|Animal Pest|animalPest|Env|OET-015
Animal Health|Aquatic Animal Disease|aqAnimalDiseas|Env|OET-013
Animal Health|Aquatic Animal Pest|aqAnimalPest|Env|OET-015
Animal Health|Animal Welfare|animalWelfar|Env|OET-015
Animal Health|Marine Disease|marineDiseas|Env|OET-013
Animal Health|Marine Pest|marinePest|Env|OET-015
Animal Health|Animal Quarantine|aQuarantine|Env|OET-015
Animal Health|Sheep Grazier Warning|sheepWarning|Met|
Animals|Animal Attack|animalAttack|Env|OET-054
Animals|Dangerous Animal|animalDanger|Env|OET-054
Animals|Plague|plague|Env|
Aviation||aviation|Transport|OET-019
Aviation|Aircraft Crash|aircraftCrsh|Transport|OET-007
Aviation|Aircraft Incident|aircraft|Transport|OET-008
Aviation|Airport Closure|airportClos|Transport|OET-009
Aviation|Airspace Closure|airspaceClos|Transport|OET-010
Aviation|Airport Lightning Threat|avLightning|Met|OET-122
Aviation|Airport Thunder Threat|avThunder|Met|OET-194
Aviation|Aviation Security|aviationSec|Transport|OET-020
Aviation|Falling Object|fallObject|Transport|OET-077
Aviation|Notice To Airmen|notam|Transport|OET-011
Aviation|Satellite / Space Re-entry debris|spaceDebris|Transport|OET-184
Civil||civil|Security|OET-039
Civil|Building Collapse|bldgCollapse|Infra|OET-031
Civil|Civil Emergency|civilEmerg|Security|OET-039
Civil|Demonstration|demonstratin|Security|OET-040
Civil|Public Event|civilEvent|Security|
Civil|Volunteer Request|volunteer|Other|
Criminal Activity||crime|Security|OET-049
Criminal Activity|Cyber Crime|cyberCrime|Security|OET-050
Criminal Activity|Dangerous Person|dangerPerson|Security|OET-055
Criminal Activity|Terrorism|terrorism|Security|OET-193
Fire||fire|Fire|OET-078
Fire|Bushfire|bushFire|Fire|OET-033
Fire|Fire Ban|fireBan|Fire|
Fire|Fire Danger Level|fireDangrLvl|Fire|
Fire|Forest Fire|forestFire|Fire|OET-086
Fire|Fire Weather|fireWeather|Fire Met|
Fire|Grass Fire|grassFire|Fire|OET-094
Fire|Industrial Fire|industryFire|Fire|OET-113
Fire|Smoke Alert|smoke|Fire|OET-059
Fire|Structure Fire|structurFire|Fire|OET-190
Fire|Total Fire Ban|TotalFireBan|Fire|
Flood||flood|Met|OET-081
Flood|Dam Failure|damFailure|Infra|OET-052
Flood|Flash Flood|flashFlood|Met|OET-079
Flood|High Water Level|highWater|Met|OET-103
Flood|King Tide|kingTide|Met|OET-102
Flood|Levee Failure|leveeFailure|Infra|OET-121
Flood|Storm Surge|stormSurge|Met|OET-189
Flood|Riverine Flood|riverineflod|Met|OET-081
Geological||geologicalHaz|Geo|OET-093
Geological|Avalanche|avalanche|Geo|OET-018
Geological|Earthquake|earthquake|Geo|OET-068
Geological|Karst Hazard|karst|Geo|
Geological|Lahar|lahar|Geo|OET-210
Geological|Landslide|landslide|Geo|OET-119
Geological|Lava Flow|lavaFlow|Geo|OET-211
Geological|Magnetic Storm|magnetcStorm|Geo|OET-185
Geological|Meteorite|meteor|Geo|OET-127
Geological|Pyroclastic Flow|pyroclasFlow|Geo|OET-153
Geological|Pyroclastic Surge|pyroclaSurge|Geo|OET-153
Geological|Tsunami|tsunami|Geo|OET-203
Geological|Volcanic Ash Cloud|volcanicAsh|Geo|OET-017
Geological|Volcano|volcano|Geo|OET-208
Hazardous Materials||hazmat|CBRNE|OET-037
Hazardous Materials|Asbestos|asbestos|Health|
Hazardous Materials|Biological Hazard|biological|CBRNE|OET-022
Hazardous Materials|Chemical Hazard|chemical|CBRNE|OET-037
Hazardous Materials|Explosive Hazard|explosive|CBRNE|OET-076
Hazardous Materials|Major Pollution|pollution|Health|OET-075
Hazardous Materials|Radiological Hazard|radiological|CBRNE|OET-154
Hazardous Materials|Toxic Plume|toxicPlume|CBRNE|OET-197
Health||health|Health|OET-097
Health|Ambulance|ambulance|Health|OET-012
Health|Blood Supply|bloodSupply|Health|OET-024
Health|Communicable Disease|communicable|Health|OET-046
Health|Drinking Water|drinkingWate|Health|OET-144
Health|Drug Safety|drugSafety|Health|OET-064
Health|Drug Supply|drugSupply|Health|OET-065
Health|Food Safety|foodSafety|Health|OET-084
Health|Food Supply|foodSupply|Health|OET-085
Health|Hospital|hospital|Health|OET-097
Health|Human Quarantine|hQuarantine|Health|OET-150
Health|Zoonotic Disease|zoonoticDis|Health Env|OET-061
Marine||marine|Met|
Marine|Freezing Spray|freezngSpray|Met|OET-090
Marine|Gale Wind|galeWind|Met|OET-218
Marine|Hurricane Force Wind|HurricFrcWnd|Met|OET-218
Marine|Iceberg|iceberg|Met|OET-110
Marine|Large Coastal Surf|largeSurf|Met|OET-101
Marine|Large Swell Waves|largeSwell|Met|OET-191
Marine|Maritime / Marine Security|maritimeSec|Transport|OET-177
Marine|Nautical Incident|nautical|Transport|
Marine|Oil Spill|oilSpill|Transport|OET-138
Marine|Squall|squall|Met|OET-186
Marine|Storm Force Wind|stormFrcWind|Met|OET-218
Marine|Strong Wind|strongWind|Met|OET-218
Marine|Waterspout|waterspout|Met|OET-215
Missing Person||missingPer|Security|OET-130
Missing Person|Missing Vulnerable Person|missingVPer|Security|OET-130
Other Non-Urgent Alerts||other|Other|OET-000
Other Urgent Alerts||otherUrgent|Other|OET-000
Plant Health||plant|Env|OET-143
Plant Health|Plant Infectious Disease|plantInfect|Env|OET-143
Plant Health|Plant Pest|plantPest|Env|OET-143
Plant Health|Plant Quarantine|pQuarantine|Env|OET-143
Preparedness Reminders|Emergency Preparedness Reminder|reminder|Other|
Product Safety||product|Safety|OET-148
Public Services||publicServic|Infra|OET-151
Public Services|Facility Closure|facilityClos|Infra|OET-149
Public Services|Facility Lockdown|facilityLock|Infra|OET-149
Public Services|Service or Facility|facility|Infra|OET-149
Public Services|Transit|transit|Transport|OET-152
Railway||railway|Transport|OET-158
Railway|Railway Incident|railIncident|Transport|OET-158
Railway|Train / Rail Crash|railCrash|Transport|OET-158
Rescue||rescue|Rescue|OET-162
Rescue|Distress Beacon|distressBcon|Rescue|OET-162
Roadway||road|Transport|OET-166
Roadway|Bridge Closure|bridgClose|Transport|OET-029
Roadway|Bridge Collapse|bridgCollaps|Transport|OET-030
Roadway|Hazardous Road Conditions|roadHazard|Transport|OET-166
Roadway|Motor Vehicle Accident|roadCrash|Transport|OET-167
Roadway|Roadway Closure|roadClose|Transport|OET-165
Roadway|Roadway Delay|roadDelay|Transport|OET-199
Roadway|Roadway Incident|roadIncident|Transport|OET-166
Roadway|Roadway Usage Condition|roadUsage|Transport|OET-199
Roadway|Traffic Report|traffic|Transport|OET-199
Search||search|Rescue|OET-176
Search|Over Water Search|waterSearch|Rescue|OET-139
Search|Over Land Search|landSearch|Rescue|OET-141
Search|Air Search|airSearch|Rescue|OET-005
Storm||storm|Met|OET-187
Storm|Blizzard|blizzard|Met|OET-023
Storm|Dust Storm|dustStorm|Met|OET-066
Storm|Hail|hail|Met|OET-095
Storm|Rainfall|rainfall|Met|OET-159
Storm|Snowfall|snowfall|Met|OET-182
Storm|Thunderstorm|thunderstorm|Met|OET-194
Storm|Tornado|tornado|Met|OET-196
Storm|Tropical Cyclone|tropCyclone|Met|OET-051
Storm|Weather|weather|Met|OET-216
Temperature||temperature|Met|
Temperature|Extreme Heat|extremeHeat|Met|OET-098
Temperature|Exposure|exposure|Met|
Temperature|Frost|frost|Met|OET-091
Temperature|Wind Chill|windChill|Met|OET-220
Test Message||testMessage|Other|OET-057
Utility||utility|Infra|OET-206
Utility|Cable Service|cable|Infra|OET-034
Utility|Communications Service|comunication|Infra|OET-045
Utility|Diesel Supply|diesel|Infra|OET-060
Utility|Electricity Supply|electric|Infra|OET-146
Utility|Heating Oil Supply|heatingOil|Infra|OET-099
Utility|Internet Service|internet|Infra|OET-115
Utility|Landline Service|landlines|Infra|OET-118
Utility|Mobile Service|Mobiles|Infra|OET-131
Utility|Natural Gas Supply|naturalGas|Infra|OET-134
Utility|Petrol Supply|petrol|Infra|OET-092
Utility|Pipeline Rupture|pipeRupture|Infra|OET-142
Utility|Satellite Service|satellite|Infra|OET-172
Utility|Sewer System|sewer|Infra|OET-178
Utility|Telephone Service|telephone|Infra|OET-192
Utility|Triple Zero|tripleZero|Infra|OET-074
Utility|Waste Management|waste|Infra|OET-212
Utility|Water Supply|waterSupply|Infra|OET-144
Wind||wind|Met|OET-218
Wind|Wind Change|windChange|Met|OET-219
Water quality||water|Env|OET-213
Water quality|Blue Green Algae|blueGrnAlgae|Env|OET-027
"""


def terms() -> tuple[Term, ...]:
    """The list in its own order."""
    return tuple(_term(*row.split("|")) for row in ROWS.splitlines())


def _term(tier: str, event: str, code: str, categories: str, oet: str) -> Term:
    return Term(
        scheme=SCHEME,
        code=code,
        value_name=VALUE_NAME,
        names=(("en", event or tier),),
        groups=(tier,),
        categories=tuple(Category(each) for each in categories.split()),
        response_types=response_types(oet) if oet else of_tier(tier),
        oet=oet or None,
    )
