"""A profile runs where the alert announces it or the context names it, once, beside the whole core."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.findings import Document
from alerting.cap.profiles import PROFILES, announced, named
from alerting.cap.rules import Context, check, rules
from alerting.cap.xml import read, write
from tests.cap import made

AUSTRALIA = "urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0"


def prefixes(alert: m.Alert | Document, *profiles: str) -> set[str]:
    return {finding.rule.partition("-")[0] for finding in check(alert, Context(profiles=profiles))}


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        ((), ()),
        (("24", "layer:SOREM:1.0", "profile:CAP-TSU:1.0"), ()),
        (("IPAWSv1.0",), ("ipaws",)),
        ((" IPAWSv1.0\n",), ("ipaws",)),
        (("profile:CAP-CP:0.4",), ("cap-cp",)),
        (("profile:CAP-CP:1.0", "profile:CAP-CP:0.4"), ("cap-cp",)),
        ((AUSTRALIA,), ("cap-au",)),
        ((AUSTRALIA, "IPAWSv1.0"), ("ipaws", "cap-au")),
    ],
)
def test_an_alert_announces_profiles_by_its_codes(codes: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert tuple(profile.name for profile in announced(made.alert(code=codes))) == names


def test_what_is_not_announced_is_not_asked() -> None:
    assert prefixes(made.alert()) == set()
    assert prefixes(made.alert(code=("42",))) == set()


def test_what_is_announced_is_asked_without_a_word() -> None:
    assert "US" in prefixes(made.alert(code=("IPAWSv1.0",)))
    assert prefixes(made.alert(code=("IPAWSv1.0",)), "china") >= {"US", "CN"}


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("ipaws", "US"),
        ("cap-cp", "CA"),
        ("cap-au", "AU"),
        ("meteoalarm", "EU"),
        ("wmo", "WMO"),
        ("china", "CN"),
    ],
)
def test_each_is_chosen_by_its_name(name: str, prefix: str) -> None:
    assert prefixes(made.alert(), name) == {prefix}
    assert named(name).name == name


def test_announced_and_named_it_runs_once() -> None:
    alert = made.alert(code=("IPAWSv1.0",))
    once = check(alert)
    assert check(alert, Context(profiles=("ipaws", "ipaws"))) == once
    assert len(set(once)) == len(once)


def test_the_core_is_checked_whatever_is_chosen() -> None:
    alert = made.alert(identifier="a b")
    for name in PROFILES:
        assert "A-01" in {finding.rule for finding in check(alert, Context(profiles=(name,)))}


def test_a_document_that_cannot_be_read_whole_is_judged_by_what_can() -> None:
    text = write(made.alert(code=("IPAWSv1.0",))).replace(b"Immediate", b"Now")
    document = read(text)
    assert document.alert is None
    found = {(finding.rule, finding.pointer) for finding in check(document)}
    assert ("US-01", "/info/0/eventCode") in found


@pytest.mark.parametrize(
    "act", [lambda: named("IPAWS"), lambda: check(made.alert(), Context(profiles=("x",)))]
)
def test_an_unknown_name_is_told_with_the_known_ones(act: object) -> None:
    assert callable(act)
    with pytest.raises(ValueError, match="ipaws, cap-cp, cap-au, meteoalarm, wmo, china"):
        act()
    with pytest.raises(ValueError, match="no profile 'x'"):
        rules(profile="x")


def test_ids_are_used_once_and_say_their_profile() -> None:
    core = rules()
    every = [*core, *(rule for name in PROFILES for rule in rules(profile=name))]
    assert len({rule.id for rule in every}) == len(every)
    assert {rule.profile for rule in core} == {None}
    for name in PROFILES:
        assert {rule.profile for rule in rules(profile=name)} == {name}
        assert all(rule.clause for rule in rules(profile=name))


@given(made.alerts)
def test_no_profile_breaks_on_any_alert_that_can_be_written(alert: m.Alert) -> None:
    context = Context(profiles=tuple(PROFILES))
    check(alert, context)
    check(replace(alert, msg_type=m.MsgType.UPDATE, code=("IPAWSv1.0",)), context)
