from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.store.engine import transaction
from alerting.subscribing import NewAddress, RegionFollow

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def subscribe(settings: Settings, *phones: str) -> int:
    return subscribing.subscribe(
        language="en",
        follows=[RegionFollow("XA-N")],
        addresses=[NewAddress("sms", phone) for phone in phones],
        consent_at=NOW,
        source="api",
        settings=settings,
        now=NOW,
    ).id


def test_pages_by_cursor_show_everybody_once(places: Settings):
    made = [subscribe(places, f"+1201555010{n}") for n in range(5)]
    seen: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        page = subscribing.page(settings=places, after=cursor, limit=2)
        assert len(page.rows) <= 2
        seen += [row.id for row in page.rows]
        cursor = page.next
    assert seen == made


def test_a_person_is_found_by_address_however_it_is_written(places: Settings):
    made = subscribe(places, "+12015550123")
    found = subscribing.find("sms", "(201) 555-0123", settings=places)
    assert found is not None
    assert found.id == made
    assert subscribing.find("sms", "+12015550124", settings=places) is None
    assert subscribing.get(made + 1, settings=places) is None


def test_erasing_leaves_nothing_of_the_person_but_the_number_in_the_audit(places: Settings):
    made = subscribe(places, "+12015550123", "+12015550124")
    other = subscribe(places, "+12015550125")
    assert subscribing.erase(made, actor="an administrator", now=NOW)
    assert not subscribing.erase(made, actor="an administrator", now=NOW)
    with transaction() as session:
        for table in ("address", "follow"):
            owners = session.execute(text(f"SELECT DISTINCT subscriber FROM {table}")).scalars().all()
            assert owners == [other]
        acts = session.execute(
            text("SELECT actor, subject, detail FROM audit WHERE act = 'subscriber.erased'")
        ).all()
    counts = {"addresses": 2, "deliveries": 0, "receipts": 0, "notices": 0, "silent": 0}
    assert [tuple(act) for act in acts] == [("an administrator", f"subscriber:{made}", counts)]


def test_addresses_are_counted_by_channel_and_state(places: Settings):
    subscribe(places, "+12015550123", "+12015550124")
    assert subscribing.count() == {("sms", subscribing.AddressState.ACTIVE): 2}
