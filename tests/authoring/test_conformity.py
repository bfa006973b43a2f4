"""What is issued is held to the authority's profiles; what withdraws a warning is only warned of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.authoring import Refused
from alerting.authoring.conformity import judge
from alerting.cap.findings import ERROR, WARNING
from alerting.cap.model import MsgType
from alerting.config import Settings

from .conftest import NOW, Desk, warning


def test_a_warning_that_breaks_the_chosen_profile_is_refused(desk: Desk) -> None:
    desk.settings = replace(desk.settings, cap_profiles=("ipaws",))
    with pytest.raises(Refused) as refused:
        desk.submit(warning())
    assert "/code" in {each.pointer for each in refused.value.findings if each.rule == "US-01"}


def test_a_profile_does_not_hold_up_a_cancel(settings: Settings) -> None:
    chosen = replace(settings, cap_profiles=("ipaws",))
    found = judge(replace(warning(), msg_type=MsgType.CANCEL, info=()), chosen, NOW)
    assert {each.severity for each in found if each.rule.startswith("US-")} == {WARNING}
    assert {each.rule for each in found if each.severity is ERROR} == {"A-06"}


def test_without_a_profile_only_the_core_is_asked(settings: Settings) -> None:
    assert [each for each in judge(warning(), settings, NOW) if each.rule[:2] in {"US", "CN"}] == []
