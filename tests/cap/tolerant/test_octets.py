"""Bytes: what can be repaired is, and a hostile file is refused before any work."""

from __future__ import annotations

import time

import pytest

from alerting.cap.limits import Limits
from alerting.cap.tolerant import read_tolerant
from alerting.cap.xml import read
from tests.cap import made
from tests.cap.tolerant.received import RIGHT, alert, rules, taken


def test_an_undeclared_prefix_is_declared() -> None:
    prefixed = (
        RIGHT.replace("</", "</cap:")
        .replace("<", "<cap:")
        .replace("<cap:/cap:", "</cap:")
        .replace("<cap:?", "<?")
    )
    assert read(prefixed.encode()).alert is None
    only = taken(prefixed)
    assert alert(only) == made.alert()
    assert rules(only) == {"T-24"}
    assert only.source == prefixed.encode()


def test_latin_bytes_in_utf_8_are_read() -> None:
    only = taken(RIGHT.replace("Flood", "Crue §").encode("latin-1").replace(b"\xa7", b"\xe9tendue"))
    assert alert(only).info[0].event == "Crue étendue"
    assert rules(only) == {"T-24"}


@pytest.mark.parametrize("encoding", ["UTF-16", "no-such-encoding"])
def test_utf_8_that_declares_another_encoding_is_read(encoding: str) -> None:
    only = taken(RIGHT.replace('encoding="UTF-8"', f'encoding="{encoding}"'))
    assert alert(only) == made.alert()
    assert rules(only) == {"T-24"}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ("\n \n" + RIGHT, None),
        ("HTTP/1.1 200 OK\n\n" + RIGHT, "T-01"),
        (RIGHT + "\x00\x00", "T-24"),
        (RIGHT.replace("<status>", "\x0b<status>"), "T-24"),
    ],
)
def test_stray_characters_are_left_out(broken: str, rule: str | None) -> None:
    only = taken(broken)
    assert alert(only) == made.alert()
    assert rule is None or rule in rules(only)


def test_bare_ampersands_and_html_entities_are_text() -> None:
    only = taken(RIGHT.replace("Go to high ground.", "Wind &amp; rain & hail&nbsp;&eacute;"))
    assert (alert(only).info[0].instruction or "").replace("\u00a0", " ") == "Wind & rain & hail é"
    assert rules(only) == {"T-16"}


def test_a_cut_file_is_refused() -> None:
    cut = read_tolerant(RIGHT.encode()[:-30])
    assert cut.alerts == ()
    assert [finding.rule for finding in cut.findings] == ["X-01"]


@pytest.mark.parametrize("before", ["", "\ufeff", "<!-- a -->", "  "])
def test_a_doctype_is_refused_repaired_or_not(before: str) -> None:
    head, _, body = RIGHT.partition("\n")
    entity = '<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    for inner in (body, body.replace("Flood", "&x;"), body.replace("Flood", "a & b \x0b")):
        refused = read_tolerant(f"{before if head else ''}{entity}{inner}".encode())
        assert refused.alerts == ()
        assert [finding.rule for finding in refused.findings] == ["X-01"]


def test_a_doctype_inside_an_embedded_text_is_refused_too() -> None:
    body = RIGHT.partition("\n")[2]
    inner = f"<!DOCTYPE alert [<!ENTITY x 'y'>]>{body}".replace("&", "&amp;").replace("<", "&lt;")
    refused = read_tolerant(f"<feed><content>{inner}</content></feed>".encode())
    assert refused.alerts == ()
    assert [finding.rule for finding in refused.findings] == ["X-01"]


def test_limits_come_first() -> None:
    assert read_tolerant(RIGHT.encode(), limits=Limits(size=100)).alerts == ()
    assert read_tolerant(RIGHT.encode(), limits=Limits(elements=10)).alerts == ()


def test_limits_hold_for_what_was_repaired() -> None:
    bare = RIGHT.replace("Go to high ground.", "& " * 100).encode()
    assert read_tolerant(bare).alerts
    assert read_tolerant(bare, limits=Limits(size=len(bare) + 10)).alerts == ()


@pytest.mark.parametrize(
    "hostile",
    [
        b"<a>" * 100_000,
        b"<a>" + b"<![CDATA[" * 20_000 + b"&" * 100_000,
        b"<a>" + b"&" * 1_500_000,
        RIGHT.replace("<info>", "<headline>x</headline>" * 1_000 + "<info/>" * 10_000 + "<info>").encode(),
        RIGHT.replace("<info>", f"<references>{'a,b,' * 400_000}</references><info>").encode(),
    ],
)
def test_hostile_files_take_seconds_at_most(hostile: bytes) -> None:
    start = time.perf_counter()
    read_tolerant(hostile)
    assert time.perf_counter() - start < 10
