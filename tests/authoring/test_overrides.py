"""Words that contradict the status wait for an approver who takes them on by name, with a reason that is audited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.authoring import Actor, AlertState, Contradicted, Override, Refused, Role, SamePerson
from alerting.cap.model import Alert, MsgType, Status
from alerting.store import audit
from alerting.store.engine import transaction

from .conftest import APPROVER, NOW, PREPARER, Desk, Follow, acting, info, warning

MEANT = Override("W-03", "/info/0/headline", "the laboratory has tested the water")
OFFICER = Actor("officer", Role.APPROVER)


def water() -> Alert:
    return warning("w-1", info(headline="Water test results: boil your water"))


def acts(alert: object) -> list[tuple[str, str]]:
    with transaction() as session:
        return [(entry.actor, entry.act) for entry in audit.of(session, str(alert))]


def test_a_contradiction_is_submitted_and_told_as_a_warning(careful_desk: Desk) -> None:
    made = careful_desk.submit(water())
    assert made.state is AlertState.SUBMITTED
    assert [(each.pointer, each.severity) for each in made.warnings if each.rule == "W-03"] == [
        ("/info/0/headline", "warning")
    ]


def test_it_is_not_approved_until_it_is_overridden(careful_desk: Desk) -> None:
    made = careful_desk.submit(water())
    with pytest.raises(Contradicted) as refused:
        careful_desk.approve(made.id)
    assert [(each.rule, each.pointer) for each in refused.value.findings] == [("W-03", "/info/0/headline")]
    assert careful_desk.stored(made.id).state is AlertState.SUBMITTED
    assert careful_desk.dispatches(made.id) == {}
    assert careful_desk.approve(made.id, overrides=[MEANT]).state is AlertState.ISSUED


def test_who_took_it_on_and_why_is_audited(careful_desk: Desk) -> None:
    made = careful_desk.submit(water())
    careful_desk.approve(made.id, overrides=[replace(MEANT, pointer="/alert/info/0/headline")])
    with transaction() as session:
        entry = next(each for each in audit.of(session, str(made.id)) if each.act == "alert.overridden")
    assert entry.actor == APPROVER.name
    assert entry.detail == {
        "overrides": [{"rule": "W-03", "pointer": "/info/0/headline", "reason": MEANT.reason}]
    }
    assert acts(made.id)[-1] == (APPROVER.name, "alert.issued")


def test_every_contradiction_needs_its_own_override(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning("w-1", info(headline="A test", instruction="This is a drill.")))
    with pytest.raises(Contradicted) as refused:
        careful_desk.approve(made.id, overrides=[MEANT])
    assert [each.pointer for each in refused.value.findings] == ["/info/0/instruction"]
    assert acts(made.id) == [(PREPARER.name, "alert.submitted")], "an override of half of it is not kept"


def test_overrides_without_reason_or_match_are_refused_with_their_places(careful_desk: Desk) -> None:
    made = careful_desk.submit(water())
    wrong = [
        replace(MEANT, reason=" "),
        replace(MEANT, rule="W-01"),
        replace(MEANT, pointer="/info/1/headline"),
        MEANT,
    ]
    with pytest.raises(Refused) as refused:
        careful_desk.approve(made.id, overrides=wrong)
    assert [each.pointer for each in refused.value.findings] == [
        "/overrides/0/reason",
        "/overrides/1/pointer",
        "/overrides/2/pointer",
        "/overrides/3/pointer",
    ]
    assert "W-03 at /info/0/headline" in refused.value.findings[1].message
    assert careful_desk.stored(made.id).state is AlertState.SUBMITTED


def test_an_override_where_nothing_contradicts_is_refused(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning())
    with pytest.raises(Refused, match="no contradiction"):
        careful_desk.approve(made.id, overrides=[MEANT])


def test_without_approvers_a_contradiction_waits_all_the_same(desk: Desk, follow: Follow) -> None:
    follow("AA-1")
    made = desk.submit(water(), actor=OFFICER)
    assert made.state is AlertState.SUBMITTED
    assert dict(made.people)["sms"] == 1
    assert desk.dispatches(made.id) == {}
    with pytest.raises(Contradicted):
        desk.approve(made.id, actor=OFFICER)
    assert desk.approve(made.id, actor=OFFICER, overrides=[MEANT]).state is AlertState.ISSUED
    assert desk.stored(made.id).approved_by == OFFICER.name
    assert desk.dispatches(made.id)["sms"]["approved"] == 1


def test_where_a_second_person_is_asked_for_no_override_replaces_it(careful_desk: Desk) -> None:
    made = careful_desk.submit(water(), actor=OFFICER)
    with pytest.raises(SamePerson):
        careful_desk.approve(made.id, actor=OFFICER, overrides=[MEANT])


def test_a_drill_that_says_that_it_is_none_waits_too(desk: Desk) -> None:
    drill = warning("w-1", info(headline="Exercise: this is not a drill"), status=Status.EXERCISE)
    assert desk.submit(drill).state is AlertState.SUBMITTED


def test_a_cancel_of_a_test_sent_by_mistake_waits_for_nobody(desk: Desk) -> None:
    sent = warning()
    made = desk.submit(sent)
    lifted = desk.cancel(
        made.id, reason="This was a drill", in_error=True, texts={"en": "It was only a test."}
    )
    assert lifted.state is AlertState.ISSUED
    again = desk.submit(warning("w-2"))
    assert again.state is AlertState.ISSUED
    error = acting("e-1", MsgType.ERROR, warning("w-2"), infos=(info(headline="It was a test"),))
    assert desk.submit(error).state is AlertState.ISSUED


def test_a_warning_that_is_refused_hears_of_its_words_as_well(desk: Desk) -> None:
    late = warning("w-1", info(headline="A test until [TIME]", expires=NOW))
    with pytest.raises(Refused) as refused:
        desk.submit(late)
    assert {"W-02", "W-03"} <= {each.rule for each in refused.value.findings}
