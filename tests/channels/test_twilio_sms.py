"""The request to Twilio, and the reading of its webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from channels.base import (
    BadSignature,
    Content,
    InboundEvent,
    Message,
    Misconfigured,
    Reason,
    ReceiptEvent,
    Status,
    Webhook,
)
from channels.twilio_sms import CONTENTS_KEPT, TwilioConfig, TwilioSms

SID = "AC" + "0" * 32
SERVICE = "MG" + "0" * 32
CALLBACK = "https://warnings.example/webhooks/sms/status"
TEXT = Content("Überflutung & 水害: go → up", "de")


@pytest.fixture
def sms() -> Iterator[TwilioSms]:
    channel = TwilioSms(TwilioConfig(SID, "token", SERVICE, status_callback=CALLBACK))
    yield channel
    channel.close()


def form(sms: TwilioSms, message: Message) -> dict[str, str]:
    return dict(parse_qsl(sms._body(message).decode("ascii"), strict_parsing=True))


def test_the_form_holds_recipient_text_sender_validity_and_callback(sms: TwilioSms):
    assert form(sms, Message(1, "12.34", "+4915112345678", TEXT, validity=90.7)) == {
        "To": "+4915112345678",
        "Body": TEXT.text,
        "MessagingServiceSid": SERVICE,
        "ValidityPeriod": "90",
        "StatusCallback": f"{CALLBACK}?delivery=12.34",
    }


@pytest.mark.parametrize(
    ("validity", "sent"), [(0.4, "1"), (1.0, "1"), (36000.0, "36000"), (90000.0, "36000")]
)
def test_the_validity_period_stays_within_what_twilio_takes(sms: TwilioSms, validity: float, sent: str):
    assert form(sms, Message(1, "1.1", "+15550001", TEXT, validity=validity))["ValidityPeriod"] == sent


def test_without_a_limit_no_validity_period_is_sent(sms: TwilioSms):
    assert "ValidityPeriod" not in form(sms, Message(1, "1.1", "+15550001", TEXT))


def test_an_odd_delivery_or_number_cannot_add_a_field(sms: TwilioSms):
    sent = form(sms, Message(1, "1&From=x/ü", "+1&Body=y", TEXT))

    assert parse_qs(urlsplit(sent["StatusCallback"]).query) == {"delivery": ["1&From=x/ü"]}
    assert sent["To"] == "+1&Body=y"
    assert sent["Body"] == TEXT.text
    assert "From" not in sent


def test_a_callback_url_with_a_query_keeps_it():
    channel = TwilioSms(TwilioConfig(SID, "token", SERVICE, status_callback=f"{CALLBACK}?tenant=a"))

    assert (
        form(channel, Message(1, "1.2", "+15550001", TEXT))["StatusCallback"]
        == f"{CALLBACK}?tenant=a&delivery=1.2"
    )


def test_ready_texts_do_not_pile_up(sms: TwilioSms):
    for n in range(3 * CONTENTS_KEPT):
        content = Content(f"text {n}", "en")
        assert form(sms, Message(n, "1.1", "+15550001", content))["Body"] == f"text {n}"

    assert len(sms._contents) <= CONTENTS_KEPT


@pytest.mark.parametrize(
    "given",
    [
        {"auth_token": ""},
        {"messaging_service_sid": ""},
        {"api_base_url": "ftp://twilio.example"},
        {"status_callback": "/webhooks"},
    ],
)
def test_an_unusable_configuration_is_refused_by_name_without_secrets(given: dict[str, str]):
    whole: dict[str, Any] = {
        "account_sid": SID,
        "auth_token": "s3cret",
        "messaging_service_sid": SERVICE,
        **given,
    }
    with pytest.raises(Misconfigured) as caught:
        TwilioConfig(**whole)

    assert next(iter(given)) in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(TwilioConfig(SID, "s3cret", SERVICE))


# ---- webhooks ----


def webhook(url: str, form: dict[str, str], token: str = "token") -> Webhook:
    signature = RequestValidator(token).compute_signature(url, form)
    query = dict(parse_qsl(urlsplit(url).query))
    return Webhook(url, "POST", {"x-twilio-signature": signature}, form, query)


STATUS = {
    "MessageSid": "SM1",
    "MessageStatus": "undelivered",
    "ErrorCode": "30006",
    "AccountSid": SID,
    "From": "+15005550006",
    "To": "+15550001234",
    "ToCity": "EXAMPLE",
    "FromZip": "12345",
    "ApiVersion": "2010-04-01",
}


def test_a_status_callback_becomes_a_receipt_without_personal_data(sms: TwilioSms):
    (event,) = sms.events(webhook(f"{CALLBACK}?delivery=12.34", STATUS))

    assert event == ReceiptEvent(
        "twilio",
        "SM1:undelivered",
        "12.34",
        Status.UNDELIVERED,
        Reason.LANDLINE,
        "SM1",
        {
            "MessageSid": "SM1",
            "MessageStatus": "undelivered",
            "ErrorCode": "30006",
            "AccountSid": SID,
            "ApiVersion": "2010-04-01",
        },
    )


def test_a_text_from_a_citizen_becomes_an_inbound_event(sms: TwilioSms):
    fields = {
        "MessageSid": "SM2",
        "From": "+15550001234",
        "To": "+15005550006",
        "Body": " join 42",
        "SmsStatus": "received",
    }
    url = "https://warnings.example/webhooks/sms/inbound"

    assert sms.events(webhook(url, fields)) == [InboundEvent("twilio", "SM2", "+15550001234", " join 42")]
    (stop,) = sms.events(webhook(url, {**fields, "Body": "STOP", "OptOutType": "STOP"}))
    assert isinstance(stop, InboundEvent)
    assert stop.opt_out == "STOP"


def test_a_signature_of_another_token_url_or_form_is_refused(sms: TwilioSms):
    url = f"{CALLBACK}?delivery=12.34"
    good = webhook(url, STATUS)
    forged = [
        webhook(url, STATUS, token="other"),
        Webhook(url, "POST", {}, STATUS, good.query),
        Webhook(f"{CALLBACK}?delivery=12.35", "POST", good.headers, STATUS, {"delivery": "12.35"}),
        Webhook(url, "POST", good.headers, {**STATUS, "MessageStatus": "delivered"}, good.query),
    ]

    for request in forged:
        with pytest.raises(BadSignature):
            sms.events(request)
