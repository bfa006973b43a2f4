from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from alerting import subscribing
from alerting.cli.person import as_json
from alerting.config import Settings
from alerting.store import audit
from alerting.store.engine import transaction
from alerting.subscribing import NewAddress, RegionFollow
from channels.base import InboundEvent
from tests.fanout.country import Country
from tests.fanout.test_drain import expand_all

NOW = datetime.now(UTC)
PHONE, MAIL = "+12015550123", "ada@example.org"


def subscribe(settings: Settings, *written: str) -> int:
    return subscribing.subscribe(
        language="fr",
        follows=[RegionFollow("XA-N")],
        addresses=[NewAddress(subscribing.person.channel_of(each), each) for each in written],
        consent_at=NOW,
        source="api",
        external_id="c-1",
        settings=settings,
        now=NOW,
    ).id


def hear(settings: Settings, words: str, event: str = "SM1") -> None:
    subscribing.inbound(InboundEvent("twilio", event, PHONE, words, None), settings=settings, now=NOW)


def record(settings: Settings, written: str = PHONE) -> subscribing.Record:
    return subscribing.record(written, actor="an officer", settings=settings, now=NOW)


def forget(settings: Settings, written: str = PHONE) -> subscribing.Erased:
    return subscribing.forget(written, actor="an officer", settings=settings, now=NOW)


def imported(settings: Settings, phone: str = PHONE) -> subscribing.Report:
    return subscribing.import_csv(
        ["phone,regions\n", f"{phone},XA-N\n"], actor="a", settings=settings, now=NOW
    )


@pytest.fixture
def warned(places: Settings) -> Country:
    """Somebody with two addresses who was warned on both, wrote to us and was answered; somebody else too."""
    subscribe(places, PHONE, MAIL)
    subscribing.import_csv(["phone,regions\n", "+12015550199,XA-N\n"], actor="a", settings=places, now=NOW)
    hear(places, "HELP")
    return Country(places.database_url)


def warn(country: Country) -> None:
    """A warning for everybody, as the fan-out leaves it."""
    country.warn(squares=1)  # of the regions 1 and 2: XA and XA-N
    expand_all()
    country.run(
        "UPDATE delivery SET status = 'delivered', reference = 'SMabc', at = now() WHERE address IS NOT NULL"
    )
    country.run(
        """INSERT INTO receipt (provider, event_id, dispatch, n, status, reference, raw, received_at)
           SELECT 'twilio', dispatch || '-' || n, dispatch, n, 'delivered', 'SMabc', '{"MessageSid": "SMabc"}', now()
           FROM delivery WHERE address IS NOT NULL"""
    )
    country.run("DELETE FROM tally")
    country.run("INSERT INTO tally SELECT dispatch, region, status, count(*) FROM delivery GROUP BY 1, 2, 3")


def test_a_record_holds_everything_and_nothing_of_anybody_else(places: Settings, warned: Country) -> None:
    warn(warned)
    found = record(places, "(201) 555-0123")
    plain = json.loads(as_json(found))
    assert plain["subscription"]["language"] == "fr"
    assert plain["subscription"]["consent_at"] == NOW.isoformat()
    assert {each["address"] for each in plain["addresses"]} == {PHONE, MAIL}
    assert [each["region"] for each in plain["follows"]] == ["XA-N"]
    sent = {(each["channel"], each["of"].get("notice")): each for each in plain["sent"]}
    assert set(sent) == {("sms", "reply"), ("sms", None), ("email", None)}
    assert sent["sms", None]["text"].startswith("ALERTE INONDATION")
    assert sent["sms", None]["of"]["sender"] == "bench@warn.example"
    assert sent["email", None]["subject"].startswith("ALERTE INONDATION")
    assert sent["sms", "reply"]["text"]
    assert sent["sms", None]["receipts"][0]["raw"] == {"MessageSid": "SMabc"}
    assert "0199" not in as_json(found)
    assert not plain["kept_silent"]


