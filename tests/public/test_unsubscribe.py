from __future__ import annotations

from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import insert, select

from alerting.store import tables
from alerting.store.engine import transaction


def follower(now: datetime) -> str:
    """A subscriber with a mailbox and a telephone; the token of the unsubscribe link."""
    token = "t0ken-of-an-unsubscribe-link"
    with transaction() as session:
        subscriber = session.execute(
            insert(tables.subscriber)
            .values(language="ar", token=token, source="api", consent_at=now)
            .returning(tables.subscriber.c.id)
        ).scalar_one()
        for channel in ("email", "sms"):
            session.execute(
                insert(tables.address).values(
                    channel=channel,
                    subscriber=subscriber,
                    state="active",
                    cipher=b"x",
                    key_id="k1",
                    mac=channel.encode(),
                )
            )
    return token


def states() -> dict[str, str]:
    with transaction() as session:
        found = session.execute(select(tables.address.c.channel, tables.address.c.state))
        return {row.channel: row.state for row in found}


def test_opening_the_link_asks_and_changes_nothing(client: FlaskClient, now: datetime) -> None:
    answer = client.get(f"/unsubscribe/{follower(now)}")
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert states() == {"email": "active", "sms": "active"}


def test_one_click_stops_the_mail_and_may_be_repeated(client: FlaskClient, now: datetime) -> None:
    token = follower(now)
    for _ in range(2):
        answer = client.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "You will get no more warnings at this address." in answer.text
    assert states() == {"email": "stopped", "sms": "active"}


def test_an_unknown_link_says_so_in_the_readers_language(client: FlaskClient, now: datetime) -> None:
    follower(now)
    answer = client.post("/unsubscribe/other", headers={"Accept-Language": "fr"})
    assert answer.status_code == 404
    assert "Ce lien n&#39;est pas valable" in answer.text
    assert states()["email"] == "active"
