from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from alerting.cap import xml
from alerting.cap.model import Alert, Area, MsgType, Reference, Scope, Status
from alerting.store import tables
from alerting.store.engine import transaction
from tests.feeds.rows import issue, regions
from tests.wording.samples import ENGLISH, info

Flood = Callable[..., Alert]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def put(told: Alert, now: datetime, **more: object) -> str:
    """Issue a warning; the slug of its page."""
    with transaction() as session:
        ground = session.execute(text("SELECT id FROM region")).scalars().all() or None
    given = list(ground) if ground else list(regions("CN-AH").values())
    alert_id = issue(told, now=now, ground=given, **more)  # type: ignore[arg-type] # a test names them
    return alert_id.hex[:8]


def test_the_page_says_it_in_the_readers_language_first_and_in_all(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    slug = put(flood(), now)
    answer = client.get(f"/w/{slug}", headers={"Accept-Language": "de, ar-EG;q=0.8, en;q=0.5"})
    tags = Tags(answer.text).found
    assert tags[0] == ("html", {"lang": "ar", "dir": "rtl"})
    sections = [(a["lang"], a["dir"]) for tag, a in tags if tag == "section"]
    assert sections == [("ar", "rtl"), ("en", "ltr"), ("zh-Hans", "ltr")]
    for part in (
        "تحذير من فيضان",
        "Flood in the lower valley",
        "洪水橙色预警",
        "Move to higher ground now.",
        "العربية",
    ):
        assert part in answer.text
    assert Tags(client.get(f"/w/{slug}?lang=zh-CN").text).found[0] == (
        "html",
        {"lang": "zh-Hans", "dir": "ltr"},
    )
    assert Tags(client.get(f"/w/{slug}").text).found[0] == ("html", {"lang": "en", "dir": "ltr"})


def test_the_page_has_every_segment(client: FlaskClient, flood: Flood, now: datetime) -> None:
    told = flood(
        ENGLISH,
        info(headline="Flood in the upper valley", area=(Area("Upper valley", circle=("30,117 5",)),)),
    )
    page = client.get(f"/w/{put(told, now)}").text
    assert "Flood in the lower valley" in page
    assert "Upper valley" in page


def test_the_page_is_small_and_may_load_and_run_nothing(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    answer = client.get(f"/w/{put(flood(), now)}")
    assert len(answer.data) < 10_000
    assert not {tag for tag, _ in Tags(answer.text).found} & {"script", "img", "iframe"}
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_style_is_the_one_that_the_policy_names(client: FlaskClient, app: Flask) -> None:
    answer = client.get("/")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


HOSTILE = "<script>alert(1)</script><b onclick=x>\"'{{ 7 * 7 }}"


def test_texts_of_a_document_are_text(client: FlaskClient, flood: Flood, now: datetime) -> None:
    told = flood(
        info(
            headline=HOSTILE,
            description=HOSTILE,
            instruction=HOSTILE,
            sender_name=HOSTILE,
            contact=HOSTILE,
            web="javascript:alert(1)",
            area=(Area(HOSTILE, circle=("30,117 5",)),),
        ),
        note=HOSTILE,
    )
    slug = put(told, now)
    for path in (f"/w/{slug}", "/"):
        answer = client.get(path).text
        assert "<script" not in answer
        assert "<b onclick" not in answer
        assert "javascript:" not in answer
        assert "{{ 7 * 7 }}" in answer


@pytest.mark.parametrize(
    ("kind", "state", "banner"),
    [
        (MsgType.UPDATE, "superseded", "This warning has been replaced by a newer message."),
        (MsgType.CANCEL, "cancelled", "This warning has been cancelled."),
    ],
)
def test_a_page_that_is_not_the_newest_word_says_so_and_leads_to_it(
    client: FlaskClient, flood: Flood, now: datetime, kind: MsgType, state: str, banner: str
) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(flood(), now=now, ground=ground)
    refers = (Reference("water@example.org", "flood-1", now),)
    middle = issue(
        flood(identifier="flood-2", msg_type=MsgType.UPDATE, references=refers),
        now=now,
        ground=ground,
        replaces=[first],
    )
    last = issue(
        flood(identifier="flood-3", msg_type=kind, references=refers),
        now=now,
        ground=ground,
        replaces=[middle],
        ended=state,
    )
    page = client.get(f"/w/{middle.hex[:8]}").text
    assert banner in page
    assert f"/w/{last.hex[:8]}" in page
    assert (
        f"/w/{last.hex[:8]}" in client.get(f"/w/{first.hex[:8]}").text
    )  # the end of the chain, not the next link
    page = client.get(f"/w/{last.hex[:8]}").text
    assert ("This message ends an earlier warning." in page) == (kind is MsgType.CANCEL)
    assert 'class="banner"' not in page or kind is MsgType.CANCEL


def test_a_warning_that_has_expired_says_so_before_and_after_the_sweep(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    slug = put(flood(ENGLISH, sent=now - timedelta(hours=3)), now)
    assert "This warning has expired." not in client.get(f"/w/{slug}").text
    old = replace(
        ENGLISH,
        effective=now - timedelta(hours=2),
        expires=now - timedelta(hours=1),
        headline="Yesterday's flood",
    )
    told = replace(flood(ENGLISH, identifier="flood-2", sent=now - timedelta(hours=3)), info=(old,))
    slug = put(told, now)
    assert client.get(f"/w/{slug}").text.count("This warning has expired.") == 1
    with transaction() as session:
        session.execute(text("UPDATE alert_state SET state = 'expired'"))
    assert client.get(f"/w/{slug}").text.count("This warning has expired.") == 1


def test_a_warning_that_is_not_yet_in_effect_says_so(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    slug = put(flood(replace(ENGLISH, effective=now + timedelta(minutes=30))), now)
    assert "This warning is not yet in effect." in client.get(f"/w/{slug}").text


def test_a_cancel_without_info_has_a_page_in_the_languages_of_its_texts(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    ground = list(regions("CN-AH").values())
    first = issue(flood(), now=now, ground=ground)
    refers = (Reference("water@example.org", "flood-1", now),)
    silent = replace(flood(identifier="flood-2", msg_type=MsgType.CANCEL, references=refers), info=())
    last = issue(silent, now=now, ground=ground, replaces=[first], ended="cancelled")
    with transaction() as session:
        for language, words in (("en", "CANCELLED: Flood"), ("ar", "إلغاء: فيضان"), ("mul", "both")):
            session.execute(
                insert(tables.rendering).values(
                    alert=last, segment=-1, channel="web", language=language, subject=words, text="Lower valley",
                    segments=1, sha256=b"",
                )
            )  # fmt: skip
    page = client.get(f"/w/{last.hex[:8]}?lang=ar").text
    assert "إلغاء: فيضان" in page
    assert "CANCELLED: Flood" in page
    assert "both" not in page


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.EXERCISE}, {"scope": Scope.PRIVATE, "addresses": ("a",)}, {"approved": False}],
)
def test_what_is_not_for_the_public_has_no_page_and_no_document(
    client: FlaskClient, flood: Flood, now: datetime, changes: dict[str, object]
) -> None:
    approved = changes.pop("approved", True)
    told = flood(**changes)
    alert_id = issue(told, now=now, ground=list(regions("CN-AH").values()), approved=bool(approved))
    assert client.get(f"/w/{alert_id.hex[:8]}").status_code == 404
    assert client.get(f"/cap/{alert_id}.xml").status_code == 404


def test_a_page_that_does_not_exist_says_so_in_the_readers_language(client: FlaskClient) -> None:
    answer = client.get("/w/nothing", headers={"Accept-Language": "fr"})
    assert answer.status_code == 404
    assert "Cette alerte n&#39;existe pas." in answer.text


def test_the_cap_document_is_the_stored_bytes(client: FlaskClient, flood: Flood, now: datetime) -> None:
    told = flood()
    alert_id = issue(told, now=now, ground=list(regions("CN-AH").values()))
    answer = client.get(f"/cap/{alert_id}.xml")
    assert answer.content_type == "application/cap+xml"
    assert answer.data == xml.write(told)
    again = client.get(f"/cap/{alert_id}.xml", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/cap/x.xml").status_code == 404


def test_the_front_page_lists_what_is_in_force_and_the_feeds(
    client: FlaskClient, flood: Flood, now: datetime
) -> None:
    assert "No warning is in force." in client.get("/").text
    slug = put(flood(), now)
    answer = client.get("/", headers={"Accept-Language": "zh-CN"})
    assert "1 条预警生效中。" in answer.text
    assert "洪水橙色预警" in answer.text
    assert f"/w/{slug}" in answer.text
    links = [a for tag, a in Tags(answer.text).found if tag == "link"]
    assert [a["type"] for a in links] == [
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
    ]
    assert all(str(a["href"]).startswith("http://127.0.0.1:8000/feeds/all/zh-Hans.") for a in links)
    again = client.get("/", headers={"Accept-Language": "zh-CN", "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_robots_are_kept_from_links_that_are_secrets(client: FlaskClient) -> None:
    assert "Disallow: /unsubscribe/" in client.get("/robots.txt").text


def test_every_view_says_that_it_is_public(app: Flask) -> None:
    views = {rule.endpoint: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}
    ours = {name: getattr(view, "access", None) for name, view in views.items() if name.startswith("public.")}
    assert len(ours) == 7
    assert set(ours.values()) == {"public"}
