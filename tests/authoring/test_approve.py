"""Four eyes: a submitted warning waits for another person, and exactly one approval issues it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from alerting.authoring import Actor, AlertState, NotFound, Role, SamePerson, WrongState, policy
from alerting.cap.model import MsgType
from alerting.store import audit, policies
from alerting.store.engine import transaction

from .conftest import NOW, PREPARER, Desk, Follow, acting, info, warning


def test_a_submitted_warning_goes_nowhere(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning())
    assert made.state is AlertState.SUBMITTED
    assert careful_desk.dispatches(made.id) == {}
    assert careful_desk.rows("SELECT FROM public_alert") == []


def test_approval_issues_what_was_frozen_with_the_number_of_people_that_was_shown(
    careful_desk: Desk, follow: Follow
) -> None:
    follow("AA-1")
    made = careful_desk.submit(warning())
    texts = careful_desk.texts(made.id)
    follow("AA-1")  # came after the approver was shown one person
    issued = careful_desk.approve(made.id)
    assert issued.state is AlertState.ISSUED
    dispatches = careful_desk.dispatches(made.id)
    assert set(issued.dispatches) == {row["id"] for row in dispatches.values()}
    assert dispatches["sms"]["approved"] == 1
    assert careful_desk.texts(made.id) == texts
    stored = careful_desk.stored(made.id)
    assert (stored.submitted_by, stored.approved_by, stored.version) == ("preparer", "approver", 2)
    with transaction() as session:
        assert [(entry.actor, entry.act) for entry in audit.of(session, str(made.id))] == [
            ("preparer", "alert.submitted"),
            ("approver", "alert.issued"),
        ]


def test_who_submitted_does_not_approve(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning())
    with pytest.raises(SamePerson):
        careful_desk.approve(made.id, actor=PREPARER)
    assert careful_desk.stored(made.id).state is AlertState.SUBMITTED


def test_nothing_is_approved_twice_or_unknown_or_too_late(careful_desk: Desk) -> None:
    with pytest.raises(NotFound):
        careful_desk.approve(uuid4())
    made = careful_desk.submit(warning())
    with pytest.raises(WrongState, match="expired"):
        careful_desk.approve(made.id, now=NOW + timedelta(hours=7))
    careful_desk.approve(made.id)
    with pytest.raises(WrongState, match="issued"):
        careful_desk.approve(made.id)


def test_of_many_approvals_at_once_one_wins(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning())

    def attempt(n: int) -> bool:
        try:
            careful_desk.approve(made.id, actor=Actor(f"approver {n}", Role.APPROVER))
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(8))).count(True) == 1
    assert len(careful_desk.rows("SELECT FROM dispatch")) == 4


def test_what_an_update_replaces_is_judged_again_at_its_approval(careful_desk: Desk) -> None:
    first = warning()
    made = careful_desk.submit(first)
    careful_desk.approve(made.id)
    updates = [careful_desk.submit(acting(f"u-{n}", MsgType.UPDATE, first, infos=(info(),))) for n in (1, 2)]
    careful_desk.approve(updates[0].id)
    with pytest.raises(WrongState, match="u-1 has taken the place of w-1"):
        careful_desk.approve(updates[1].id)


def test_the_policy_is_kept_and_audited_and_asks_for_one_when_it_is_lost(careful_desk: Desk) -> None:
    assert policy.approvers() == 1
    policy.set_approvers(0, actor="chief", now=NOW)
    assert policy.approvers() == 0
    with transaction() as session:
        entry = audit.of(session, "policy:approvers")[-1]
        assert (entry.actor, entry.detail) == ("chief", {"from": 1, "to": 0})
        policies.put(session, "approvers", "none")
    assert policy.approvers() == 1
    with pytest.raises(ValueError, match="one of 0, 1"):
        policy.set_approvers(7, actor="chief", now=NOW)
