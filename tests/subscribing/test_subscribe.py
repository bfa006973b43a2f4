from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.store.cells import cell_of
from alerting.store.engine import transaction
from alerting.subscribing import Floor, Follow, NewAddress, PointFollow, Refused, RegionFollow, Subscribed

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PHONE = NewAddress("sms", "+1 201 555 0123")
MAIL = NewAddress("email", "Ada@Example.org")


def subscribe(settings: Settings, **changes: object) -> Subscribed:
    wish = {
        "language": "fr",
        "follows": [RegionFollow("XA-N")],
        "addresses": [PHONE],
        "consent_at": NOW,
        "source": "api",
        "now": NOW,
    }
    return subscribing.subscribe(settings=settings, **{**wish, **changes})  # type: ignore[arg-type]


def follows_of(settings: Settings, subscriber: int) -> set[tuple[object, ...]]:
    found = subscribing.get(subscriber, settings=settings)
    assert found is not None
    return {(f.region, f.lat, f.lon, f.floor, f.hazards) for f in found.follows}


def token_of(subscriber: int) -> str:
    with transaction() as session:
        return str(
            session.execute(
                text("SELECT token FROM subscriber WHERE id = :id"), {"id": subscriber}
            ).scalar_one()
        )


def test_one_person_with_telephone_and_mailbox_follows_a_region_and_a_point(places: Settings):
    point = PointFollow(1.0, 11.0, Floor.SEVERE, ["met", "Geo"])
    made = subscribe(places, addresses=[PHONE, MAIL], follows=[RegionFollow("xa-n"), point])
    assert made.created
    found = subscribing.get(made.id, settings=places)
    assert found is not None
    assert [(a.channel, a.shown, a.state) for a in found.addresses] == [
        ("sms", "+120******23", "active"),
        ("email", "A***@example.org", "active"),
    ]
    assert follows_of(places, made.id) == {
        ("XA-N", None, None, Floor.ANY, None),
        ("XA-S", 1.0, 11.0, Floor.SEVERE, ("Geo", "Met")),  # the smallest region around the point
    }


def test_a_point_is_stored_with_its_cell_and_at_sea_without_region(places: Settings):
    subscribe(places, follows=[PointFollow(-40.02, -30.03)])
    with transaction() as session:
        row = session.execute(text("SELECT region, lat, lon, cell FROM follow")).one()
    assert tuple(row) == (None, -40.02, -30.03, cell_of(-40.02, -30.03))


def test_an_address_that_is_known_adds_to_what_its_subscriber_follows(places: Settings):
    first = subscribe(places)
    again = subscribe(places, language=None, follows=[RegionFollow("XA-S"), RegionFollow("XA-N")])
    assert (again.id, again.created) == (first.id, False)
    assert {f[0] for f in follows_of(places, first.id)} == {"XA-N", "XA-S"}
    found = subscribing.get(first.id, settings=places)
    assert found is not None
    assert found.language == "fr"  # None left it as it was


def test_without_a_language_a_new_subscriber_reads_the_authoritys(places: Settings):
    made = subscribe(replace(places, default_language="es"), language=None)
    found = subscribing.get(made.id, settings=places)
    assert found is not None
    assert found.language == "es"


def test_everything_that_is_wrong_is_found_at_once_by_pointer_and_nothing_is_stored(places: Settings):
    follows: list[Follow] = [RegionFollow("XX-1", hazards=["Rain"]), PointFollow(91.0, float("nan"))]
    with pytest.raises(Refused) as caught:
        subscribe(
            places,
            language="klingon-1",
            addresses=[NewAddress("fax", "1"), NewAddress("sms", "12"), MAIL],
            follows=follows,
            consent_at=NOW + timedelta(hours=1),
            external_id="a\x00b",
            audience="officers",
        )
    assert [finding.pointer for finding in caught.value.findings] == [
        "/language",
        "/addresses/0/channel",
        "/addresses/1/address",
        "/follows/0/hazards",
        "/follows/0/region",
        "/follows/1/lat",
        "/follows/1/lon",
        "/consent_at",
        "/external_id",
        "/audience",
    ]
    assert all(finding.problem and finding.mend for finding in caught.value.findings)
    assert subscribing.page(settings=places).rows == ()


def test_a_subscription_without_address_or_place_is_refused(places: Settings):
    with pytest.raises(Refused) as caught:
        subscribe(places, addresses=[], follows=[])
    assert [finding.pointer for finding in caught.value.findings] == ["/addresses", "/follows"]


def test_a_consent_without_offset_is_refused(places: Settings):
    with pytest.raises(Refused, match="/consent_at: the time has no offset"):
        subscribe(places, consent_at=NOW.replace(tzinfo=None))


def test_two_peoples_addresses_do_not_become_one_subscriber(places: Settings):
    subscribe(places, addresses=[PHONE], external_id="p1")
    subscribe(places, addresses=[MAIL], external_id="p2")
    with pytest.raises(Refused) as caught:
        subscribe(places, addresses=[PHONE, MAIL])
    assert [finding.pointer for finding in caught.value.findings] == ["/addresses/1/address"]


def test_a_telephone_of_the_exercise_list_is_not_moved_to_the_public(places: Settings):
    subscribe(places, audience="exercise")
    with pytest.raises(Refused, match="/audience"):
        subscribe(places)


def test_the_link_in_a_mail_stops_mail_alone_and_twice_is_harmless(places: Settings):
    made = subscribe(places, addresses=[PHONE, MAIL])
    token = token_of(made.id)
    first, second = subscribing.stop(token, now=NOW), subscribing.stop(token, now=NOW)
    assert first is not None
    assert second is not None
    assert (first.subscriber, first.addresses, second.addresses) == (made.id, 1, 0)
    found = subscribing.get(made.id, settings=places)
    assert found is not None
    assert {a.channel: a.state.value for a in found.addresses} == {"sms": "active", "email": "stopped"}


def test_a_token_that_nobody_has_stops_nobody(places: Settings):
    subscribe(places, addresses=[MAIL])
    assert subscribing.stop("x" * 22, now=NOW) is None
    assert {state.value for _, state in subscribing.count()} == {"active"}


def test_tokens_cannot_be_guessed(places: Settings):
    tokens = {
        token_of(subscribe(places, addresses=[NewAddress("sms", f"+1201555010{n}")]).id) for n in range(3)
    }
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 22  # 128 bits in base64


def test_whoever_stopped_stays_stopped_when_subscribed_by_others(places: Settings):
    made = subscribe(places, addresses=[MAIL])
    subscribing.stop(token_of(made.id), now=NOW)
    again = subscribe(places, addresses=[MAIL], follows=[RegionFollow("XA")])
    assert (again.id, again.silent) == (made.id, 1)
    assert subscribing.count() == {("email", subscribing.AddressState.STOPPED): 1}
