"""Which response types a warning of an event proposes when its author has said nothing.

Owns our own proposal, which no source gives: a table by OASIS grouping, overrides by OASIS term, one by Australian tier
for the events that no OASIS term is close to, and one by the kind of a SAME code. Imports the values and cap-oet's data.
Invariant: every event has at least one response type, in the order in which it should be shown.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from cap_oet.data.oet_v1_2 import OASIS_EVENT_TERMS_BY_CODE

from alerting.cap.model import ResponseType

SHELTER, EVACUATE, PREPARE, EXECUTE, AVOID, MONITOR, ASSESS, _ALL_CLEAR, NONE = ResponseType

#: What a watch proposes, whatever its event: there is still time.
WATCH: Final = (PREPARE, MONITOR)
#: What a statement proposes: it follows up what was said before.
STATEMENT: Final = (MONITOR,)
#: What a test or an administrative message proposes.
TEST: Final = (NONE,)

_BY_GROUP: Final = {
    "air hazard": (AVOID, MONITOR),
    "aviation hazard": (AVOID, MONITOR),
    "beach hazard": (AVOID,),
    "biological hazard": (AVOID, MONITOR),
    "civil issue": (AVOID, MONITOR),
    "contamination hazard": (SHELTER, AVOID),
    "criminal activity": (AVOID, MONITOR),
    "earthquake": (SHELTER, MONITOR),
    "environmental": (AVOID, MONITOR),
    "fire": (EVACUATE, AVOID),
    "flood": (AVOID, PREPARE),
    "geophysical": (EVACUATE, AVOID),
    "health hazard": (AVOID, MONITOR),
    "health issue": (MONITOR,),
    "ice issue": (AVOID,),
    "infrastructure issue": (AVOID, MONITOR),
    "marine": (AVOID, MONITOR),
    "national hazard": (SHELTER,),
    "other": (MONITOR,),
    "public health": (MONITOR,),
    "radiological hazard": (SHELTER, MONITOR),
    "rescue": (MONITOR,),
    "road hazard": (AVOID,),
    "safety hazard": (AVOID,),
    "search": (MONITOR,),
    "security": (AVOID, MONITOR),
    "severe weather": (SHELTER, MONITOR),
    "space": (MONITOR,),
    "temperature hazard": (PREPARE, AVOID),
    "testing & system activity": TEST,
    "thunderstorm": (SHELTER, MONITOR),
    "tornado": (SHELTER,),
    "transport": (AVOID, MONITOR),
    "tropical cyclone": (PREPARE, SHELTER),
    "tropical storm": (PREPARE, SHELTER),
    "utility issue": (PREPARE, MONITOR),
    "volcano hazard": (EVACUATE, AVOID),
    "water hazard": (AVOID, MONITOR),
    "weather": (PREPARE, MONITOR),
    "winter weather": (PREPARE, AVOID),
}

_BY_TERM: Final = {
    "OET-001": (SHELTER, AVOID),  # active shooter situation
    "OET-018": (EVACUATE, AVOID),  # avalanche: the list gives it no grouping
    "OET-028": (EVACUATE, AVOID),  # bomb threat
    "OET-031": (EVACUATE, AVOID),  # building collapse
    "OET-036": (SHELTER, AVOID),  # chemical fire
    "OET-037": (SHELTER, AVOID),  # chemical hazard: no grouping
    "OET-038": (MONITOR,),  # child abduction: look, and report
    "OET-048": (AVOID, MONITOR),  # contamination: no grouping
    "OET-052": (EVACUATE,),  # dam break
    "OET-059": (SHELTER, AVOID),  # dense smoke
    "OET-066": (SHELTER, AVOID),  # dust storm
    "OET-067": (EVACUATE,),  # dyke break
    "OET-074": (PREPARE, MONITOR),  # emergency telephone outage
    "OET-076": (EVACUATE, AVOID),  # explosion threat
    "OET-079": (EVACUATE, AVOID),  # flash flood: to higher ground
    "OET-106": (PREPARE, SHELTER, EVACUATE),  # hurricane
    "OET-121": (EVACUATE,),  # levee break
    "OET-122": (SHELTER,),  # lightning
    "OET-129": (SHELTER,),  # missile threat
    "OET-130": (MONITOR,),  # missing person(s)
    "OET-136": (SHELTER, MONITOR),  # nuclear power plant
    "OET-142": (EVACUATE, AVOID),  # pipeline rupture
    "OET-145": (PREPARE, MONITOR),  # power outage
    "OET-148": (AVOID,),  # product safety
    "OET-157": (SHELTER, AVOID),  # radiological fire
    "OET-170": (SHELTER, AVOID),  # sandstorm
    "OET-175": (SHELTER,),  # school lockdown
    "OET-189": (EVACUATE,),  # storm surge
    "OET-190": (AVOID,),  # structure fire
    "OET-194": (SHELTER, MONITOR),  # thunderstorm
    "OET-196": (SHELTER,),  # tornado
    "OET-198": (SHELTER, AVOID),  # toxic spill
    "OET-203": (EVACUATE,),  # tsunami
    "OET-204": (PREPARE, SHELTER, EVACUATE),  # typhoon
}

_BY_TIER: Final = {
    "Animals": (AVOID, MONITOR),
    "Civil": (MONITOR,),
    "Fire": (PREPARE, AVOID),  # bans, danger levels and fire weather: no fire burns yet
    "Geological": (AVOID,),
    "Hazardous Materials": (AVOID,),
    "Marine": (AVOID, MONITOR),
    "Preparedness Reminders": (PREPARE,),
}


@cache
def response_types(oet: str) -> tuple[ResponseType, ...]:
    """For an OASIS event term: its own row, else those of its groupings, one after the other.

    Raises KeyError for a code that is no OASIS event term.
    """
    if oet in _BY_TERM:
        return _BY_TERM[oet]
    groups: list[str] = OASIS_EVENT_TERMS_BY_CODE[oet]["grouping"]
    return tuple(dict.fromkeys(each for group in groups for each in _BY_GROUP[group])) or (MONITOR,)


def of_tier(tier: str) -> tuple[ResponseType, ...]:
    """For an Australian event that no OASIS term is close to, by its tier I."""
    return _BY_TIER.get(tier, (MONITOR,))
