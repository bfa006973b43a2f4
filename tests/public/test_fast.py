from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import feedparser
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from alerting.cap.model import Alert, MsgType, Reference
from alerting.config import Settings
from alerting.public.fast import BELIEVED, FeedCache
from alerting.store.engine import transaction
from alerting.store.publications import bump
from tests.feeds.rows import issue, regions

Flood = Callable[..., Alert]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seconds = 100.0

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def fast(app: Flask, settings: Settings, clock: Clock) -> Client:
    cache = FeedCache(app.wsgi_app, settings, clock=lambda: clock.seconds, now=lambda: clock.now)
    return Client(cache)


def titles(answer: Any) -> list[str]:
    return [entry.title for entry in feedparser.parse(answer.data).entries]


def test_a_cancel_is_out_within_a_second_of_its_issue_without_workers(
    fast: Client, clock: Clock, flood: Flood
) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(flood(), now=clock.now, ground=ground)
    assert titles(fast.get("/feeds/all.rss")) == ["Flood in the lower valley"]
    cancel = flood(
        identifier="flood-2",
        msg_type=MsgType.CANCEL,
        references=(Reference("water@example.org", "flood-1", clock.now),),
    )
    issue(cancel, now=clock.now, ground=ground, replaces=[first], ended="cancelled")
    clock.pass_by(BELIEVED)
    assert titles(fast.get("/feeds/all.rss")) == []
    assert BELIEVED < 1


def test_an_expired_warning_is_gone_at_its_second(fast: Client, clock: Clock, flood: Flood) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    assert titles(fast.get("/feeds/CN-AH.atom")) == ["Flood in the lower valley"]
    clock.pass_by(59 * 60)
    assert titles(fast.get("/feeds/CN-AH.atom")) == []


def test_requests_in_between_cost_no_statement(
    fast: Client, clock: Clock, flood: Flood, statements: list[str]
) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    fast.get("/feeds/all.rss")
    statements.clear()
    for _ in range(100):
        assert fast.get("/feeds/all.rss").status_code == 200
    assert statements == []
    clock.pass_by(BELIEVED)
    for _ in range(100):
        fast.get("/feeds/all.rss")
    assert len([each for each in statements if "SELECT" in each]) == 1  # the version, once for all


def test_a_newer_version_met_while_rendering_is_believed(
    fast: Client, clock: Clock, flood: Flood, statements: list[str]
) -> None:
    fast.get("/feeds/all.rss")
    with transaction() as session:
        bump(session, clock.now)
    fast.get("/feeds/all.atom")  # reads the new version before the old one is too old to believe
    statements.clear()
    fast.get("/feeds/all.atom")
    assert statements == []


def test_a_reader_that_has_it_gets_304(fast: Client, clock: Clock, flood: Flood) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    answer = fast.get("/feeds/all/zh-Hans.rss")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    etag = answer.headers["ETag"]
    assert not etag.startswith("W/")
    for sent in (etag, f'"x", {etag}', "*", f"W/{etag}"):
        again = fast.get("/feeds/all/zh-Hans.rss", headers={"If-None-Match": sent})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert fast.get("/feeds/all/zh-Hans.rss", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_date_is_given_only_when_no_other_document_can_bear_it(
    fast: Client, clock: Clock, flood: Flood
) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    assert "Last-Modified" not in fast.get("/feeds/all.rss").headers
    clock.pass_by(1)
    since = {"If-Modified-Since": fast.get("/feeds/all.rss").headers["Last-Modified"]}
    assert fast.get("/feeds/all.rss", headers=since).status_code == 304


def test_head_has_the_headers_and_no_body(fast: Client, clock: Clock, flood: Flood) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    got, head = fast.get("/feeds/all.json"), fast.head("/feeds/all.json")
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(got.data)) == got.headers["Content-Length"]
    assert head.headers["ETag"] == got.headers["ETag"]
    assert got.headers["Content-Type"].startswith("application/feed+json")


def test_the_route_answers_the_same_without_the_layer(
    client: FlaskClient, fast: Client, clock: Clock, flood: Flood
) -> None:
    issue(flood(), now=clock.now, ground=list(regions("CN-AH").values()))
    for path in ("/feeds/all.rss", "/feeds/CN-AH/ar.atom", "/feeds/all.json"):
        one, other = client.get(path), fast.get(path)
        assert one.data == other.data
        assert one.headers["ETag"] == other.headers["ETag"]
        assert one.headers["Content-Type"] == other.headers["Content-Type"]


@pytest.mark.parametrize(
    "path", ["/feeds/XX-99.rss", "/feeds/all/xx.rss", "/feeds/all.exe", "/feeds/all", "/feeds/"]
)
def test_an_unknown_feed_says_what_there_is(fast: Client, path: str) -> None:
    answer = fast.get(path)
    assert answer.status_code == 404
    if path != "/feeds/":
        assert "There is no such feed." in answer.text
        assert "/feeds/all.rss" in answer.text


def test_what_is_no_feed_goes_on_to_the_application(settings: Settings) -> None:
    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["REQUEST_METHOD"].encode()]

    beyond = Client(FeedCache(application, settings))
    assert beyond.get("/w/x").data == b"GET"
    assert beyond.post("/feeds/all.rss").data == b"POST"
