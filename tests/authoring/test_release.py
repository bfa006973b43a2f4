"""A warning that would reach more people than were approved waits for somebody with the right to approve."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from alerting import authoring
from alerting.authoring import NotFound, SamePerson, Submitted, WrongState
from alerting.fanout import expand
from alerting.store import audit
from alerting.store.engine import transaction

from .conftest import APPROVER, PREPARER, Desk, Follow, warning


def expand_all() -> None:
    while expand.expand_next(lambda _: 10, now=datetime.now(UTC), percent=10):
        pass


def held(desk: Desk, follow: Follow) -> Submitted:
    """A warning approved for one person that three would get."""
    follow("AA-1")
    made = desk.submit(warning())
    follow("AA-1")
    follow("AA-1")
    desk.approve(made.id)
    with transaction() as session:  # the desk's clock stands in March
        session.execute(text("UPDATE dispatch SET expires = now() + interval '1 h'"))
    expand_all()
    return made


def states(desk: Desk, made: Submitted) -> dict[str, object]:
    return {
        channel: row["state"]
        for channel, row in desk.dispatches(made.id).items()
        if channel in ("sms", "email")
    }


def test_a_surplus_is_held_and_released_by_an_approver(careful_desk: Desk, follow: Follow) -> None:
    made = held(careful_desk, follow)
    assert states(careful_desk, made)["sms"] == "held"
    authoring.release(made.id, actor=APPROVER, now=datetime.now(UTC))
    expand_all()
    assert states(careful_desk, made)["sms"] == "open"
    sms = careful_desk.dispatches(made.id)["sms"]["id"]
    assert len(careful_desk.rows(f"SELECT FROM delivery WHERE dispatch = {sms}")) == 3
    with transaction() as session:
        assert "alert.released" in [entry.act for entry in audit.of(session, str(made.id))]


def test_who_submitted_does_not_release(careful_desk: Desk, follow: Follow) -> None:
    made = held(careful_desk, follow)
    with pytest.raises(SamePerson):
        authoring.release(made.id, actor=PREPARER, now=datetime.now(UTC))
    assert states(careful_desk, made)["sms"] == "held"


def test_what_is_not_held_or_not_there_is_not_released(careful_desk: Desk, follow: Follow) -> None:
    with pytest.raises(NotFound):
        authoring.release(uuid4(), actor=APPROVER, now=datetime.now(UTC))
    follow("AA-1")
    made = careful_desk.submit(warning())
    with pytest.raises(WrongState, match="submitted"):
        authoring.release(made.id, actor=APPROVER, now=datetime.now(UTC))
    careful_desk.approve(made.id)
    with pytest.raises(WrongState, match="on hold"):
        authoring.release(made.id, actor=APPROVER, now=datetime.now(UTC))
