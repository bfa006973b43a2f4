from __future__ import annotations

import io
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.store.engine import transaction
from alerting.subscribing import FileRefused, Listed, Report, importing, lines_of
from alerting.subscribing.sample import sample_rows
from channels.base import InboundEvent

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
HEADING = "external_id,phone,email,language,regions,lat,lon,floor,hazards,stopped"


def import_rows(settings: Settings, *rows: str, heading: str = HEADING, replace: bool = False) -> Report:
    lines = io.StringIO("\n".join((heading, *rows)))
    return subscribing.import_csv(lines, actor="a registrar", settings=settings, now=NOW, replace=replace)


def everybody(settings: Settings) -> tuple[Listed, ...]:
    return subscribing.page(settings=settings, limit=1000).rows


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


def where(report: Report) -> list[tuple[int, str]]:
    return [(finding.line, finding.column) for finding in report.findings]


# ---- what a row says


def test_a_row_becomes_a_subscriber_with_all_that_it_says(places: Settings):
    report = import_rows(places, "p1,+12015550123,ada@example.org,zh_hant,XA-N;xa-s,1.5,11.5,severe,Met Geo,")
    assert counts(report) == (1, 0, 0, 0)
    (found,) = everybody(places)
    assert (found.external_id, found.language, found.source) == ("p1", "zh-Hant", "import")
    assert [a.channel for a in found.addresses] == ["sms", "email"]
    assert {(f.region, f.lat) for f in found.follows} == {("XA-N", None), ("XA-S", None), ("XA-S", 1.5)}
    assert {(f.floor.name, f.hazards) for f in found.follows} == {("SEVERE", ("Geo", "Met"))}


def test_columns_come_in_any_order_and_only_those_that_are_needed(places: Settings):
    report = import_rows(places, "XA-N,+12015550123", heading="Regions, Phone")
    assert counts(report) == (1, 0, 0, 0)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_file_of_a_spreadsheet_with_mark_and_other_separator_is_read(places: Settings, separator: str):
    data = "\ufeff" + "phone,regions,language\r\n+12015550123,XA-N XA-S,fr\r\n".replace(",", separator)
    lines = lines_of(io.BytesIO(data.encode()))
    report = subscribing.import_csv(lines, actor="a registrar", settings=places, now=NOW)
    assert counts(report) == (1, 0, 0, 0)
    assert len(everybody(places)[0].follows) == 2


def test_a_language_that_is_left_out_is_the_authoritys(places: Settings):
    import_rows(places, "p1,+12015550123,,,XA-N,,,,,")
    assert everybody(places)[0].language == places.default_language


# ---- what is wrong


def test_good_rows_are_stored_and_everything_in_bad_ones_is_found(places: Settings):
    report = import_rows(
        places,
        "p1,+12015550101,,en,XA-N,,,,,",
        "p2,12,nobody,xx-xx,XX-1 XA-N,99,x,huge,Rain,fax",
        "p3,,,,,,,,,",
        "p4,+12015550104,,en,,1.5,,,,",
        "p5,+12015550105,,en,XA-N,,,,,,surplus",
        "",
        "p6,+12015550106,,en,XA-S,,,,,",
    )
    assert counts(report) == (2, 0, 0, 4)
    assert report.rows == 6
    assert where(report) == [
        *((3, column) for column in ("phone", "email", "language", "regions", "lat", "lon")),
        *((3, column) for column in ("floor", "hazards", "stopped")),
        (4, "phone"),
        (4, "regions"),
        (5, "lon"),
        (6, ""),
    ]
    assert all(finding.problem and finding.mend for finding in report.findings)
    assert {found.external_id for found in everybody(places)} == {"p1", "p6"}


def test_findings_name_the_line_that_an_editor_shows(places: Settings):
    report = import_rows(
        places,
        '"p\n1",+12015550101,,en,XA-N,,,,,',
        "p2,1,,en,XA-N,,,,,",
        '"p3",+12015550103,"a\nb",en,XA-N,,,,,',
    )
    assert where(report) == [(2, "external_id"), (4, "phone"), (5, "email")]


def test_a_quote_that_is_never_closed_is_a_finding_and_no_crash(places: Settings):
    rows = [f"p{n},+120155501{n:02d},,en,XA-N,,,,," for n in range(100)]
    report = import_rows(places, 'q,"+12015550199,,en,XA-N,,,,,', *(rows * 100))
    assert (2, "") in where(report)


def test_a_line_that_is_not_utf8_is_a_finding(places: Settings):
    data = b"phone,regions\n+12015550101,XA-N\n\xe9\xe8,XA-N\n+12015550102,XA-N\n"
    report = subscribing.import_csv(lines_of(io.BytesIO(data)), actor="a", settings=places, now=NOW)
    assert (counts(report), where(report)) == ((2, 0, 0, 1), [(3, "")])