def test_after_an_erasure_nothing_leads_to_the_person_and_the_counts_stand(
    places: Settings, warned: Country
) -> None:
    warn(warned)
    before = warned.statuses()
    made = record(places).subscriber
    assert made is not None
    done = forget(places)
    assert (done.addresses, done.deliveries, done.notices, done.silent) == (2, 3, 1, 2)
    assert done.receipts >= 3
    gone = record(places)
    assert (gone.subscriber, gone.addresses, gone.sent, gone.silent) == (None, (), (), True)
    assert warned.one("SELECT count(*) FROM delivery WHERE address IS NOT NULL") == 1  # somebody else's
    assert warned.one("SELECT count(*) FROM receipt WHERE reference IS NOT NULL") == 1
    assert warned.one("SELECT count(*) FROM notice WHERE text <> ''") == 0
    assert warned.one("SELECT count(*) FROM subscriber") == 1
    assert (warned.statuses(), warned.tally_differs()) == (before, [])
    with transaction() as session:
        entries = [entry for entry in audit.entries(session) if entry.act == "subscriber.erased"]
        assert [(entry.subject, entry.detail["deliveries"]) for entry in entries] == [
            (f"subscriber:{made.id}", 3)
        ]
        assert audit.verify(session) is None
        kept = str(
            session.execute(
                text(
                    "SELECT json_agg(audit)::text || (SELECT json_agg(suppression)::text FROM suppression) FROM audit"
                )
            ).scalar_one()
        )
    assert PHONE not in kept
    assert MAIL not in kept


def test_no_list_brings_a_forgotten_person_back_and_their_own_word_does(places: Settings) -> None:
    subscribe(places, PHONE, MAIL)
    forget(places)
    report = imported(places)
    assert (report.created, report.refused, report.silent) == (0, 0, 1)
    with pytest.raises(subscribing.Refused, match="forgotten"):
        subscribe(places, PHONE)
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM address")).scalar_one() == 0
    hear(places, "JOIN XA-S")
    assert subscribing.count() == {("sms", subscribing.AddressState.ACTIVE): 1}
    assert not record(places).silent
    assert record(places, MAIL).silent


def test_a_word_that_is_not_join_brings_nobody_back(places: Settings) -> None:
    forget(places)  # an address that was never known is made silent all the same
    hear(places, "HELP")
    assert imported(places).created == 0
    assert subscribing.count() == {}


def test_a_row_with_one_forgotten_address_brings_the_other_in(places: Settings) -> None:
    forget(places)
    rows = ["phone,email,regions\n", f"{PHONE},{MAIL},XA-N\n"]
    report = subscribing.import_csv(rows, actor="a", settings=places, now=NOW)
    assert (report.created, report.silent) == (1, 1)
    assert subscribing.count() == {("email", subscribing.AddressState.ACTIVE): 1}


def test_an_officer_readmits_a_mailbox_by_name_in_the_audit(places: Settings) -> None:
    forget(places, MAIL)
    assert subscribing.readmit("ada@EXAMPLE.org", actor="an officer", settings=places, now=NOW)
    assert not subscribing.readmit(MAIL, actor="an officer", settings=places, now=NOW)
    subscribe(places, MAIL)
    with transaction() as session:
        assert "address.readmitted" in [entry.act for entry in audit.entries(session)]


def test_an_erasure_by_number_keeps_only_stops_silent(places: Settings) -> None:
    made = subscribe(places, PHONE, MAIL)
    hear(places, "STOP")
    assert subscribing.erase(made, actor="an officer", now=NOW)
    assert imported(places).silent == 1
    subscribe(places, MAIL)


def test_what_still_waits_for_a_forgotten_person_is_not_sent(places: Settings, warned: Country) -> None:
    warned.warn(squares=1)
    expand_all()
    planned = warned.statuses()["planned"]
    forget(places)
    assert warned.statuses()["planned"] == planned
    assert warned.tally_differs() == []
