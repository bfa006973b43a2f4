"""Updates, Cancels and Errors: what they end, what they may not touch, and whom they tell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from alerting.authoring import AlertState, NotFound, Refused, WrongState, reading
from alerting.cap.model import Area, MsgType, Reference, Severity, Status, Urgency
from alerting.store.engine import transaction
from alerting.store.states import NO_SEGMENT

from .conftest import NOW, SQUARE, Desk, acting, coded, info, warning

LATER = NOW + timedelta(minutes=30)


def ids(rows: dict[str, dict[str, Any]], *channels: str) -> list[int]:
    return [rows[channel]["id"] for channel in channels]


def errors(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {finding.pointer for finding in refused.value.findings if finding.severity == "error"}


def test_an_update_withdraws_the_old_dispatch_and_tells_its_recipients_at_least_as_fast(desk: Desk) -> None:
    first = warning()
    old = desk.submit(first)
    milder = info(severity=Severity.MINOR, urgency=Urgency.FUTURE, area=(coded("AA-2"),))
    new = desk.submit(acting("u-1", MsgType.UPDATE, first, infos=(milder,)), now=LATER)
    assert desk.stored(old.id).state is AlertState.SUPERSEDED
    assert desk.stored(old.id).ended_at == LATER
    before, after = desk.dispatches(old.id), desk.dispatches(new.id)
    assert {row["state"] for row in before.values()} == {"withdrawn"}
    for channel in ("sms", "email"):
        assert after[channel]["replaces"] == after[channel]["recipients_of"] == ids(before, channel)
    assert after["rss"]["recipients_of"] == []  # nobody in particular was reached there
    assert after["sms"]["priority"] == before["sms"]["priority"]
    assert desk.rows("SELECT new, old FROM supersedes") == [{"new": new.id, "old": old.id}]
    assert [
        row["identifier"] for row in desk.rows("SELECT identifier FROM public_alert WHERE state = 'issued'")
    ] == ["u-1"]


def test_whoever_is_outside_of_an_update_hears_that_it_no_longer_applies_there(desk: Desk) -> None:
    first = warning(
        "w-1",
        info(area=(coded("AA-1", desc="First valley"),)),
        info("fr", area=(coded("AA-1", desc="Vallée"),)),
    )
    desk.submit(first)
    new = desk.submit(
        acting("u-1", MsgType.UPDATE, first, infos=(info(area=(coded("AA-2", desc="Second valley"),)),))
    )
    told = desk.texts(new.id)
    assert set(told) == {(0, "en"), (NO_SEGMENT, "en"), (NO_SEGMENT, "fr"), (NO_SEGMENT, "mul")}
    assert "no longer" in told[NO_SEGMENT, "en"]
    assert "First valley" in told[NO_SEGMENT, "en"]
    assert "Second valley" not in told[NO_SEGMENT, "en"]
    # A reader with two warnings must know which of them has ended, and who says so.
    for language in ("en", "fr"):
        assert "Flood" in told[NO_SEGMENT, language]
        assert "River office" in told[NO_SEGMENT, language]
    assert (NO_SEGMENT, "en") not in desk.texts(new.id, "rss")


def test_a_cancel_goes_to_those_who_were_reached_and_to_nobody_else(desk: Desk) -> None:
    first = warning("w-1", info(), info("fr"))
    old = desk.submit(first)
    made = desk.submit(acting("c-1", MsgType.CANCEL, first), now=LATER)
    assert desk.stored(old.id).state is AlertState.CANCELLED
    assert desk.segments(made.id) == []  # no ground: an expansion by area has nothing to walk
    assert desk.dispatches(made.id)["sms"]["recipients_of"] == ids(desk.dispatches(old.id), "sms")
    told = desk.texts(made.id)
    assert set(told) == {(NO_SEGMENT, "en"), (NO_SEGMENT, "fr"), (NO_SEGMENT, "mul")}
    assert "Flood" in told[NO_SEGMENT, "en"]
    assert "River office" in told[NO_SEGMENT, "fr"]


def test_a_cancel_without_info_ends_with_what_it_lifts_but_lives_two_hours(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    early = desk.submit(acting("c-1", MsgType.CANCEL, first), now=LATER)
    assert desk.stored(early.id).expires == NOW + timedelta(hours=6)
    second = warning("w-2")
    desk.submit(second)
    late = NOW + timedelta(hours=5, minutes=30)
    last = desk.submit(acting("c-2", MsgType.CANCEL, second, sent=late), now=late)
    assert desk.stored(last.id).expires == late + timedelta(hours=2)
    assert desk.dispatches(last.id)["sms"]["expires"] == late + timedelta(hours=2)


@pytest.mark.parametrize(
    ("msg_type", "note"), [(MsgType.CANCEL, "Issued in error: wrong valley"), (MsgType.ERROR, "wrong valley")]
)
def test_what_was_issued_in_error_is_taken_back_in_the_area_too(
    desk: Desk, msg_type: MsgType, note: str
) -> None:
    first = warning("w-1", info(), info(severity=Severity.EXTREME, area=(Area("square", polygon=(SQUARE,)),)))
    old = desk.submit(first)
    made = desk.submit(acting("c-1", msg_type, first, note=note))
    before, after = desk.segments(old.id), desk.segments(made.id)
    assert [row.regions for row in after] == [row.regions for row in before]
    assert [row.severity for row in after] == [row.severity for row in before]
    assert [row.geometry for row in after] == [row.geometry for row in before]
    assert set(desk.texts(made.id)) == {(0, "en"), (1, "en"), (NO_SEGMENT, "en")}
    assert desk.dispatches(made.id)["sms"]["recipients_of"] == ids(desk.dispatches(old.id), "sms")


def test_a_cancel_cannot_be_held_for_too_many_people(careful_desk: Desk) -> None:
    first = warning()
    old = careful_desk.submit(first)
    careful_desk.approve(old.id)
    made = careful_desk.submit(acting("c-1", MsgType.CANCEL, first))
    careful_desk.approve(made.id)
    assert careful_desk.dispatches(made.id)["sms"]["approved"] is None


def test_a_reference_to_nothing_known_is_refused_and_one_among_known_ones_is_a_warning(desk: Desk) -> None:
    unknown = warning("never-seen")
    for msg_type in (MsgType.UPDATE, MsgType.CANCEL):
        with pytest.raises(Refused) as refused:
            desk.submit(acting("x-1", msg_type, unknown, infos=(info(),)))
        assert errors(refused) == {"/references/0"}
    first = warning()
    old = desk.submit(first)
    made = desk.submit(acting("u-1", MsgType.UPDATE, unknown, first, infos=(info(),)))
    assert "/references/0" in {finding.pointer for finding in made.warnings}
    assert desk.stored(old.id).state is AlertState.SUPERSEDED


def test_the_time_in_a_reference_does_not_matter(desk: Desk) -> None:
    first = warning()
    old = desk.submit(first)
    desk.submit(acting("c-1", MsgType.CANCEL, replace(first, sent=NOW - timedelta(days=1))))
    assert desk.stored(old.id).state is AlertState.CANCELLED


@pytest.mark.parametrize("msg_type", [MsgType.UPDATE, MsgType.CANCEL, MsgType.ERROR])
def test_nobody_acts_on_the_warning_of_another(desk: Desk, msg_type: MsgType) -> None:
    first = warning(sender="sea.example")
    old = desk.submit(first)
    with pytest.raises(Refused) as refused:
        desk.submit(acting("x-1", msg_type, first, infos=(info(),), note="no"))
    assert errors(refused) == {"/references/0"}
    assert desk.stored(old.id).state is AlertState.ISSUED


def test_an_exercise_never_ends_a_real_warning(desk: Desk) -> None:
    first = warning()
    old = desk.submit(first)
    with pytest.raises(Refused) as refused:
        desk.submit(acting("x-1", MsgType.CANCEL, first, status=Status.EXERCISE, note="Drill"))
    assert "/references/0" in errors(refused)
    assert desk.stored(old.id).state is AlertState.ISSUED


def test_a_warning_that_was_replaced_is_reached_through_what_replaced_it(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    second = acting("u-1", MsgType.UPDATE, first, infos=(info(),))
    new = desk.submit(second)
    with pytest.raises(Refused, match="u-1 has taken the place of w-1"):
        desk.submit(acting("c-1", MsgType.CANCEL, first))
    desk.submit(acting("c-2", MsgType.CANCEL, first, second))
    assert desk.stored(new.id).state is AlertState.CANCELLED


def test_what_has_ended_cannot_be_cancelled_and_an_expired_warning_can_still_be_updated(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    after = NOW + timedelta(hours=7)
    with pytest.raises(Refused, match="nothing to cancel"):
        desk.submit(acting("c-1", MsgType.CANCEL, first, sent=after), now=after)
    again = info(expires=after + timedelta(hours=1))
    made = desk.submit(acting("u-1", MsgType.UPDATE, first, infos=(again,), sent=after), now=after)
    assert "/references/0" in {finding.pointer for finding in made.warnings}
    third = warning("w-3")
    desk.submit(third)
    desk.submit(acting("c-3", MsgType.CANCEL, third))
    with pytest.raises(Refused, match="issue a new Alert"):
        desk.submit(acting("u-3", MsgType.UPDATE, third, infos=(info(),)))


def test_of_two_updates_at_once_one_wins(desk: Desk) -> None:
    first = warning()
    desk.submit(first)

    def attempt(n: int) -> bool:
        try:
            desk.submit(acting(f"u-{n}", MsgType.UPDATE, first, infos=(info(event=f"Flood {n}"),)))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, range(4))).count(True) == 1
    assert len(desk.rows("SELECT FROM alert_state WHERE state = 'issued'")) == 1


def test_the_recipients_of_an_update_that_was_cut_short_are_those_of_its_predecessor(desk: Desk) -> None:
    first = warning()
    old = desk.submit(first)
    with transaction() as session:
        session.execute(text("UPDATE dispatch SET state = 'done' WHERE alert = :id"), {"id": old.id})
    second = acting("u-1", MsgType.UPDATE, first, infos=(info(),))
    middle = desk.submit(second)
    last = desk.submit(acting("c-1", MsgType.CANCEL, second))
    everyone = [*ids(desk.dispatches(old.id), "sms"), *ids(desk.dispatches(middle.id), "sms")]
    assert desk.dispatches(last.id)["sms"]["recipients_of"] == everyone


def test_an_update_that_told_everybody_answers_for_its_predecessor(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    second = acting("u-1", MsgType.UPDATE, first, infos=(info(),))
    middle = desk.submit(second)
    with transaction() as session:
        session.execute(text("UPDATE dispatch SET state = 'done' WHERE alert = :id"), {"id": middle.id})
    last = desk.submit(acting("c-1", MsgType.CANCEL, second))
    assert desk.dispatches(last.id)["sms"]["recipients_of"] == ids(desk.dispatches(middle.id), "sms")


# ---- the Cancel that the service writes ----


def test_the_service_writes_a_cancel_in_the_languages_and_for_the_areas_of_the_original(desk: Desk) -> None:
    square = (Area("square", polygon=(SQUARE,)),)
    first = warning("w-1", info(), info("fr"), info(severity=Severity.EXTREME, area=square))
    old = desk.submit(first)
    made = desk.cancel(old.id, texts={"fr": "Vous pouvez rentrer."}, now=LATER)
    assert (made.state, made.created) == (AlertState.ISSUED, True)
    assert desk.stored(old.id).state is AlertState.CANCELLED
    stored = desk.stored(made.id)
    cap: Any = stored.cap
    assert (stored.msg_type, stored.sender, cap["note"]) == ("Cancel", "river.example", "it is over")
    assert stored.identifier != "w-1"
    assert cap["references"] == ["river.example,w-1,2026-03-14T12:00:00-00:00"]
    assert [each["language"] for each in cap["info"]] == ["en", "fr"]
    assert all(each["urgency"] == "Past" and each["responseType"] == ["AllClear"] for each in cap["info"])
    assert all(each["severity"] == "Extreme" and len(each["area"]) == 2 for each in cap["info"])
    assert cap["info"][1]["instruction"] == "Vous pouvez rentrer."
    told = desk.texts(made.id)
    assert set(told) == {(NO_SEGMENT, "en"), (NO_SEGMENT, "fr"), (NO_SEGMENT, "mul")}
    assert "Vous pouvez rentrer." in told[NO_SEGMENT, "fr"]
    assert "no longer applies" in told[NO_SEGMENT, "en"]
    assert desk.segments(made.id) == []


def test_a_cancel_of_what_was_issued_in_error_says_so_and_goes_to_the_area(desk: Desk) -> None:
    old = desk.submit(warning())
    made = desk.cancel(old.id, reason="wrong valley", in_error=True)
    cap: Any = desk.stored(made.id).cap
    assert cap["note"] == "Issued in error: wrong valley"
    (row,) = desk.segments(made.id)
    assert desk.codes(row.regions) == {"AA", "AA-1", "AA-1-A"}
    assert row.severity == desk.segments(old.id)[0].severity


def test_a_cancel_of_an_update_names_the_whole_chain(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    new = desk.submit(acting("u-1", MsgType.UPDATE, first, infos=(info(),)))
    cap: Any = desk.stored(desk.cancel(new.id).id).cap
    assert [each.split(",")[1] for each in cap["references"]] == ["w-1", "u-1"]


def test_a_cancel_needs_an_approval_where_the_policy_asks_for_one(careful_desk: Desk) -> None:
    old = careful_desk.submit(warning())
    careful_desk.approve(old.id)
    made = careful_desk.cancel(old.id)
    assert made.state is AlertState.SUBMITTED
    assert careful_desk.stored(old.id).state is AlertState.ISSUED
    careful_desk.approve(made.id)
    assert careful_desk.stored(old.id).state is AlertState.CANCELLED


def test_a_cancel_goes_over_the_channels_of_what_it_lifts(desk: Desk) -> None:
    old = desk.submit(warning(), email="broken")
    assert set(desk.dispatches(desk.cancel(old.id).id)) == {"sms", "rss", "web"}


def test_only_a_warning_in_force_can_be_cancelled(careful_desk: Desk) -> None:
    with pytest.raises(NotFound):
        careful_desk.cancel(uuid4())
    old = careful_desk.submit(warning())
    with pytest.raises(WrongState, match="submitted"):
        careful_desk.cancel(old.id)
    careful_desk.approve(old.id)
    with pytest.raises(WrongState, match="expired"):
        careful_desk.cancel(old.id, now=NOW + timedelta(hours=7))


def test_a_text_in_a_language_that_the_warning_does_not_speak_is_refused(desk: Desk) -> None:
    old = desk.submit(warning())
    with pytest.raises(Refused) as refused:
        desk.cancel(old.id, texts={"de": "Entwarnung"})
    assert errors(refused) == {"/texts/de"}
    assert desk.stored(old.id).state is AlertState.ISSUED


def test_references_may_hold_an_older_identity_of_the_same_chain(desk: Desk) -> None:
    reference = Reference("river.example", "w-1", NOW)
    first = warning()
    desk.submit(first)
    made = desk.submit(replace(acting("u-1", MsgType.UPDATE, infos=(info(),)), references=(reference,)))
    assert made.state is AlertState.ISSUED


def test_officers_see_a_message_that_takes_another_back_though_it_has_no_info(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    made = desk.submit(acting("e-1", MsgType.ERROR, first, note="wrong valley"))
    found = reading.detail(made.id)
    assert found is not None
    assert [(row.severity, row.colour) for row in found.segments] == [("Severe", "orange")]
