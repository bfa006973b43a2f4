"""Lineage: what ends what, and what is in force, against a slow and obvious account of the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.cap import model as m
from alerting.cap.chain import CANCEL_LIFE, LIFE, acts_on, carried, in_force, superseded, unresolved
from tests.cap import made

HOUR = timedelta(hours=1)


def message(
    name: str, hours: float, *targets: m.Alert, kind: m.MsgType = m.MsgType.UPDATE, **changes: Any
) -> m.Alert:
    given_kind = kind if targets else m.MsgType.ALERT
    return made.alert(
        **{
            "identifier": name,
            "sent": made.SENT + hours * HOUR,
            "msg_type": given_kind,
            "references": made.naming(*targets),
            "info": (made.info(effective=None, onset=None, expires=made.SENT + 100 * HOUR),),
        }
        | changes
    )


FIRST = message("first", 0)
SECOND = message("second", 1, FIRST)
THIRD = message("third", 2, SECOND)


def at(hours: float, *chain: m.Alert) -> list[str]:
    return [alert.identifier for alert in in_force(chain, made.SENT + hours * HOUR)]


def test_an_update_replaces_what_it_names() -> None:
    assert at(0.5, FIRST, SECOND) == ["first"]
    assert at(1, FIRST, SECOND) == ["second"]


def test_an_update_of_an_update() -> None:
    assert at(3, FIRST, SECOND, THIRD) == ["third"]


def test_the_order_of_arrival_does_not_matter() -> None:
    assert at(3, THIRD, FIRST, SECOND) == ["third"]
    assert at(3, THIRD, SECOND) == ["third"], "the first may never have come"


def test_a_cancel_ends_and_is_not_itself_in_force() -> None:
    assert at(3, FIRST, SECOND, message("end", 2, SECOND, kind=m.MsgType.CANCEL)) == []
    assert at(3, FIRST, SECOND, message("end", 2, SECOND, kind=m.MsgType.CANCEL, info=())) == []


def test_an_error_ends_too_and_an_ack_does_not() -> None:
    assert at(3, FIRST, message("wrong", 2, FIRST, kind=m.MsgType.ERROR)) == []
    assert at(3, FIRST, message("seen", 2, FIRST, kind=m.MsgType.ACK)) == ["first"]


def test_what_was_replaced_does_not_come_back() -> None:
    assert at(3, FIRST, SECOND, message("wrong", 2, SECOND, kind=m.MsgType.ERROR)) == []


def test_part_of_a_chain_may_be_ended() -> None:
    other = message("other", 0)
    assert at(3, FIRST, other, message("end", 2, other, kind=m.MsgType.CANCEL)) == ["first"]


def test_an_update_replaces_several_and_leaves_the_rest() -> None:
    north, south, east = message("north", 0), message("south", 0), message("east", 0)
    merged = message("merged", 1, north, south)
    assert at(2, north, south, east, merged) == ["east", "merged"]


def test_an_update_that_names_only_the_first_leaves_the_second_in_force() -> None:
    """What is not named is not ended: A-13 warns of it, nothing is guessed."""
    assert at(3, FIRST, SECOND, message("other", 2, FIRST)) == ["second", "other"]


def test_one_message_may_be_replaced_by_several() -> None:
    assert at(3, FIRST, message("north", 1, FIRST), message("south", 2, FIRST)) == ["north", "south"]


def test_a_cancel_may_come_before_what_it_ends() -> None:
    end = message("end", 2, FIRST, kind=m.MsgType.CANCEL, info=())
    assert unresolved([end]) == {("river.example", "first")}
    assert at(3, end, FIRST) == []


def test_a_message_is_judged_by_when_it_was_sent_not_by_when_it_came() -> None:
    end = message("end", 2, FIRST, kind=m.MsgType.CANCEL, info=())
    assert at(1.9, end, FIRST) == ["first"]


def test_a_wrong_sent_in_a_reference_still_matches() -> None:
    wrong = (m.Reference(FIRST.sender, FIRST.identifier, made.SENT + 50 * HOUR),)
    assert at(3, FIRST, message("end", 2, FIRST, kind=m.MsgType.CANCEL, references=wrong)) == []


def test_a_reference_to_itself_ends_nothing() -> None:
    alert = message("loop", 0, kind=m.MsgType.UPDATE)
    loop = made.alert(identifier="loop", msg_type=m.MsgType.UPDATE, references=made.naming(alert))
    assert acts_on(loop) == frozenset()
    assert at(0.5, loop) == ["loop"]


def test_an_older_message_cannot_end_a_newer_one() -> None:
    early = message("early", -1, FIRST, kind=m.MsgType.CANCEL)
    assert at(1, FIRST, early) == ["first"]


def test_a_later_version_under_the_same_identifier_replaces_the_earlier() -> None:
    again = message("first", 1, note="corrected")
    assert in_force([FIRST, again], made.SENT + 2 * HOUR) == (again,)


def test_an_exercise_never_ends_a_real_warning() -> None:
    drill = message("drill", 1, FIRST, kind=m.MsgType.CANCEL, status=m.Status.EXERCISE)
    assert at(2, FIRST, drill) == ["first"]


def test_nobody_ends_anothers_message_unless_allowed() -> None:
    stranger = message("end", 1, FIRST, kind=m.MsgType.CANCEL, sender="other")
    assert at(2, FIRST, stranger) == ["first"]
    assert in_force([FIRST, stranger], made.SENT + 2 * HOUR, may_act=lambda _, __: True) == ()


def test_a_warning_ends_when_its_last_info_expires() -> None:
    infos = (made.info(expires=made.SENT + HOUR), made.info(expires=made.SENT + 2 * HOUR))
    assert at(1.5, message("short", 0, info=infos)) == ["short"]
    assert at(2, message("short", 0, info=infos)) == []


def test_without_expires_a_life_is_assumed() -> None:
    endless = message("endless", 0, info=(made.info(effective=None, expires=None),))
    assert at(LIFE / HOUR - 0.1, endless) == ["endless"]
    assert at(LIFE / HOUR, endless) == []


def test_what_is_referred_to_but_missing() -> None:
    assert unresolved([SECOND, THIRD]) == {("river.example", "first")}


def test_a_cancel_without_info_takes_languages_and_expiry_from_the_originals() -> None:
    infos = (
        made.info(language="fr", expires=made.SENT + 9 * HOUR),
        made.info(language=None),
        made.info(language="fr"),
    )
    first = message("first", 0, info=infos)
    cancel = message("end", 1, first, kind=m.MsgType.CANCEL, info=())
    taken = carried(cancel, {("river.example", "first"): first})
    assert taken.languages == ("fr", None)
    assert taken.expires == made.SENT + 9 * HOUR


@pytest.mark.parametrize("known", [{}, {("river.example", "first"): message("first", 0, info=())}])
def test_a_cancel_lasts_two_hours_at_least(known: dict[tuple[str, str], m.Alert]) -> None:
    cancel = message("end", 1, FIRST, kind=m.MsgType.CANCEL, info=())
    assert carried(cancel, known).expires == cancel.sent + CANCEL_LIFE


# ---- against the obvious ----


@st.composite
def chains(draw: st.DrawFn) -> list[m.Alert]:
    made_so_far: list[m.Alert] = []
    names = st.sampled_from("abcd")
    for _ in range(draw(st.integers(1, 7))):
        targets = draw(st.lists(names, max_size=2))
        made_so_far.append(
            made.alert(
                identifier=draw(names),
                sender=draw(st.sampled_from(["x", "y"])),
                sent=made.SENT + draw(st.integers(0, 4)) * HOUR,
                status=draw(st.sampled_from([m.Status.ACTUAL, m.Status.TEST])),
                msg_type=draw(st.sampled_from(m.MsgType)),
                references=tuple(
                    m.Reference(draw(st.sampled_from("xy")), name, made.SENT) for name in targets
                ),
                info=tuple(
                    made.info(
                        effective=None,
                        expires=draw(st.none() | st.integers(0, 6).map(lambda n: made.SENT + n * HOUR)),
                    )
                    for _ in range(draw(st.integers(0, 2)))
                ),
            )
        )
    return made_so_far


def obvious(chain: Sequence[m.Alert], now: datetime) -> list[m.Alert]:
    """Message by message, as one would say it."""
    held: list[m.Alert] = []
    for alert in chain:
        here = alert.sent <= now and alert.msg_type in ("Alert", "Update") and alert not in held
        for other in chain:
            if other.sent > now or other.status != alert.status:
                continue
            same = (other.sender, other.identifier) == (alert.sender, alert.identifier)
            if same and other.sent > alert.sent:
                here = False
            if same or other.sent < alert.sent or other.msg_type not in ("Update", "Cancel", "Error"):
                continue
            for reference in other.references:
                if (reference.sender, reference.identifier) == (alert.sender, alert.identifier):
                    here = here and other.sender != alert.sender
        lasting = [info for info in alert.info if now < (info.expires or alert.sent + LIFE)]
        if here and lasting:
            held.append(alert)
    return held


@given(chains(), st.integers(-1, 30), st.randoms(use_true_random=False))
def test_in_force_is_what_the_obvious_account_says(chain: list[m.Alert], hours: int, random: Any) -> None:
    now = made.SENT + hours * HOUR
    held = in_force(chain, now)
    assert list(held) == obvious(chain, now)
    random.shuffle(chain)
    assert set(in_force(chain, now)) == set(held)


@given(chains(), st.integers(-1, 30))
def test_what_is_superseded_stays_so(chain: list[m.Alert], hours: int) -> None:
    now = made.SENT + hours * HOUR
    assert superseded(chain, now) <= superseded(chain, now + HOUR)