@pytest.mark.parametrize(
    "line",
    [
        r'{"phone": "+12015550101", "regions": "XA-N", "external_id": "\ud800"}',
        r'{"phone": "+12015550101", "regions": "XA-N", "language": "\udfff"}',
        r'{"phone": "+12015550101", "regions": ["XA-N", "\udbff"]}',
        r'{"phone": "+12015550101", "regions": "XA-N", "source": "a\u0000b"}',
        r'{"\ud800": "+12015550101", "regions": "XA-N"}',
        '{"phone": ' + "[" * 100_000,
    ],
    ids=["half a pair", "its other half", "in a list", "no character", "a name", "too deep"],
)
def test_a_json_line_that_no_text_can_hold_is_a_finding_and_the_others_are_stored(
    places: Settings, line: str
):
    good = '{"phone": "+12015550102", "regions": "XA-N"}'
    report = import_rows(places, line, good, heading=good.replace("0102", "0103"))
    assert (counts(report), where(report)) == ((2, 0, 0, 1), [(2, "")])


@pytest.mark.parametrize(
    ("heading", "problems"),
    [
        ("phone,regions,colour", ["column 3"]),
        ("phone,phone,regions", ["comes twice"]),
        ("language,floor", ["no column holds addresses", "no column says where"]),
        ("phone,lat", ["no column says where"]),
        ("", ["no column holds addresses", "no column says where"]),
        ("ph\x00ne", ["not UTF-8"]),
    ],
)
def test_a_file_whose_heading_cannot_be_used_is_refused_as_a_whole(
    places: Settings, heading: str, problems: list[str]
):
    with pytest.raises(FileRefused) as caught:
        import_rows(places, "+12015550101,XA-N", heading=heading)
    assert len(caught.value.problems) == len(problems)
    assert all(part in found for part, found in zip(problems, caught.value.problems, strict=True))


def test_an_address_that_belongs_to_somebody_else_is_refused_by_column(places: Settings):
    report = import_rows(
        places,
        "p1,+12015550101,,en,XA-N,,,,,",
        "p2,+12015550102,,en,XA-N,,,,,",
        "p3,+12015550101,,en,XA-N,,,,,",
        "p2,+12015550101,,en,XA-N,,,,,",
    )
    assert (counts(report), where(report)) == ((2, 0, 0, 2), [(4, "phone"), (5, "phone")])


def test_a_report_of_hopeless_files_is_bounded(places: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "MOST_FINDINGS", 3)
    report = import_rows(places, *["p,,,,XA-N,,,,,"] * 10)
    assert (report.refused, len(report.findings), report.left_out) == (10, 3, 7)


# ---- again


def test_a_repeated_import_changes_nothing(places: Settings):
    rows = list(sample_rows(300, seed=7, regions=["XA", "XA-N", "XA-S"], box=(10, 0, 14, 4)))
    first = subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    before = everybody(places)
    again = subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    assert (counts(first), counts(again)) == ((300, 0, 0, 0), (0, 0, 300, 0))
    assert everybody(places) == before


def test_a_repeated_row_without_external_id_is_known_by_its_address(places: Settings):
    import_rows(places, ",+12015550101,,en,XA-N,,,,,")
    again = import_rows(places, ",(201) 555-0101,,en,XA-N,,,,,", ",+12015550101,,en,XA-S,,,,,")
    assert counts(again) == (0, 2, 0, 0)
    (found,) = everybody(places)
    assert {f.region for f in found.follows} == {"XA-N", "XA-S"}


def test_a_later_import_never_takes_away_what_somebody_asked_for_by_text(places: Settings):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    subscribing.inbound(InboundEvent("twilio", "SM1", "+12015550101", "JOIN XA"), settings=places, now=NOW)
    report = import_rows(places, "p1,+12015550101,,en,XA-S,,,,,")
    assert counts(report) == (0, 1, 0, 0)
    assert {f.region for f in everybody(places)[0].follows} == {"XA-N", "XA", "XA-S"}


def test_a_row_with_external_id_replaces_on_demand_and_further_rows_of_the_same_file_add(
    places: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "BATCH", 1)  # across transactions as within one
    import_rows(places, "p1,+12015550101,a@example.org,en,XA-N,,,,,")
    rows = ["p1,+12015550102,,fr,XA-S,,,,,", "p1,+12015550103,,fr,XA,,,,,"]
    assert counts(import_rows(places, *rows, replace=True)) == (0, 2, 0, 0)
    (found,) = everybody(places)
    assert {f.region for f in found.follows} == {"XA-S", "XA"}
    assert [a.shown for a in found.addresses] == ["a***@example.org", "+120******02", "+120******03"]
    assert subscribing.find("sms", "+12015550101", settings=places) is None


def test_a_telephone_that_one_gave_up_can_be_anothers_in_the_same_file(places: Settings):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    report = import_rows(
        places, "p1,+12015550102,,en,XA-N,,,,,", "p2,+12015550101,,en,XA-S,,,,,", replace=True
    )
    assert counts(report) == (1, 1, 0, 0)
    owner = subscribing.find("sms", "+12015550101", settings=places)
    assert owner is not None
    assert owner.external_id == "p2"


