"""A warning is taken once, whole, and issued with everything that it needs in one commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerting.authoring import AlertState, Conflict, Refused
from alerting.authoring.freeze import Print, freeze
from alerting.authoring.lineage import Lineage
from alerting.authoring.submit import issuer
from alerting.cap import jsonform, xml
from alerting.cap.model import Area, MsgType, NamedValue, Scope, Severity, Status, Urgency
from alerting.store import audit, publications
from alerting.store.engine import transaction
from alerting.wording import content_hash

from .conftest import NOW, PREPARER, SQUARE, Desk, Follow, acting, coded, info, warning


def test_a_warning_is_issued_with_segments_texts_dispatches_and_feed_in_one_act(desk: Desk) -> None:
    with transaction() as session:
        before = publications.head(session).version
    severe, extreme = info(), info(severity=Severity.EXTREME, area=(Area("square", polygon=(SQUARE,)),))
    in_french = (replace(severe, language="fr"), replace(extreme, language="fr"))
    made = desk.submit(warning("w-1", severe, extreme, *in_french))
    assert (made.state, made.created, made.people) == (AlertState.ISSUED, True, ())
    stored = desk.stored(made.id)
    assert (stored.submitted_by, stored.approved_by, stored.issued_at) == ("preparer", None, NOW)
    first, second = desk.segments(made.id)
    assert (first.infos, first.languages, first.severity) == ((0, 2), ("en", "fr"), 3)
    assert (second.infos, second.severity, second.rank) == ((1, 3), 4, 0)
    assert desk.codes(first.regions) == {"AA", "AA-1", "AA-1-A"}
    dispatches = desk.dispatches(made.id)
    assert set(dispatches) == {"sms", "email", "rss", "web"}
    assert {row["priority"] for row in dispatches.values()} == {0}
    assert {row["audience"] for row in dispatches.values()} == {"public"}
    assert {row["approved"] for row in dispatches.values()} == {None}
    with transaction() as session:
        assert publications.head(session).version == before + 1


def test_every_text_is_frozen_with_its_hash_for_each_channel_segment_and_language(desk: Desk) -> None:
    made = desk.submit(warning("w-1", info(), info("fr"), info(severity=Severity.MINOR)))
    rows = desk.rows("SELECT * FROM rendering WHERE alert = :alert", alert=made.id)
    assert {(row["channel"], row["segment"], row["language"]) for row in rows} == {
        (channel, *which)
        for channel in ("sms", "email", "rss", "web")
        for which in ((0, "en"), (0, "fr"), (0, "mul"), (1, "en"))
    }
    for row in rows:
        assert bytes(row["sha256"]) == content_hash(row["subject"], row["text"], row["html"])
    assert all(f"/w/{made.slug}" in text for text in desk.texts(made.id).values())


def test_the_document_is_kept_as_we_write_it(desk: Desk) -> None:
    alert = warning()
    made = desk.submit(alert)
    assert jsonform.from_json(desk.stored(made.id).cap).alert == alert
    (row,) = desk.rows("SELECT cap_xml FROM alert")
    assert xml.read(bytes(row["cap_xml"])).alert == alert


def test_the_same_document_again_is_the_same_warning(desk: Desk) -> None:
    made = desk.submit(warning())
    again = desk.submit(warning(), now=NOW + timedelta(hours=1))
    assert (again.id, again.slug, again.state, again.created) == (
        made.id,
        made.slug,
        AlertState.ISSUED,
        False,
    )
    assert len(desk.rows("SELECT FROM dispatch")) == 4


def test_it_is_the_same_even_when_it_has_long_expired(desk: Desk) -> None:
    made = desk.submit(warning())
    assert desk.submit(warning(), now=NOW + timedelta(days=30)).id == made.id


def test_another_text_under_the_same_identity_is_a_conflict(desk: Desk) -> None:
    made = desk.submit(warning())
    with pytest.raises(Conflict) as conflict:
        desk.submit(warning("w-1", info(event="Fire")))
    assert conflict.value.existing == made.id
    with pytest.raises(Conflict):  # nor under another time: an identifier is used once
        desk.submit(replace(warning(), sent=NOW - timedelta(minutes=1)))
    assert len(desk.rows("SELECT FROM alert")) == 1


def test_eight_submissions_at_once_make_one_warning(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: desk.submit(warning()), range(8)))
    assert len({each.id for each in made}) == 1
    assert [each.created for each in made].count(True) == 1
    assert len(desk.rows("SELECT FROM alert")) == 1
    assert len(desk.rows("SELECT FROM dispatch")) == 4
    with transaction() as session:
        acts = [entry.act for entry in audit.entries(session)]
        assert audit.verify(session) is None
    assert acts.count("alert.submitted") == acts.count("alert.issued") == 1


def test_eight_texts_at_once_under_one_identity_make_one_warning_and_seven_conflicts(desk: Desk) -> None:
    def attempt(n: int) -> bool:
        try:
            return desk.submit(warning("w-1", info(event=f"Flood {n}"))).created
        except Conflict:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(attempt, range(8))).count(True) == 1
    assert len(desk.rows("SELECT FROM alert")) == 1


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_written(desk: Desk) -> None:
    late = info(expires=NOW - timedelta(hours=1), area=(coded("AA-77"),))
    with pytest.raises(Refused) as refused:
        desk.submit(warning("w-1", late, scope=Scope.PRIVATE), telegraph="down", sms=" ")
    pointers = {finding.pointer for finding in refused.value.findings if finding.severity == "error"}
    assert {
        "/info/0/expires",
        "/info/0/area/0/geocode/0",
        "/scope",
        "/omit/telegraph",
        "/omit/sms",
    } <= pointers
    assert desk.rows("SELECT FROM alert") == []
    assert desk.rows("SELECT FROM audit WHERE act LIKE 'alert%'") == []


def test_a_code_that_nobody_knows_stops_the_warning(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.submit(warning("w-1", info(area=(coded("AA-1"), coded("AA-77")))))
    assert "/info/0/area/1/geocode/0" in {finding.pointer for finding in refused.value.findings}
    assert desk.rows("SELECT FROM alert") == []


def test_warnings_pass_and_are_returned(desk: Desk) -> None:
    described = Area("square", polygon=(SQUARE,), geocode=(NamedValue("UGC", "NJC021"),))
    made = desk.submit(warning("w-1", info(area=(described,))))
    assert "/info/0/area/0/geocode/0" in {finding.pointer for finding in made.warnings}


def test_a_warning_without_expires_ends_after_the_longest_life(desk: Desk) -> None:
    # Rule I-11 asks officers for one; what is relayed may lack it.
    how = Print(("sms",), issuer(desk.settings), "http://127.0.0.1/w/x", timedelta(hours=24))
    endless = warning("w-1", info(expires=None, effective=NOW + timedelta(hours=1)))
    with transaction() as session:
        frozen = freeze(session, endless, Lineage(), how, NOW)
    assert frozen.segments[0].expires == frozen.expires == NOW + timedelta(hours=25)


def test_the_most_urgent_segment_gives_the_priority(desk: Desk) -> None:
    mild = info(severity=Severity.MINOR, urgency=Urgency.FUTURE)
    one, both = desk.submit(warning("w-1", mild)), desk.submit(warning("w-2", mild, info("fr")))
    assert desk.dispatches(both.id)["sms"]["priority"] < desk.dispatches(one.id)["sms"]["priority"]


def test_a_channel_is_left_out_with_a_reason_that_is_audited(desk: Desk) -> None:
    made = desk.submit(warning(), sms="the provider is down")
    assert set(desk.dispatches(made.id)) == {"email", "rss", "web"}
    assert desk.texts(made.id, "sms") == {}
    assert desk.stored(made.id).omit == {"sms": "the provider is down"}
    with transaction() as session:
        entry = audit.of(session, str(made.id))[0]
    assert (entry.actor, entry.act) == ("preparer", "alert.submitted")
    assert entry.detail["omit"] == {"sms": "the provider is down"}


def test_somebody_must_be_warned(desk: Desk) -> None:
    with pytest.raises(Refused, match="every channel is left out"):
        desk.submit(warning(), sms="a", email="b", rss="c", web="d")


def test_blockchannel_is_obeyed_and_audited(desk: Desk) -> None:
    closed = (
        NamedValue("BLOCKCHANNEL", "PUBLIC"),
        NamedValue("blockchannel", "sms"),
        NamedValue("BLOCKCHANNEL", "EAS"),
    )
    made = desk.submit(warning("w-1", info(parameter=closed)))
    assert set(desk.dispatches(made.id)) == {"email"}
    assert desk.stored(made.id).omit == {
        "rss": "BLOCKCHANNEL PUBLIC",
        "web": "BLOCKCHANNEL PUBLIC",
        "sms": "BLOCKCHANNEL SMS",
    }


def test_a_blockchannel_that_means_nothing_here_is_told(desk: Desk) -> None:
    made = desk.submit(warning("w-1", info(parameter=(NamedValue("BLOCKCHANNEL", "SIREN"),))))
    assert "/info/0/parameter/0" in {finding.pointer for finding in made.warnings}
    assert len(desk.dispatches(made.id)) == 4


# ---- the gate ----


@pytest.mark.parametrize(
    ("field", "value"), [("status", Status.DRAFT), ("scope", Scope.RESTRICTED), ("scope", Scope.PRIVATE)]
)
def test_drafts_and_closed_circles_are_refused(desk: Desk, field: str, value: object) -> None:
    more: dict[str, Any] = {field: value}
    if value is Scope.RESTRICTED:
        more["restriction"] = "police"
    with pytest.raises(Refused) as refused:
        desk.submit(replace(warning(), **more))
    assert f"/{field}" in {finding.pointer for finding in refused.value.findings}


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_an_exercise_reaches_exercise_lists_and_nothing_that_everybody_reads(
    desk: Desk, status: Status
) -> None:
    with transaction() as session:
        before = publications.head(session).version
    made = desk.submit(warning(status=status, note="Drill 7"))
    dispatches = desk.dispatches(made.id)
    assert set(dispatches) == {"sms", "email"}
    assert {row["audience"] for row in dispatches.values()} == {"exercise"}
    assert desk.texts(made.id, "rss") == desk.texts(made.id, "web") == {}
    assert min(row["priority"] for row in dispatches.values()) >= 200  # behind every real warning
    for channel in ("sms", "email"):
        for written in desk.rows("SELECT text, html FROM rendering WHERE channel = :c", c=channel):
            assert "/w/" not in written["text"] + (written["html"] or "")  # there is no page to look at
    assert desk.stored(made.id).workspace == "exercise"
    assert desk.rows("SELECT FROM public_alert") == []
    with transaction() as session:
        assert publications.head(session).version == before


def test_acknowledgements_and_system_messages_are_only_recorded(desk: Desk) -> None:
    first = warning()
    desk.submit(first)
    ack = desk.submit(acting("a-1", MsgType.ACK, first))
    system = desk.submit(warning("s-1", status=Status.SYSTEM))
    for made in (ack, system):
        assert made.state is AlertState.RECORDED
        assert desk.dispatches(made.id) == {}
    assert [row["identifier"] for row in desk.rows("SELECT identifier FROM public_alert")] == ["w-1"]


# ---- people ----


def test_people_are_counted_where_somebody_must_approve(careful_desk: Desk, follow: Follow) -> None:
    follow("AA-1")
    follow("AA-1", channel="email")
    follow("AA")
    follow("AA-2")  # elsewhere
    follow("AA-1", floor=4)  # wants Extreme alone
    follow("AA-1", state="stopped")
    follow("AA-1", audience="exercise")
    follow(lat=0.5, lon=0.5)  # inside by its region
    follow(lat=0.5, lon=1.5)  # outside
    made = careful_desk.submit(warning())
    assert dict(made.people) == {"sms": 3, "email": 1}
    assert careful_desk.stored(made.id).people == {"sms": 3, "email": 1}


def test_points_are_counted_by_their_cell(careful_desk: Desk, follow: Follow) -> None:
    for lat, lon in [(0.5, 0.5), (0.79, 0.5), (0.81, 0.5), (0.95, 0.5), (0.5, 1.5)]:
        follow(lat=lat, lon=lon)
    made = careful_desk.submit(warning("w-1", info(area=(Area("square", polygon=(SQUARE,)),))))
    assert dict(made.people)["sms"] in {
        2,
        3,
    }  # an upper estimate: 0.81 lies in a cell that touches the square


def test_the_actor_and_the_channels_stand_in_the_audit(careful_desk: Desk) -> None:
    made = careful_desk.submit(warning())
    with transaction() as session:
        (entry,) = audit.of(session, str(made.id))
    assert (entry.actor, entry.detail["role"]) == (PREPARER.name, "preparer")
    assert entry.detail["channels"] == ["sms", "email", "rss", "web"]
