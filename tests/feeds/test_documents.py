from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import feedparser
import pytest
from sqlalchemy import text

from alerting import feeds
from alerting.cap.model import MsgType, Reference, Scope, Status
from alerting.config import Settings
from alerting.feeds import documents
from alerting.feeds.address import FeedAddress, read
from alerting.store import publications
from alerting.store.engine import transaction
from tests.feeds.rows import issue, regions
from tests.wording.samples import ARABIC, CHINESE, ENGLISH, SENT, alert, info

NOW = SENT + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_asked_yet(database: str) -> Iterator[None]:
    documents._asked.clear()
    yield
    documents._asked.clear()


def parsed(key: str, settings: Settings, media: str = "rss", now: Any = NOW) -> Any:
    served = feeds.document(key, media, settings=settings, now=now)
    assert served is not None
    found = feedparser.parse(served.body)
    assert not found.bozo, found.get("bozo_exception")
    return found


def titles(key: str, settings: Settings, now: Any = NOW, media: str = "rss") -> list[str]:
    return [entry.title for entry in parsed(key, settings, media, now).entries]


def referring(old: str) -> tuple[Reference, ...]:
    return (Reference("water@example.org", old, SENT),)


def test_every_segment_in_force_is_in_the_feed_however_many(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    for n in range(100):
        infos = [
            info(headline=f"Warning {n}.{k}", event=f"Flood {k}", certainty=c)
            for k, c in enumerate(CERTAINTIES)
        ]
        issue(alert(*infos, identifier=f"many-{n}"), now=NOW, ground=ground)
    expected = {f"Warning {n}.{k}" for n in range(100) for k in range(3)}
    for key in ("all", "CN-AH"):
        for media in ("rss", "atom"):
            found = parsed(key, settings, media)
            assert {entry.title for entry in found.entries} == expected
            assert len({entry.id for entry in found.entries}) == 300
    served = feeds.document("all", "json", settings=settings, now=NOW)
    assert served is not None
    assert {item["title"] for item in json.loads(served.body)["items"]} == expected


CERTAINTIES = [ENGLISH.certainty, *[c for c in type(ENGLISH.certainty) if c is not ENGLISH.certainty][:2]]


def test_an_update_replaces_and_keeps_the_id(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(alert(ENGLISH), now=NOW, ground=ground)
    before = parsed("all", settings).entries
    later = NOW + timedelta(minutes=10)
    update = alert(
        info(headline="Flood, higher still"),
        identifier="flood-2",
        msg_type=MsgType.UPDATE,
        references=referring("flood-1"),
    )
    second = issue(update, now=later, ground=ground, replaces=[first])
    third = issue(
        replace(update, identifier="flood-3"),
        now=later + timedelta(minutes=1),
        ground=ground,
        replaces=[second],
    )
    after = parsed("all", settings, "atom", later + timedelta(minutes=2)).entries
    assert [entry.title for entry in after] == ["UPDATE: Flood, higher still"]
    assert after[0].id == before[0].id
    assert after[0].updated_parsed > before[0].published_parsed
    assert str(third) in next(link.href for link in after[0].links if link.rel == "enclosure")


def test_two_updates_of_one_alert_that_do_not_know_of_each_other_have_two_ids(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(alert(ENGLISH), now=NOW, ground=ground)
    for name in ("flood-2", "flood-3"):
        issue(
            alert(ENGLISH, identifier=name, msg_type=MsgType.UPDATE, references=referring("flood-1")),
            now=NOW,
            ground=ground,
            replaces=[first],
        )
    assert len({entry.id for entry in parsed("all", settings).entries}) == 2


def test_a_cancel_removes_at_the_next_request_without_any_worker(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(alert(ENGLISH), now=NOW, ground=ground)
    publish_all(settings)
    assert titles("all", settings) == ["Flood in the lower valley"]
    cancel = alert(ENGLISH, identifier="flood-2", msg_type=MsgType.CANCEL, references=referring("flood-1"))
    later = NOW + timedelta(minutes=10)
    issue(cancel, now=later, ground=ground, replaces=[first], ended="cancelled")
    assert titles("all", settings, later) == []
    assert titles("CN-AH", settings, later) == []


def publish_all(settings: Settings, now: Any = NOW) -> None:
    for channel in ("rss", "web"):
        with transaction() as session:
            found = publications.wanted(session, channel, now)
        for feed in found:
            feeds.publish(feed, settings=settings, now=now)


def test_what_expires_or_is_not_yet_in_effect_is_not_in_the_feed(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    soon = SENT + timedelta(hours=1)
    issue(alert(info(effective=soon)), now=NOW, ground=ground)
    publish_all(settings)
    assert titles("all", settings) == []
    # The stored document is past its time although nobody issued anything.
    assert titles("all", settings, soon) == ["Flood in the lower valley"]
    publish_all(settings, soon)
    assert titles("all", settings, SENT + timedelta(hours=9) - timedelta(seconds=1)) == [
        "Flood in the lower valley"
    ]
    assert titles("all", settings, SENT + timedelta(hours=9)) == []


def test_of_a_warning_whose_segments_end_at_different_times_the_rest_stays(settings: Settings) -> None:
    short = info(headline="Ends first", certainty=CERTAINTIES[1], expires=SENT + timedelta(hours=2))
    issue(alert(ENGLISH, short), now=NOW, ground=list(regions("CN-AH").values()))
    assert len(titles("all", settings)) == 2
    assert titles("all", settings, SENT + timedelta(hours=2)) == ["Flood in the lower valley"]


def test_a_region_has_what_shares_ground_with_it_and_nothing_else(settings: Settings) -> None:
    ids = regions("CN-AH", "CN-JS")
    issue(alert(info(headline="In Anhui")), now=NOW, ground=[ids["CN-AH"]])
    issue(alert(info(headline="In both"), identifier="flood-2"), now=NOW, ground=list(ids.values()))
    assert titles("CN-AH", settings) == ["In both", "In Anhui"]
    assert titles("cn-js", settings) == ["In both"]
    assert parsed("CN-JS/fr", settings).feed.title.endswith("Région CN-JS")


def test_each_segment_is_said_in_the_language_of_the_feed_else_in_the_authoritys(settings: Settings) -> None:
    ground = list(regions("CN-AH").values())
    issue(alert(ENGLISH, CHINESE, ARABIC), now=NOW, ground=ground)
    issue(alert(ENGLISH, identifier="flood-2"), now=NOW, ground=ground)
    assert titles("all/zh-CN", settings) == ["Flood in the lower valley", "洪水橙色预警"]
    assert titles("all/ar", settings, media="atom")[1] == "تحذير من فيضان"
    assert titles("all", settings)[1] == "Flood in the lower valley"
    assert titles("all", replace(settings, default_language="fr"))[1].count(" / ") == 2  # all of them
    assert parsed("all/ar", settings).feed.title.endswith("التحذيرات السارية")


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.EXERCISE}, {"status": Status.TEST}, {"scope": Scope.PRIVATE, "addresses": ("a",)}],
)
def test_what_is_not_for_the_public_never_is_in_a_feed(settings: Settings, changes: dict[str, Any]) -> None:
    issue(alert(ENGLISH, **changes), now=NOW, ground=list(regions("CN-AH").values()))
    assert titles("all", settings) == []


def test_what_waits_for_approval_is_not_in_a_feed(settings: Settings) -> None:
    issue(alert(ENGLISH), now=NOW, ground=list(regions("CN-AH").values()), approved=False)
    assert titles("all", settings) == []


def test_a_channel_that_was_left_out_has_no_entry(settings: Settings) -> None:
    issue(alert(ENGLISH), now=NOW, ground=list(regions("CN-AH").values()), channels=("web",))
    assert titles("all", settings) == []
    served = feeds.document("all", "json", settings=settings, now=NOW)
    assert served is not None
    assert len(json.loads(served.body)["items"]) == 1


def test_the_stored_document_is_served_and_is_what_the_request_would_render(settings: Settings) -> None:
    issue(alert(ENGLISH), now=NOW, ground=list(regions("CN-AH").values()))
    rendered = {media: feeds.document("all", media, settings=settings, now=NOW) for media in feeds.MEDIA}
    with transaction() as session:
        assert publications.stored(session, "rss", "all", "rss") is None  # a request stores nothing
    publish_all(settings, NOW + timedelta(minutes=3))
    with transaction() as session:
        assert publications.stored(session, "rss", "all", "rss") is not None
    for media, made in rendered.items():
        assert made is not None
        kept = feeds.document("all", media, settings=settings, now=NOW + timedelta(minutes=5))
        assert kept == replace(made, good_until=kept.good_until if kept else NOW)


def test_the_stored_document_is_what_is_served_while_it_is_current(settings: Settings) -> None:
    issue(alert(ENGLISH), now=NOW, ground=list(regions("CN-AH").values()))
    publish_all(settings)
    with transaction() as session:
        session.execute(text("UPDATE publication SET body = 'as stored'"))
    served = feeds.document("all", "rss", settings=settings, now=NOW)
    assert served is not None
    assert served.body == b"as stored"
    with transaction() as session:
        publications.bump(session, NOW)
    served = feeds.document("all", "rss", settings=settings, now=NOW)
    assert served is not None
    assert served.body != b"as stored"


def test_an_older_rendering_never_takes_the_place_of_a_newer_one(settings: Settings) -> None:
    with transaction() as session:
        feed = publications.wanted(session, "rss", NOW)[0]
        document = publications.Stored(7, '"x"', b"newer", NOW, NOW + timedelta(hours=1))
        publications.keep(session, feed, "rss", document)
        publications.keep(session, feed, "rss", replace(document, version=6, body=b"older"))
        found = publications.stored(session, "rss", "all", "rss")
    assert found is not None
    assert found.body == b"newer"


def test_reading_a_feed_is_noted_once_and_makes_it_wanted(settings: Settings) -> None:
    regions("CN-AH")
    for _ in range(3):
        feeds.document("CN-AH/fr", "rss", settings=settings, now=NOW)
    with transaction() as session:
        rows = session.execute(text("SELECT channel, key, language, asked_at FROM feed")).all()
        assert [tuple(row) for row in rows] == [("rss", "CN-AH/fr", "fr", NOW)]
        assert len(publications.wanted(session, "rss", NOW)) == 2
        assert len(publications.wanted(session, "rss", NOW + timedelta(days=2))) == 1  # `all` always


def test_a_database_that_cannot_be_written_still_answers(settings: Settings) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE feed ADD CONSTRAINT no_room CHECK (false) NOT VALID"))
    try:
        assert feeds.document("all", "rss", settings=settings, now=NOW) is not None
    finally:
        with transaction() as session:
            assert session.execute(text("SELECT count(*) FROM feed")).scalar_one() == 0
            session.execute(text("ALTER TABLE feed DROP CONSTRAINT no_room"))


@pytest.mark.parametrize(
    "key", ["XX-99", "all/", "all/!!", "all/xx", "all/fr/x", "", "/fr", "all/" + "x" * 200]
)
def test_what_is_no_feed_is_none(settings: Settings, key: str) -> None:
    assert feeds.document(key, "rss", settings=settings, now=NOW) is None
    assert feeds.document("all", "exe", settings=settings, now=NOW) is None


def test_one_feed_has_one_key() -> None:
    assert read("all/zh-cn") == read("ALL/ZH-CN") == FeedAddress(None, "zh-CN")
    address = read("CN-AH/FR")
    assert address is not None
    assert address.key == "CN-AH/fr"


def test_texts_of_a_document_are_text_in_every_medium(settings: Settings) -> None:
    hostile = "<script>alert(1)</script> & ]]>"
    told = alert(info(headline=hostile, description=hostile, sender_name=hostile))
    issue(told, now=NOW, ground=list(regions("CN-AH").values()))
    for media in ("rss", "atom"):
        served = feeds.document("all", media, settings=settings, now=NOW)
        assert served is not None
        assert b"<script" not in served.body
    assert "script" in parsed("all", settings).entries[0].title


def test_the_etag_of_a_region_stays_while_only_others_change(settings: Settings) -> None:
    ids = regions("CN-AH", "CN-JS")
    issue(alert(ENGLISH), now=NOW, ground=[ids["CN-AH"]])
    before = feeds.document("CN-AH", "rss", settings=settings, now=NOW)
    issue(alert(ENGLISH, identifier="flood-2"), now=NOW + timedelta(minutes=5), ground=[ids["CN-JS"]])
    after = feeds.document("CN-AH", "rss", settings=settings, now=NOW + timedelta(minutes=6))
    assert before is not None
    assert after is not None
    assert (before.etag, before.body) == (after.etag, after.body)
    assert after.version > before.version