def test_somebody_known_by_address_gains_the_external_id(places: Settings):
    import_rows(places, ",+12015550101,,en,XA-N,,,,,")
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    (found,) = everybody(places)
    assert found.external_id == "p1"


def test_two_imports_of_the_same_people_at_once_make_everybody_once(
    places: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "BATCH", 50)
    rows = [f"p{n},+120155501{n:02d},,en,XA-N,,,,," for n in range(100)]
    with ThreadPoolExecutor(2) as two:
        reports = list(two.map(lambda order: import_rows(places, *order), (rows, rows[::-1])))
    assert sum(report.created for report in reports) == 100
    assert sum(report.unchanged for report in reports) == 100
    assert len(everybody(places)) == 100


# ---- STOP


def _stop(settings: Settings, phone: str) -> None:
    event = InboundEvent("twilio", f"SM{phone}", phone, "STOP")
    subscribing.inbound(event, settings=settings, now=NOW)


def _state(phone: str, settings: Settings) -> str:
    found = subscribing.find("sms", phone, settings=settings)
    assert found is not None
    return found.addresses[0].state.value


@pytest.mark.parametrize("row", ["p1,+12015550101,,en,XA-N,,,,,", ",201-555-0101,,en,XA-S,,,,,"])
def test_stop_survives_every_import(places: Settings, row: str):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    _stop(places, "+12015550101")
    assert import_rows(places, row).silent == 1
    assert _state("+12015550101", places) == "stopped"


def test_whoever_stopped_before_being_known_is_imported_as_stopped(places: Settings):
    _stop(places, "+12015550101")
    report = import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    assert (report.created, report.silent) == (1, 1)
    assert _state("+12015550101", places) == "stopped"


def test_stop_survives_that_another_telephone_takes_the_place_and_comes_back(places: Settings):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    _stop(places, "+12015550101")
    import_rows(places, "p1,+12015550102,,en,XA-N,,,,,", replace=True)
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,", replace=True)
    assert _state("+12015550101", places) == "stopped"


def test_a_list_may_say_who_has_stopped(places: Settings):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,")
    rows = ["p1,+12015550101,,en,XA-N,,,,,phone", "p2,+12015550102,b@example.org,en,XA-N,,,,,email"]
    assert import_rows(places, *rows).silent == 2
    stopped = subscribing.AddressState.STOPPED, subscribing.AddressState.ACTIVE
    assert subscribing.count() == {("sms", stopped[0]): 1, ("sms", stopped[1]): 1, ("email", stopped[0]): 1}


# ---- size, record and silence


def test_two_thousand_rows_take_less_than_one_and_a_half_seconds(places: Settings):
    rows = list(sample_rows(2000, seed=1, regions=["XA", "XA-N", "XA-S"], box=(10, 0, 14, 4)))
    began = time.process_time()
    report = subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    assert report.created == 2000
    assert time.process_time() - began < 1.5  # of this process: the machine may be busy with others


def test_rows_beyond_one_transaction_are_counted_and_told(places: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BATCH", 40)
    told: list[int] = []
    rows = sample_rows(100, seed=1, regions=["XA"], box=(10, 0, 14, 4))
    report = subscribing.import_csv(rows, actor="a", settings=places, now=NOW, progress=told.append)
    assert (report.created, told) == (100, [40, 80, 100])


def test_an_import_is_in_the_audit_with_its_counts(places: Settings):
    import_rows(places, "p1,+12015550101,,en,XA-N,,,,,", "p2,1,,en,XA-N,,,,,")
    with transaction() as session:
        row = session.execute(
            text("SELECT actor, detail FROM audit WHERE act = 'subscribers.imported'")
        ).one()
    assert tuple(row) == ("a registrar", {"rows": 2, "created": 1, "updated": 0, "refused": 1})


SECRETS = ("2015550187", "201555018", "ada.secret", "secret-host")


def test_no_address_is_in_a_log_a_finding_or_an_error(
    places: Settings, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    caplog.set_level(logging.DEBUG)
    rows: Sequence[str] = (
        "p1,+12015550187,ada.secret@secret-host.example,en,XA-N,,,,,",
        "p2,+12015550187,ada.secret@secret-host.example,en,XA-N,,,,,",
        "p3,+120155501879999999,ada.secret@@secret-host,en,XA-N,,,,,",
        "p4,,,en,+12015550187 ada.secret@secret-host,ada.secret,2015550187,2015550187,ada.secret,ada.secret",
        "p5,+12015550188,,2015550187,XA-N,,,,,",
    )
    report = import_rows(places, *rows)
    assert report.refused == 4
    said = [str(report.findings), caplog.text]
    for heading in ("+12015550187,regions", "ada.secret@secret-host"):
        with pytest.raises(FileRefused) as caught:
            import_rows(places, heading=heading)
        said.append(str(caught.value))
    assert not [(secret, text) for secret in SECRETS for text in said if secret in text]
