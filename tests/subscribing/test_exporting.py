from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.store import subscribers
from alerting.store.engine import transaction
from alerting.subscribing import Floor, NewAddress, PointFollow, RegionFollow, exporting
from alerting.subscribing.rows import COLUMNS

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def export(settings: Settings) -> str:
    return "".join(subscribing.export(actor="an administrator", settings=settings, now=NOW))


def subscribe(settings: Settings) -> None:
    """Somebody with everything twice, telephones, floors and points; no mailbox ties the rows."""
    subscribing.subscribe(
        language="ar",
        follows=[
            RegionFollow("XA-N"),
            RegionFollow("XA-S"),
            RegionFollow("XA", Floor.EXTREME, ["Met"]),
            PointFollow(1.25, 11.5),
            PointFollow(-40.0, -30.0),
        ],
        addresses=[
            NewAddress("sms", "+12015550101"),
            NewAddress("sms", "+12015550102"),
        ],
        consent_at=datetime(2025, 5, 1, 12, tzinfo=UTC),
        source="api",
        settings=settings,
        now=NOW,
    )


def _tables(settings: Settings) -> tuple[object, ...]:
    people = subscribing.page(settings=settings).rows
    return tuple(
        (p.language, p.audience, p.consent_at, frozenset(p.addresses), frozenset(p.follows)) for p in people
    )


def test_what_was_exported_can_be_imported_into_an_empty_service_with_every_stop(places: Settings):
    subscribe(places)
    with transaction() as session:
        session.execute(
            text(
                "UPDATE address SET state = 'stopped', stopped_at = now() WHERE id = (SELECT max(id) FROM address)"
            )
        )
    before, file = _tables(places), export(places)
    with transaction() as session:
        session.execute(text("TRUNCATE subscriber, address, follow CASCADE"))
    report = subscribing.import_csv(file.splitlines(keepends=True), actor="a", settings=places, now=NOW)
    assert (report.created, report.refused) == (1, 0)
    assert _tables(places) == before
    assert "stopped" in str(before)


def test_importing_an_export_where_it_came_from_changes_nothing(places: Settings):
    for n in range(3):
        subscribing.import_csv(
            ["phone,regions\n", f"+1201555011{n},XA-N\n"], actor="a", settings=places, now=NOW
        )
    before = _tables(places)
    report = subscribing.import_csv(
        export(places).splitlines(keepends=True), actor="a", settings=places, now=NOW
    )
    assert (report.unchanged, report.created, report.updated) == (3, 0, 0)
    assert _tables(places) == before


def test_an_export_runs_over_pages_and_is_in_the_audit(places: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "PAGE", 2)
    rows = ["phone,regions\n", *(f"+1201555010{n},XA-N\n" for n in range(5))]
    subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    lines = export(places).splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == [f"+1201555010{n}" for n in range(5)]
    with transaction() as session:
        actors = (
            session.execute(text("SELECT actor FROM audit WHERE act = 'subscribers.exported'"))
            .scalars()
            .all()
        )
    assert actors == ["an administrator"]


def test_an_empty_service_exports_a_heading(places: Settings):
    assert export(places).splitlines() == [",".join(COLUMNS)]


def test_a_list_of_one_moment_holds_whoever_was_there_when_it_began(
    places: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exporting, "PAGE", 2)
    rows = ["phone,regions\n", *(f"+1201555010{n},XA-N\n" for n in range(5))]
    subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    pieces = subscribing.export(actor="a", settings=places, now=NOW, form="jsonl", one_moment=True)
    first = next(pieces)
    assert first.count("\n") == 2, "the server hands out a page at a time"
    with transaction() as session:
        session.execute(text("DELETE FROM subscriber"))
    assert (first + "".join(pieces)).count("phone") == 5
    assert (
        "".join(subscribing.export(actor="a", settings=places, now=NOW, form="jsonl", one_moment=True)) == ""
    )


def test_a_list_of_one_moment_is_read_by_a_cursor_of_the_server(places: Settings):
    """Otherwise the whole list would stand in memory before its first row leaves."""
    subscribe(places)
    with transaction() as session:
        pages = subscribers.stream(session, 1)
        next(pages)
        assert session.execute(text("SELECT count(*) FROM pg_cursors")).scalar_one() == 1
