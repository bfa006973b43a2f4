"""Each rule has something against the alerts beside it, and nothing against the sound one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from alerting.cap import model as m
from alerting.cap.findings import ERROR, WARNING, Finding
from alerting.cap.limits import LIMITS, Limits
from alerting.cap.rules import Context, Mode, check, rules
from alerting.cap.xml import read, write
from tests.cap import made

READING = Context(now=made.NOW)
PUBLISHING = Context(now=made.NOW, mode=Mode.PUBLISH)
FIRST = made.alert(identifier="first", sent=made.SENT - timedelta(hours=1))
FILE = base64.b64encode(b"a picture").decode()


def resource(**changes: Any) -> m.Info:
    linked = m.Resource("Map", "image/png", size=9, uri="https://river.example/map.png")
    return made.info(resource=(replace(linked, **changes),))


def update(**changes: Any) -> m.Alert:
    return made.alert(**{"msg_type": m.MsgType.UPDATE, "references": made.naming(FIRST)} | changes)


def code(name: str, value: str) -> m.Info:
    return made.info(event_code=(m.NamedValue(name, value),))


def ground(sent: datetime = made.SENT, **changes: Any) -> m.Alert:
    return made.alert(made.info(area=(made.area(**changes),)), sent=sent)


SOUND = {
    "an alert": made.alert(),
    "an update": update(),
    "a test": made.alert(status=m.Status.TEST),
    "an exercise": made.alert(status=m.Status.EXERCISE, note="Spring drill"),
    "an error": update(msg_type=m.MsgType.ERROR, note="Wrong river"),
    "a cancel without info": update(msg_type=m.MsgType.CANCEL, info=()),
    "an acknowledgement": update(
        msg_type=m.MsgType.ACK, references=made.naming(replace(FIRST, sender="o")), info=()
    ),
    "a restricted one": made.alert(scope=m.Scope.RESTRICTED, restriction="crews"),
    "a private one": made.alert(scope=m.Scope.PRIVATE, addresses=("a", "b c")),
    "a resource": made.alert(resource()),
    "a carried file": made.alert(
        resource(size=None, uri="map.png", deref_uri=FILE, digest=hashlib.sha1(b"a picture").hexdigest())  # noqa: S324
    ),
    "a carried file with the digest of its text": made.alert(
        resource(deref_uri=FILE, digest=hashlib.sha1(FILE.encode()).hexdigest())  # noqa: S324 - CAP says SHA-1
    ),
    "a circle": ground(polygon=(), circle=("10,20 5",)),
    "heights": ground(altitude="100", ceiling="100.0"),
    "neighbours": ground(polygon=(made.SQUARE, "11,20 11,21 12,21 12,20 11,20")),
    "two languages": made.alert(
        made.info(),
        made.info(
            language="fr",
            event="Crue",
            headline="La crue vient",
            description="Le fleuve",
            instruction="Montez",
        ),
    ),
    "two languages of one tongue": made.alert(made.info(), made.info(language="en-US")),
    "two words of each kind": made.alert(
        made.info(
            category=(m.Category.MET, m.Category.GEO),
            response_type=(m.ResponseType.PREPARE, m.ResponseType.MONITOR),
        )
    ),
    "nothing to be done": made.alert(made.info(response_type=(m.ResponseType.NONE,))),
    "a cancel of an info without area": update(msg_type=m.MsgType.CANCEL, info=(made.info(area=()),)),
    "UTC not far from Greenwich": ground(sent=made.SENT.astimezone(UTC)),
    "UTC and a circle not far from Greenwich": ground(
        sent=made.SENT.astimezone(UTC), polygon=(), circle=("5,-1 30",)
    ),
    "well-known lists": made.alert(
        made.info(
            event_code=tuple(
                m.NamedValue(name, "x") for name in ("SAME", "FIPS", "ZIP", "UGC", "EMMA_ID", "a.b")
            )
        )
    ),
    "files of every registered kind": made.alert(
        *[
            made.info(resource=resource(mime_type=f"{kind}/x").resource)
            for kind in ("application", "audio", "example", "font", "haptics", "image")
        ]
    ),
    "files of the other registered kinds": made.alert(
        *[
            made.info(resource=resource(mime_type=f"{kind}/x").resource)
            for kind in ("message", "model", "multipart", "text", "video")
        ]
    ),
    "no language and English": made.alert(made.info(language=None), made.info(language="en")),
    "schemes in capitals": made.alert(
        made.info(
            web="HTTPS://river.example/flood",
            resource=(m.Resource("Map", "image/png", size=0, uri="HTTPS://river.example/map.png"),),
        )
    ),
    "a file of any registered kind": made.alert(resource(mime_type="Text/html;\n charset=utf-8")),
    "a headline of 160": made.alert(made.info(headline="h" * 160)),
    "a literal ampersand": made.alert(made.info(description="a & b; 3 < 4 > 2")),
}


@pytest.mark.parametrize("alert", SOUND.values(), ids=SOUND.keys())
@pytest.mark.parametrize("context", [READING, PUBLISHING], ids=["reading", "publishing"])
def test_no_rule_speaks_against_a_sound_message(alert: m.Alert, context: Context) -> None:
    said = [
        finding for finding in check(alert, context) if (finding.rule, finding.severity) != ("R-02", WARNING)
    ]
    if alert.status is m.Status.TEST and context is PUBLISHING:
        assert [finding.rule for finding in said] == ["A-05"]
    else:
        assert said == []


WORDS = Path(__file__).with_name("rules_told.txt")
CLOCK = made.SENT
ZERO = made.SENT.astimezone(UTC)
EAST = "10,31 10,32 11,32 11,31 10,31"
WEST = "10,-31 10,-32 11,-32 11,-31 10,-31"
AVOID = m.ResponseType.AVOID


def comb(*, upright: bool, teeth: int = 400) -> str:
    """A ring of narrow teeth; one upright and one lying cross each other some 600 000 times."""
    points: list[tuple[float, float]] = []
    for n in range(teeth):
        low, high = n / teeth, (n + 0.5) / teeth
        points += [(low, 0), (low, 1), (high, 1), (high, 0)]
    points += [(points[-1][0], -0.1), (0, -0.1), (0, 0)]
    return " ".join(f"{y},{x}" if upright else f"{x},{y}" for x, y in points)


UNSOUND: list[tuple[str, str, m.Alert, str]] = [
    ("X-05", "warning", made.alert(made.info(description="<b>Go</b>")), "/info/0/description"),
    ("X-05", "warning", made.alert(made.info(headline="wind &gt; 8")), "/info/0/headline"),
    ("X-05", "warning", made.alert(note="a&#160;b"), "/note"),
    ("X-05", "warning", made.alert(note="a&#xAB;b"), "/note"),
    ("X-05", "warning", made.alert(note="&Uuml;ber"), "/note"),
    ("X-05", "warning", made.alert(note="&frac12;"), "/note"),
    ("X-05", "warning", made.alert(note="</P>"), "/note"),
    ("X-05", "warning", ground(area_desc="x<br>y"), "/info/0/area/0/areaDesc"),
    ("X-07", "error", made.alert(identifier=""), "/identifier"),
    ("X-07", "error", made.alert(sender="\t"), "/sender"),
    ("X-07", "error", made.alert(made.info(event=" ")), "/info/0/event"),
    ("X-07", "error", ground(area_desc=""), "/info/0/area/0/areaDesc"),
    ("X-05", "warning", made.alert(made.info(parameter=(m.NamedValue("p", "<i>x</i>"),))), "/info/0/parameter/0/value"),
    ("X-05", "warning", made.alert(resource(resource_desc="a&nbsp;b")), "/info/0/resource/0/resourceDesc"),
    ("A-01", "error", made.alert(identifier="a b"), "/identifier"),
    ("A-01", "error", made.alert(identifier="a,b"), "/identifier"),
    ("A-01", "error", made.alert(identifier="a<b"), "/identifier"),
    ("A-01", "error", made.alert(identifier=" a"), "/identifier"),
    ("A-02", "error", made.alert(sender="a&b"), "/sender"),
    ("A-04", "warning", made.alert(sent=made.NOW + timedelta(minutes=6)), "/sent"),
    ("A-05", "warning", made.alert(status=m.Status.EXERCISE), "/note"),
    ("A-06", "error", update(references=()), "/references"),
    ("A-06", "error", update(references=(), msg_type=m.MsgType.ACK), "/references"),
    ("A-07", "warning", update(msg_type=m.MsgType.ERROR), "/note"),
    ("A-08", "warning", made.alert(references=made.naming(FIRST)), "/references"),
    ("A-09", "error", made.alert(scope=m.Scope.RESTRICTED), "/restriction"),
    ("A-09", "error", made.alert(restriction="crews"), "/restriction"),
    ("A-10", "error", made.alert(scope=m.Scope.PRIVATE), "/addresses"),
    ("A-10", "error", made.alert(scope=m.Scope.PRIVATE, addresses=("a", "")), "/addresses/1"),
    ("A-11", "error", update(references=(m.Reference("a b", "c", CLOCK),)), "/references/0"),
    ("A-12", "error", update(references=made.naming(made.alert())), "/references/0"),
    ("A-12", "error", update(references=made.naming(FIRST, FIRST)), "/references/1"),
    ("A-12", "warning", update(references=made.naming(replace(FIRST, sent=CLOCK + timedelta(1)))), "/references/0"),
    ("A-14", "error", update(references=made.naming(replace(FIRST, sender="other"))), "/references/0"),
    ("A-15", "warning", made.alert(incidents=("a", " ")), "/incidents/1"),
    ("A-17", "error", made.alert(info=()), "/info"),
    ("I-01", "warning", made.alert(made.info(language="sp-US")), "/info/0/language"),
    ("I-01", "error", made.alert(made.info(language="a-b-c-d")), "/info/0/language"),
    ("I-02", "warning", made.alert(made.info(), made.info(severity=m.Severity.MINOR)), "/info/1"),
    ("I-03", "warning", made.alert(made.info(), made.info(category=(m.Category.GEO,))), "/info/1/category"),
    ("I-03", "warning", made.alert(made.info(), code("SAME", "FFW")), "/info/1/eventCode"),
    ("I-03", "warning", made.alert(made.info(), made.info(event="Fire")), "/info/1/event"),
    ("I-04", "warning", made.alert(made.info(), made.info(language="fr")), "/info/1/headline"),
    ("I-04", "warning", made.alert(made.info(event="Inundation of the plain"), made.info(language="fr", event="Inundation of the plain", headline="h", description="d", instruction="i")), "/info/1/event"),
    ("I-04", "warning", made.alert(made.info(language="en"), made.info(language="fr")), "/info/1/headline"),
    ("I-04", "warning", made.alert(made.info(language=None), made.info(language="fr")), "/info/1/headline"),
    ("I-05", "error", made.alert(made.info(category=(m.Category.MET, m.Category.GEO, m.Category.MET))), "/info/0/category/2"),
    ("I-06", "warning", made.alert(made.info(response_type=(AVOID, AVOID))), "/info/0/responseType/1"),
    ("I-06", "warning", made.alert(made.info(response_type=(AVOID, m.ResponseType.NONE))), "/info/0/responseType/1"),
    ("I-07", "warning", made.alert(made.info(urgency=m.Urgency.UNKNOWN)), "/info/0/urgency"),
    ("I-07", "warning", made.alert(made.info(urgency=m.Urgency.PAST)), "/info/0/urgency"),
    ("I-08", "warning", made.alert(made.info(severity=m.Severity.UNKNOWN)), "/info/0/severity"),
    ("I-08", "warning", made.alert(made.info(certainty=m.Certainty.UNKNOWN)), "/info/0/certainty"),
    ("I-09", "error", made.alert(code("", "x")), "/info/0/eventCode/0/valueName"),
    ("I-09", "error", made.alert(code("SAME", " ")), "/info/0/eventCode/0/value"),
    ("I-09", "warning", made.alert(code("S.A.M.E.", "FFW")), "/info/0/eventCode/0/valueName"),
    ("I-09", "warning", made.alert(code("same", "FFW")), "/info/0/eventCode/0/valueName"),
    *[("I-09", "warning", made.alert(code(name, "x")), "/info/0/eventCode/0/valueName") for name in ("Fips", "zip", "ugc", "Emma_ID", "U.G.C")],
    ("I-09", "error", ground(geocode=(m.NamedValue("FIPS", ""),)), "/info/0/area/0/geocode/0/value"),
    ("I-11", "warning", made.alert(made.info(expires=None)), "/info/0/expires"),
    ("I-12", "error", made.alert(made.info(effective=CLOCK - timedelta(seconds=1))), "/info/0/effective"),
    ("I-12", "error", made.alert(made.info(effective=CLOCK + timedelta(hours=6))), "/info/0/expires"),
    ("I-12", "error", made.alert(made.info(onset=CLOCK + timedelta(hours=6))), "/info/0/expires"),
    ("I-12", "error", made.alert(made.info(effective=None, onset=None, expires=CLOCK)), "/info/0/expires"),
    ("I-13", "warning", made.alert(made.info(headline="h" * 161)), "/info/0/headline"),
    ("I-14", "warning", made.alert(made.info(description=" The river rises")), "/info/0/description"),
    ("I-14", "warning", made.alert(made.info(instruction="The river rises")), "/info/0/instruction"),
    ("I-15", "error", made.alert(made.info(web="river.example/flood")), "/info/0/web"),
    ("I-15", "error", made.alert(made.info(web="https:flood")), "/info/0/web"),
    ("I-15", "error", made.alert(made.info(web="")), "/info/0/web"),
    ("I-15", "error", made.alert(made.info(web="https://a b")), "/info/0/web"),
    ("I-16", "warning", made.alert(made.info(sender_name=None)), "/info/0/senderName"),
    ("I-16", "warning", made.alert(made.info(contact=None)), "/info/0/contact"),
    ("I-16", "warning", made.alert(made.info(response_type=())), "/info/0/responseType"),
    ("I-16", "warning", made.alert(made.info(instruction=None)), "/info/0/instruction"),
    ("I-17", "warning", made.alert(made.info(description=None)), "/info/0/description"),
    ("I-17", "warning", made.alert(made.info(description="")), "/info/0/description"),
    ("I-17", "warning", made.alert(made.info(web=None)), "/info/0/web"),
    ("I-18", "warning", ground(polygon=(EAST,), sent=ZERO), "/sent"),
    ("I-18", "warning", ground(polygon=(WEST,), sent=ZERO), "/sent"),
    ("I-18", "warning", ground(polygon=(), circle=("10,31 5",), sent=ZERO), "/sent"),
    ("I-18", "warning", ground(polygon=("x",), circle=("x", "10,-31 5"), sent=ZERO), "/sent"),
    ("I-18", "warning", made.alert(made.info(expires=ZERO + timedelta(hours=6), area=(made.area(polygon=(EAST,)),))), "/info/0/expires"),
    ("I-18", "warning", made.alert(made.info(effective=ZERO, area=(made.area(polygon=(EAST,)),))), "/info/0/effective"),
    ("I-18", "warning", made.alert(made.info(onset=ZERO, area=(made.area(polygon=(EAST,)),))), "/info/0/onset"),
    ("R-01", "warning", made.alert(resource(mime_type="picture/png")), "/info/0/resource/0/mimeType"),
    ("R-01", "error", made.alert(resource(mime_type="png")), "/info/0/resource/0/mimeType"),
    ("R-01", "error", made.alert(resource(resource_desc="")), "/info/0/resource/0/resourceDesc"),
    ("R-02", "error", made.alert(resource(size=-1)), "/info/0/resource/0/size"),
    ("R-02", "warning", made.alert(resource(size=None)), "/info/0/resource/0/size"),
    ("R-03", "error", made.alert(resource(uri="map.png")), "/info/0/resource/0/uri"),
    ("R-04", "error", made.alert(resource(deref_uri="not base 64!")), "/info/0/resource/0/derefUri"),
    ("R-04", "warning", made.alert(resource(uri=None, deref_uri=FILE)), "/info/0/resource/0/derefUri"),
    ("R-05", "warning", made.alert(resource(digest="abc")), "/info/0/resource/0/digest"),
    ("R-05", "warning", made.alert(resource(deref_uri=FILE, digest="0" * 40)), "/info/0/resource/0/digest"),
    ("R-06", "warning", made.alert(resource(uri=None)), "/info/0/resource/0"),
    ("G-01", "error", ground(area_desc=" "), "/info/0/area/0/areaDesc"),
    ("G-02", "error", ground(polygon=("10,20 10,21 10,20",)), "/info/0/area/0/polygon/0"),
    ("G-02", "error", ground(polygon=("10,20 10,21 11,21 11,20",)), "/info/0/area/0/polygon/0"),
    ("G-02", "error", ground(polygon=(made.SQUARE, "(1,1) (1,2) (2,2) (1,1)")), "/info/0/area/0/polygon/1"),
    ("G-03", "error", ground(polygon=("91,20 91,21 92,21 91,20",)), "/info/0/area/0/polygon/0"),
    ("G-03", "error", ground(circle=("1,181 5",)), "/info/0/area/0/circle/0"),
    ("G-04", "error", ground(circle=("1,1,5",)), "/info/0/area/0/circle/0"),
    ("G-04", "error", ground(circle=("1,1 -5",)), "/info/0/area/0/circle/0"),
    ("G-04", "warning", ground(circle=("1,1 0",)), "/info/0/area/0/circle/0"),
    ("G-06", "warning", ground(polygon=()), "/info/0/area/0"),
    ("G-07", "error", ground(ceiling="5"), "/info/0/area/0/ceiling"),
    ("G-07", "error", ground(altitude="5.5", ceiling="5"), "/info/0/area/0/ceiling"),
    ("G-08", "warning", ground(polygon=(), geocode=()), "/info/0/area/0"),
    ("G-09", "warning", ground(polygon=("0,0 1,1 0,1 1,0 0,0",)), "/info/0/area/0/polygon/0"),
    ("G-09", "warning", ground(polygon=("0,0 0,1 0,2 0,0",)), "/info/0/area/0/polygon/0"),
    ("G-09", "warning", ground(polygon=(made.SQUARE, "10.9,20 10.9,21 12,21 12,20 10.9,20")), "/info/0/area/0/polygon/1"),
    ("G-09", "warning", ground(polygon=(comb(upright=True), comb(upright=False))), "/info/0"),
    ("G-10", "error", ground(polygon=("1,1 " * (LIMITS.points + 1),)), "/info"),
    ("G-11", "warning", made.alert(made.info(area=())), "/info/0/area"),
    ("G-11", "warning", update(info=(made.info(area=()),)), "/info/0/area"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "severity", "alert", "pointer"), UNSOUND, ids=[f"{row[0]}{row[3]}" for row in UNSOUND]
)
def test_each_rule_finds_what_it_is_for(rule: str, severity: str, alert: m.Alert, pointer: str) -> None:
    found = [(finding.rule, finding.severity.value, finding.pointer) for finding in check(alert, READING)]
    assert (rule, severity, pointer) in found


def test_every_rule_has_a_case() -> None:
    tried = {row[0] for row in UNSOUND} | {"A-13"}  # A-13 has a test of its own
    assert {rule.id for rule in rules()} == tried


@pytest.mark.parametrize(
    ("rule", "alert"),
    [
        ("I-11", made.alert(made.info(expires=None))),
        ("G-08", ground(polygon=(), geocode=())),
        ("G-11", made.alert(made.info(area=()))),
        ("G-09", ground(polygon=("0,0 1,1 0,1 1,0 0,0",))),
    ],
)
def test_some_warnings_are_errors_when_issuing(rule: str, alert: m.Alert) -> None:
    assert [finding.severity for finding in check(alert, READING) if finding.rule == rule] == [WARNING]
    assert [finding.severity for finding in check(alert, PUBLISHING) if finding.rule == rule] == [ERROR]


def test_what_has_expired_cannot_be_issued() -> None:
    late = Context(now=made.SENT + timedelta(days=1), mode=Mode.PUBLISH)
    assert [(found.rule, found.pointer) for found in check(made.alert(), late)] == [
        ("I-12", "/info/0/expires")
    ]
    assert check(made.alert(), replace(late, mode=Mode.READ)) == ()


@pytest.mark.parametrize("status", [m.Status.DRAFT, m.Status.SYSTEM, m.Status.TEST])
def test_issuing_a_draft_is_warned_of(status: m.Status) -> None:
    assert [found.rule for found in check(made.alert(status=status), PUBLISHING)] == ["A-05"]
    assert check(made.alert(status=status), READING) == ()


def test_without_a_clock_nothing_is_late_or_early() -> None:
    assert check(made.alert(), Context(mode=Mode.PUBLISH)) == ()


@pytest.mark.parametrize(("near", "far"), [(30, False), (30.1, True), (-30, False), (-30.1, True)])
def test_utc_is_far_from_home_beyond_thirty_degrees(near: float, far: bool) -> None:
    square = f"0,{near} 1,{near} 1,{near * 1.01} 0,{near}"
    for alert in (
        ground(polygon=(), circle=(f"0,{near} 5",), sent=ZERO),
        ground(polygon=(square,), sent=ZERO),
    ):
        assert [found.pointer for found in check(alert) if found.rule == "I-18"] == ["/sent"] * far


def test_where_the_ground_is_unknown_utc_is_taken() -> None:
    for alert in (ground(polygon=(), sent=ZERO), ground(polygon=("x",), circle=("y",), sent=ZERO)):
        assert "I-18" not in {found.rule for found in check(alert)}


# ---- rules that look at other messages ----


def test_an_identifier_is_used_once() -> None:
    known = {("river.example", "river-2026-1"): made.alert(note="other")}
    assert [found.rule for found in check(made.alert(), Context(known=known))] == ["A-01"]
    assert check(made.alert(note="other"), Context(known=known)) == ()


def test_a_stranger_may_act_only_where_it_is_allowed_to() -> None:
    alert = update(references=made.naming(replace(FIRST, sender="other")))
    allowed = Context(may_act_for=frozenset({("river.example", "other")}))
    assert check(alert, allowed) == ()
    assert [found.rule for found in check(alert)] == ["A-14"]


def test_an_update_names_the_whole_chain_that_is_in_force() -> None:
    other = made.alert(identifier="other", sent=made.SENT - timedelta(hours=1))
    middle = update(
        identifier="middle", references=made.naming(FIRST, other), sent=made.SENT - timedelta(minutes=30)
    )
    # `other` is in force although `middle` names it: a reading node has lost the Update's say over it.
    part = replace(middle, msg_type=m.MsgType.ALERT)
    known = {(alert.sender, alert.identifier): alert for alert in (FIRST, other, part)}
    alert = update(references=made.naming(part, FIRST))
    found = [found for found in check(alert, Context(now=made.NOW, known=known)) if found.rule == "A-13"]
    assert [(finding.pointer, finding.severity) for finding in found] == [("/references", WARNING)]
    assert "other" in found[0].message
    assert "A-13" in {found.rule for found in check(alert, Context(known=known))}
    whole = update(references=made.naming(part, FIRST, other))
    assert "A-13" not in {found.rule for found in check(whole, Context(now=made.NOW, known=known))}


def test_what_is_said_of_known_messages_names_them() -> None:
    known = {("river.example", "river-2026-1"): made.alert(note="other")}
    (found,) = check(made.alert(), Context(known=known))
    assert found.message == "this sender has used this identifier for another message: take a new one"
    assert (found.severity, found.pointer) == (ERROR, "/identifier")


def test_messages_that_nobody_knows_are_no_reason_to_complain() -> None:
    stranger = made.alert(identifier="elsewhere")
    known = {(stranger.sender, stranger.identifier): stranger}
    assert check(update(), Context(now=made.NOW, known=known)) == ()


def test_a_rule_is_silent_where_what_it_goes_by_could_not_be_read() -> None:
    text = write(made.alert(references=made.naming(FIRST), note="x")).decode()
    assert "A-08" in {found.rule for found in check(read(text.encode()))}
    broken = read(text.replace(">Alert<", ">Warning<").encode())
    assert [(found.rule, found.pointer) for found in check(broken)] == [("A-06", "/msgType")]


def test_one_polygon_too_large_is_named_where_more_are_allowed_in_all() -> None:
    alert = ground(polygon=("1,1 " * (LIMITS.points + 1),))
    found = [each for each in check(alert, Context(limits=Limits(points=10**7))) if each.rule == "G-10"]
    assert [(each.severity, each.pointer) for each in found] == [(ERROR, "/info/0/area/0/polygon/0")]


def test_profiles_are_taken_by_name_and_once() -> None:
    here = Context(profiles=("wmo", "wmo"))
    found = [finding for finding in check(made.alert(), here) if finding.rule == "WMO-01"]
    assert len(found) == 1
    assert check(made.alert()) == ()


# ---- how findings come ----


def test_findings_come_in_the_order_of_their_places() -> None:
    infos = [made.info(event="", web="x") for _ in range(11)]
    pointers = [
        finding.pointer for finding in check(made.alert(*infos, sender="a b")) if finding.severity is ERROR
    ]
    assert pointers == [f"/info/{i}/{name}" for i in range(11) for name in ("event", "web")] + ["/sender"]


def test_path_and_pointer_say_the_same_place() -> None:
    def both(*place: str | int) -> tuple[str, str]:
        finding = Finding("X-07", ERROR, place, "")
        return finding.path, finding.pointer

    assert both("info", 1, "expires") == ("/alert/info[2]/expires", "/info/1/expires")
    assert both("info", 0, "area", 2, "polygon", 0) == (
        "/alert/info[1]/area[3]/polygon[1]",
        "/info/0/area/2/polygon/0",
    )
    assert both("references", 3) == ("/alert/references", "/references/3")
    assert both() == ("/alert", "")
    assert both("a/b~c")[1] == "/a~1b~0c"


def test_rules_judge_what_could_be_read_and_are_silent_about_the_rest() -> None:
    text = write(made.alert(made.info(web="x", severity=m.Severity.MINOR), sender="a b")).decode()
    broken = text.replace(">Minor<", ">Little<").replace("+08:00</sent>", "Z</sent>")
    found = [(finding.rule, finding.pointer) for finding in check(read(broken.encode()), PUBLISHING)]
    assert found == [
        ("I-08", "/info/0/severity"),
        ("I-15", "/info/0/web"),
        ("A-02", "/sender"),
        ("A-03", "/sent"),
    ]


def test_findings_are_bounded() -> None:
    alert = made.alert(*[made.info(event="")] * 60)
    assert len(check(alert, Context(limits=Limits(findings=20)))) == 20


def told() -> str:
    """Every finding on every case above, on reading and, where it is another, on publishing."""
    lines: list[str] = []
    for rule, _, alert, pointer in UNSOUND:
        lines.append(f"# {rule} {pointer}")
        lines += (read_so := _lines(alert, READING))
        lines += [f"publishing: {line}" for line in _lines(alert, PUBLISHING) if line not in read_so]
    return "\n".join(lines) + "\n"


def _lines(alert: m.Alert, context: Context) -> list[str]:
    return [
        f"{found.severity.value} {found.rule} {found.path} {found.message}".replace(str(LIMITS.points), "N")
        for found in check(alert, context)
    ]


def test_nothing_else_is_said_and_in_these_words() -> None:
    assert told() == WORDS.read_text(encoding="utf-8"), (
        "if it is meant so: make docs, and read the difference"
    )


def test_each_message_is_a_sentence_without_the_document_in_it() -> None:
    for rule, _, alert, pointer in UNSOUND:
        for finding in check(alert, READING):
            if finding.rule == rule and finding.pointer == pointer:
                assert 15 < len(finding.message) < 160


@given(made.alerts)
def test_rules_take_every_alert(alert: m.Alert) -> None:
    for context in (READING, PUBLISHING, Context(known={(alert.sender, alert.identifier): alert})):
        for finding in check(alert, context):
            assert finding.path.startswith("/alert")
