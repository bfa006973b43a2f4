"""Suggested instructions, each in our own words after the advice of a public page that may be reused.

Owns a handful of hazards, each with the OASIS event terms that it serves; a hazard, or a language, for which no public
source with clear terms was read has no text. Imports the values alone. Invariant: every text names its language, its page,
the page's publisher and the terms of use. An officer reads a text before it is sent: nothing here is sent by itself.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from alerting.cap.vocabulary.term import Instruction

_READY = "https://www.ready.gov/"
_PUBLISHER = "Ready.gov, Federal Emergency Management Agency (United States)"
_LICENCE = "Work of the United States Government: no copyright in the United States (17 U.S.C. 105)"

# OASIS event terms, then (language, page, text) for each language.
_HAZARDS: Final = (
    (
        ("OET-042", "OET-079", "OET-081", "OET-140"),  # coastal, flash, plain and overland flood
        (
            (
                "en",
                "floods",
                (
                    "Go to higher ground now. Do not walk, swim or drive through flood water, and keep off bridges over "
                    "fast water. If water traps you in a building, climb to its highest floor, but not into a closed attic."
                ),
            ),
        ),
    ),
    (
        ("OET-196",),  # tornado
        (
            (
                "en",
                "tornadoes",
                (
                    "Take shelter now in a basement, a safe room or a small inner room without windows on the lowest "
                    "floor. Cover your head and neck. Leave mobile homes and vehicles for a sturdy building if you can "
                    "reach one. Do not shelter under a bridge."
                ),
            ),
        ),
    ),
    (
        ("OET-051", "OET-106", "OET-202", "OET-204"),  # cyclone, hurricane, tropical storm, typhoon
        (
            (
                "en",
                "hurricanes",
                (
                    "Leave at once if you are told to evacuate. If you stay, keep to an inner room away from windows. "
                    "If water rises, go to the highest floor, but not into a closed attic. Do not walk, swim or drive "
                    "through flood water."
                ),
            ),
            (
                "zh-Hans",
                "zh-hans/hurricanes",
                "请听从当地应急管理部门的指示。如果您住在疏散区,可能必须迅速撤离:请确认疏散路线和去处,并带上家人和宠物。",
            ),
        ),
    ),
    (
        ("OET-068",),  # earthquake
        (
            (
                "en",
                "earthquakes",
                (
                    "Drop to your hands and knees, cover your head and neck, and hold on until the shaking stops. If you "
                    "are indoors, stay there. If you are outdoors, keep clear of buildings. In a car, stop and stay in "
                    "it. Be ready for aftershocks."
                ),
            ),
        ),
    ),
    (
        ("OET-203",),  # tsunami
        (
            (
                "en",
                "tsunamis",
                (
                    "Leave the coast now: go as high and as far inland as you can. If you feel an earthquake, protect "
                    "yourself first and move as soon as the shaking stops. Stay away until officials say that it is safe."
                ),
            ),
        ),
    ),
    (
        ("OET-033", "OET-086", "OET-094", "OET-217"),  # bush, forest and grass fire, wildfire
        (
            (
                "en",
                "wildfires",
                (
                    "Leave at once if you are told to evacuate. If you are trapped, call the emergency number and turn on "
                    "the lights so that rescuers find you. If you may stay, keep indoors with doors and windows closed, and "
                    "wear an N95 mask in smoke."
                ),
            ),
            (
                "zh-Hans",
                "zh-hans/node/3586",
                "请听从当地主管部门的指示,做好按疏散路线迅速撤离的准备,并确定去处。有烟雾时,请留在可与室外空气隔绝的房间,关闭所有门窗。",
            ),
        ),
    ),
    (
        ("OET-098",),  # heat
        (
            (
                "en",
                "heat",
                (
                    "Find a place with air conditioning, or shade if you are outdoors. Drink plenty of fluids and avoid "
                    "hard work. Never leave a person or an animal in a closed vehicle. Look after relatives and neighbours."
                ),
            ),
        ),
    ),
    (
        ("OET-023", "OET-109", "OET-183", "OET-222"),  # blizzard, ice storm, snowstorm, winter storm
        (
            (
                "en",
                "winter-weather",
                (
                    "Stay off the roads and indoors. Keep warm and watch for frostbite and hypothermia. Run generators "
                    "outdoors only, away from windows, and never heat a home with a gas stove or oven. Look after neighbours."
                ),
            ),
        ),
    ),
    (
        ("OET-122", "OET-194"),  # lightning, thunderstorm
        (
            (
                "en",
                "thunderstorms-lightning",
                (
                    "When you hear thunder, go into a sturdy building or a hard-topped vehicle. Keep away from windows, "
                    "running water and electrical equipment. Do not drive through flooded roads."
                ),
            ),
        ),
    ),
    (
        ("OET-037", "OET-197", "OET-198"),  # chemical hazard, toxic plume, toxic spill
        (
            (
                "en",
                "chemical",
                (
                    "If you are told to stay indoors, close doors, windows and vents, turn off ventilation, go to an inner "
                    "room and seal its gaps. If you are outdoors, move quickly to clean air. If you are told to evacuate, "
                    "leave at once."
                ),
            ),
        ),
    ),
)


@cache
def _by_term() -> dict[str, tuple[Instruction, ...]]:
    return {
        oet: tuple(
            Instruction(language, text, _READY + page, _PUBLISHER, _LICENCE) for language, page, text in texts
        )
        for terms, texts in _HAZARDS
        for oet in terms
    }


def for_event(oet: str | None) -> tuple[Instruction, ...]:
    """The texts for an OASIS event term, one for each language that has one; () where there is none."""
    return _by_term().get(oet, ()) if oet is not None else ()
