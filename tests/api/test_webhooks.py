"""What the SMS provider tells us: signed, or not heard."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from alerting import create_app
from alerting.config import Settings
from alerting.store import tables
from alerting.store.engine import transaction

NUMBER = "+12015550123"


def _signed(settings: Settings, path: str, form: dict[str, str]) -> dict[str, str]:
    address = settings.public_base_url + path
    signature = RequestValidator(settings.twilio_auth_token).compute_signature(address, form)
    return {"X-Twilio-Signature": signature}


def _receipts() -> list[tuple[str, int, int, str]]:
    with transaction() as session:
        columns = tables.receipt.c
        rows = session.execute(tables.receipt.select().order_by(columns.id))
        return [(row.event_id, row.dispatch, row.n, row.status) for row in rows]


def test_a_signed_status_becomes_a_receipt_once(client: FlaskClient, settings: Settings) -> None:
    path = "/webhooks/sms/status?delivery=7.42"
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER, "From": "+12015550199"}
    for _ in range(2):
        answer = client.post(path, data=form, headers=_signed(settings, path, form))
        assert (answer.status_code, answer.data) == (204, b"")
    assert _receipts() == [("SM1:delivered", 7, 42, "delivered")]
    with transaction() as session:
        assert NUMBER not in str(session.execute(text("SELECT raw FROM receipt")).scalars().all())


@pytest.mark.parametrize("path", ["/webhooks/sms/status?delivery=7.42", "/webhooks/sms/inbound"])
def test_an_unsigned_or_changed_request_is_403_and_stores_nothing(
    client: FlaskClient, settings: Settings, path: str
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "From": NUMBER, "Body": "STOP"}
    assert client.post(path, data=form).status_code == 403
    changed = {**form, "MessageStatus": "failed"}
    assert client.post(path, data=changed, headers=_signed(settings, path, form)).status_code == 403
    other = path.replace("7.42", "7.43").replace("inbound", "inbound?x=1")
    assert client.post(other, data=form, headers=_signed(settings, path, form)).status_code == 403
    assert _receipts() == []


def test_the_signature_covers_the_public_address_behind_a_proxy(settings: Settings) -> None:
    from dataclasses import replace

    public = replace(settings, public_base_url="https://warn.example/service")
    client = create_app(public).test_client()
    path = f"/webhooks/sms/status?delivery={quote('7.42')}"
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    assert client.post(path, data=form, headers=_signed(public, path, form)).status_code == 204


@pytest.mark.usefixtures("country")
def test_a_text_to_join_is_answered_through_the_outbox(client: FlaskClient, settings: Settings) -> None:
    path = "/webhooks/sms/inbound"
    form = {"MessageSid": "SM2", "From": NUMBER, "To": "+12015550199", "Body": "JOIN XA-S"}
    answer = client.post(path, data=form, headers=_signed(settings, path, form))
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM follow")).scalar_one() == 1
        assert session.execute(text("SELECT channel FROM dispatch")).scalars().all() == ["sms"]


def test_a_channel_that_this_installation_has_not_is_404(app: Flask, client: FlaskClient) -> None:
    assert client.post("/webhooks/pigeon/status").status_code == 404
