from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import text

from alerting import subscribing
from alerting.config import Settings
from alerting.fanout import bell
from alerting.store.engine import transaction
from alerting.subscribing import AddressState, Listed, NewAddress, RegionFollow, Understood
from channels.base import InboundEvent

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
PHONE = "+12015550123"
_ids = itertools.count()


def send(
    settings: Settings,
    words: str,
    *,
    sender: str = PHONE,
    event_id: str | None = None,
    opt_out: str | None = None,
    now: datetime = NOW,
) -> Understood:
    event = InboundEvent("twilio", event_id or f"SM{next(_ids)}", sender, words, opt_out)
    return subscribing.inbound(event, settings=settings, now=now)


def answers() -> list[tuple[str, str]]:
    """(language, text) of every answer, in order, and each in an open dispatch of the lane sms."""
    with transaction() as session:
        rows = session.execute(
            text("""
                SELECT notice.language, notice.text FROM notice
                JOIN dispatch ON dispatch.notice = notice.id AND dispatch.state = 'open' AND dispatch.channel = 'sms'
                JOIN delivery ON delivery.dispatch = dispatch.id JOIN address ON address.id = delivery.address
                WHERE notice.kind = 'reply' AND dispatch.audience = 'person' ORDER BY notice.id
            """)
        ).all()
    return [(row.language, row.text) for row in rows]


def person(settings: Settings, phone: str = PHONE) -> Listed:
    found = subscribing.find("sms", phone, settings=settings)
    assert found is not None
    return found


def state(settings: Settings) -> AddressState:
    return person(settings).addresses[0].state


# ---- JOIN


@pytest.mark.parametrize("words", ["JOIN XA-N", "join xa-n", "Join Northland", "JOIN  pays  du  NORD!"])
def test_join_by_code_or_name_makes_an_active_subscription_and_says_so(places: Settings, words: str):
    assert send(places, words) == Understood(subscribing.Outcome.JOINED, "XA-N", answered=True)
    found = person(places)
    assert (found.source, found.consent_at, state(places)) == ("sms", NOW, "active")
    assert [f.region for f in found.follows] == ["XA-N"]
    ((_, said),) = answers()
    assert "XA-N" in said


def test_a_second_join_adds_and_the_same_one_again_changes_nothing(places: Settings):
    for words in ("JOIN XA-N", "JOIN XA-S", "JOIN XA-N"):
        assert send(places, words).outcome == "joined"
    assert [f.region for f in person(places).follows] == ["XA-N", "XA-S"]
    assert len(answers()) == 3


def test_join_adds_to_what_was_imported_and_keeps_the_language(places: Settings):
    subscribing.subscribe(
        language="ar",
        follows=[RegionFollow("XA-S")],
        addresses=[NewAddress("sms", PHONE)],
        consent_at=NOW,
        source="api",
        settings=places,
        now=NOW,
    )
    send(places, "JOIN Northland")
    assert [f.region for f in person(places).follows] == ["XA-S", "XA-N"]
    assert person(places).language == "ar"
    assert answers()[0][0] == "ar"


@pytest.mark.parametrize(
    ("words", "default", "language"),
    [
        ("JOIN Pays du Nord", "en", "fr"),  # a name that only French has
        ("订阅北国", "en", "zh-Hans"),
        ("JOIN الشمال", "en", "ar"),
        ("JOIN Northland", "fr", "en"),
        ("JOIN XA-N", "es", "es"),  # a code tells nothing
        ("alta XA-N", "en", "es"),  # but the word does
        ("JOIN Pais del Sur", "en", "es"),  # without the mark that the telephone cannot type
        ("JOIN Paìs del Sur", "en", "gl"),  # the marks tell one from the other
    ],
)
def test_a_new_subscriber_is_answered_in_the_language_of_the_words(
    places: Settings, words: str, default: str, language: str
):
    send(replace(places, default_language=default), words)
    assert person(places).language == language
    assert [found for found, _ in answers()] == [language]


def test_an_ambiguous_name_is_answered_with_its_codes_and_subscribes_to_nothing(places: Settings):
    assert send(places, "JOIN Springfield").outcome == "ambiguous_place"
    ((_, said),) = answers()
    assert "XA-P" in said
    assert "XA-Q" in said
    assert subscribing.find("sms", PHONE, settings=places) is None


@pytest.mark.parametrize(
    ("words", "outcome"), [("JOIN Nowhere", "unknown_place"), ("JOIN", "help"), ("JOIN 123456", "help")]
)
def test_an_unknown_place_is_answered_with_help(places: Settings, words: str, outcome: str):
    assert send(places, words).outcome == outcome
    ((_, said),) = answers()
    assert "JOIN XA" in said
    assert '""' not in said
    assert subscribing.find("sms", PHONE, settings=places) is None


