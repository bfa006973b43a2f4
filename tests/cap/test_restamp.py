"""The same warning as if issued now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.cap import model as m
from alerting.cap.restamp import restamp
from alerting.cap.rules import Context, Mode, check
from tests.cap import made

NOW = datetime(2030, 7, 1, 12, 0, 0, 5, tzinfo=UTC)


def test_all_times_move_by_the_same_span() -> None:
    old = made.alert()
    new = restamp(old, identifier="again", now=NOW)
    assert (new.identifier, new.sender, new.sent) == ("again", old.sender, NOW.replace(microsecond=0))
    for before, after in zip(old.info, new.info, strict=True):
        for name in ("effective", "onset", "expires"):
            assert getattr(after, name) - new.sent == getattr(before, name) - old.sent
    assert new.sent.utcoffset() == timedelta(hours=8)
    assert not check(new, Context(now=NOW, mode=Mode.PUBLISH))


def test_absent_times_stay_absent() -> None:
    new = restamp(
        made.alert(made.info(effective=None, onset=None, expires=None)), identifier="again", now=NOW
    )
    assert (new.info[0].effective, new.info[0].onset, new.info[0].expires) == (None, None, None)


def test_an_alert_loses_its_references_and_an_update_keeps_them() -> None:
    references = made.naming(made.alert(identifier="first"))
    assert restamp(made.alert(references=references), identifier="x", now=NOW).references == ()
    update = made.alert(msg_type=m.MsgType.UPDATE, references=references)
    assert restamp(update, identifier="x", now=NOW).references == references


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        restamp(made.alert(), identifier="x", now=datetime(2030, 1, 1))


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_restamping_back_restores_the_warning(now: datetime) -> None:
    old = made.alert()
    there = restamp(old, identifier="there", now=now)
    assert restamp(there, identifier=old.identifier, now=old.sent) == old