def test_nothing_that_could_be_followed_or_called_is_repeated_to_a_forged_sender(places: Settings):
    send(places, "JOIN see http://evil.example/win?x=1 or call 2015550199 www.evil.example")
    ((_, said),) = answers()
    assert "http:" not in said
    assert "evil.example" not in said
    assert "2015550199" not in said


# ---- STOP, START, HELP


def test_stop_holds_at_once_and_is_confirmed(places: Settings):
    send(places, "JOIN XA-N")
    assert send(places, "Stop") == Understood(subscribing.Outcome.STOPPED, answered=True)
    assert state(places) == "stopped"
    assert len(answers()) == 2


def test_start_and_join_are_the_ways_back(places: Settings):
    for words in ("START", "JOIN XA-S"):
        send(places, "JOIN XA-N")
        send(places, "STOP")
        assert state(places) == "stopped"
        send(places, words)
        assert state(places) == "active"


def test_a_stop_from_somebody_unknown_is_kept(places: Settings):
    assert send(places, "STOP").outcome == "stopped"
    with transaction() as session:
        rows = session.execute(text("SELECT subscriber, state, stopped_at FROM address")).all()
    assert [tuple(row) for row in rows] == [(None, "stopped", NOW)]


def test_start_from_somebody_unknown_is_answered_with_help(places: Settings):
    assert send(places, "START").outcome == "help"
    assert subscribing.find("sms", PHONE, settings=places) is None


def test_help_and_small_talk_are_answered_with_help_but_not_after_stop(places: Settings):
    assert send(places, "HELP").outcome == "help"
    assert send(places, "what is this?").outcome == "help"
    send(places, "STOP")
    assert send(places, "thanks") == Understood(subscribing.Outcome.IGNORED)
    assert send(places, "HELP") == Understood(subscribing.Outcome.HELP, answered=True)


def test_what_the_provider_has_answered_is_done_and_not_answered_again(places: Settings):
    send(places, "JOIN XA-N")
    assert send(places, "fin", opt_out="STOP") == Understood(subscribing.Outcome.STOPPED)
    assert state(places) == "stopped"
    assert send(places, "anything", opt_out="START") == Understood(subscribing.Outcome.STARTED)
    assert state(places) == "active"
    assert len(answers()) == 1


# ---- once, not too often, to telephones only


def test_a_replay_changes_nothing_and_is_not_answered(places: Settings):
    send(places, "JOIN XA-N", event_id="SM1")
    send(places, "STOP", event_id="SM2")
    assert send(places, "JOIN XA-N", event_id="SM1") == Understood(subscribing.Outcome.REPLAY)
    assert state(places) == "stopped"
    assert len(answers()) == 2


def test_nobody_is_sent_more_than_five_answers_an_hour(places: Settings):
    said = [send(places, "HELP").answered for _ in range(7)]
    assert said == [True] * 5 + [False] * 2
    assert send(places, "STOP") == Understood(subscribing.Outcome.STOPPED)  # done all the same
    with transaction() as session:
        assert session.execute(text("SELECT state FROM address")).scalar_one() == "stopped"
    assert send(places, "HELP", sender="+12015550124").answered
    assert send(places, "HELP", now=NOW + timedelta(hours=1)).answered


@pytest.mark.parametrize("sender", ["72655", "WEATHER", "", "+1", "whatsapp:+12015550123"])
def test_who_is_no_telephone_is_neither_stored_nor_answered(places: Settings, sender: str):
    assert send(places, "JOIN XA-N", sender=sender) == Understood(subscribing.Outcome.IGNORED)
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM address")).scalar_one() == 0


def test_the_bell_of_the_lane_rings_after_an_answer_only(places: Settings):
    bell.configure(places.redis_url)
    with Redis.from_url(places.redis_url) as redis:
        send(places, "STOP", opt_out="STOP")
        assert redis.llen("rq:queue:sms") == 0
        send(places, "HELP")
        assert redis.llen("rq:queue:sms") == 1


def test_an_answer_that_nobody_sent_in_time_expires(places: Settings):
    send(places, "HELP")
    with transaction() as session:
        assert session.execute(text("SELECT expires FROM dispatch")).scalar_one() == NOW + timedelta(hours=1)


def test_neither_words_nor_sender_are_stored_in_the_clear_or_logged(
    places: Settings, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    send(places, "JOIN Northland")
    send(places, "my name is Ada")
    with transaction() as session:
        stored = [
            str(session.execute(text(f"SELECT array_agg(t::text) FROM {table} t")).scalar_one())
            for table in ("receipt", "address", "subscriber", "notice", "dispatch", "delivery")
        ]
    for secret in ("2015550123", "Ada"):
        assert not [held for held in (*stored, caplog.text) if secret in held]
