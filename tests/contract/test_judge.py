"""Our requests to Twilio, judged by Twilio's own description of its API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from queue import SimpleQueue

import pytest

from alerting.config import Settings
from alerting.outlets import channel_from
from alerting.wording import render
from channels.base import Content, Message, SendResult, Status
from channels.twilio_sms import TwilioConfig, TwilioSms
from tests.contract import judge as bench
from tests.contract.conftest import SERVICE, SID, drained
from tests.contract.judge import Judge
from tests.wording.samples import ISSUER, LINK, alert, first, info

#: Prism needs some seconds to begin: one for all of these, in the group of the slow tests.
pytestmark = pytest.mark.slow

PATH = bench.MESSAGES.replace("{AccountSid}", SID)
CALLBACK = "https://warnings.example/webhooks/sms/status"
TO = "+15550001234"

TEXTS = {
    "English": "Flood warning. Move to higher ground.",
    "signs of a form": "100% & more = a+b; #1 ? \"x\" <y> 'z' \\ / ~ ü é",
    "GSM extension": "Until 7 pm {gate} [A] €5 ~ ^ | \\",
    "Chinese": "洪水橙色预警。请立即转移到高处。",
    "Arabic, from right to left": "تحذير من فيضان. انتقل إلى مكان مرتفع الآن.",
    "beyond the basic plane": "🌊 Flood 𝌆",
    "several lines": "Flood\r\nLower valley\n\nGo up.",
    "several segments": "The river rises quickly. " * 20,
    "as long as the API takes": "x" * 1600,
    "long and not GSM": "水" * 670,
}


@pytest.fixture(scope="module")
def sitting(shared_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    lacking = bench.missing()
    if lacking is not None:
        pytest.skip(f"Twilio's judge: {lacking}")
    log = tmp_path_factory.mktemp("judge") / "prism.log"
    with bench.sitting(shared_path / "twilio" / "twilio_api_v2010.json", log) as made:
        yield made


@pytest.fixture
def judge(sitting: Judge) -> Judge:
    sitting.forget()
    return sitting


def sent(channel: TwilioSms, messages: Sequence[Message]) -> dict[int, SendResult]:
    results: SimpleQueue[SendResult] = SimpleQueue()
    try:
        run = channel.open(iter(messages), results)
        assert run.done.wait(60)
        assert run.error is None
    finally:
        channel.close()
    return drained(results)


def sms(judge: Judge, callback: str | None = CALLBACK) -> TwilioSms:
    return TwilioSms(TwilioConfig(SID, "token", SERVICE, judge.url, callback, in_flight=4))


def assert_good(judge: Judge, results: dict[int, SendResult], count: int) -> None:
    """Each was accepted, by Prism's word and by the adapter's, and holds no name unknown to Twilio."""
    assert [(one.status, one.answer[:300]) for one in judge.asked if one.status != 201] == []
    assert len(judge.asked) == len(results) == count
    assert {result.status for result in results.values()} == {Status.ACCEPTED}
    assert all(result.reference for result in results.values())
    assert judge.unknown() == set()


def test_texts_of_every_language_and_length_are_accepted_and_arrive_whole(judge: Judge) -> None:
    messages = [
        Message(n, f"7.{n}", f"+1555{n:07d}", Content(text, "en"), 600.0)
        for n, text in enumerate(TEXTS.values())
    ]
    results = sent(sms(judge), messages)

    assert_good(judge, results, len(TEXTS))
    assert {dict(one.form)["Body"] for one in judge.asked} == set(TEXTS.values())


def test_rendered_warnings_of_every_language_are_accepted(judge: Judge) -> None:
    told = alert()
    long = alert(info(description="The river rises quickly. " * 100))
    rendered = [
        render(told, first(told), "sms", language, ISSUER, LINK) for language in ("en", "zh-Hans", "ar")
    ]
    rendered.append(render(long, first(long), "sms", "en", ISSUER, LINK))
    assert max(each.segments for each in rendered) > 2
    messages = [
        Message(n, f"8.{n}", TO, Content(each.text, each.language, segments=each.segments), 3600.0)
        for n, each in enumerate(rendered)
    ]

    assert_good(judge, sent(sms(judge), messages), len(messages))


@pytest.mark.parametrize("validity", [None, 0.2, 1.0, 599.9, 36_000.0, 86_400.0])
def test_every_validity_is_accepted(judge: Judge, validity: float | None) -> None:
    results = sent(sms(judge), [Message(1, "7.1", TO, Content("Flood.", "en"), validity)])

    assert_good(judge, results, 1)
    assert ("ValidityPeriod" in dict(judge.asked[0].form)) is (validity is not None)


@pytest.mark.parametrize("callback", [None, CALLBACK, f"{CALLBACK}?tenant=a%20b", "http://127.0.0.1:8000/x"])
def test_with_and_without_a_status_callback_requests_are_accepted(judge: Judge, callback: str | None) -> None:
    results = sent(sms(judge, callback), [Message(1, "9223372036854775807.1", TO, Content("Flood.", "en"))])

    assert_good(judge, results, 1)
    assert ("StatusCallback" in dict(judge.asked[0].form)) is (callback is not None)


def test_the_channel_that_the_settings_make_is_accepted(judge: Judge) -> None:
    settings = Settings(
        database_url="postgresql://127.0.0.1:9/x",
        redis_url="redis://127.0.0.1:9/0",
        secret_key="x",
        address_keys=(("k", bytes(32)),),
        address_mac_key=bytes(32),
        public_base_url="https://warnings.example",
        twilio_account_sid=SID,
        twilio_auth_token="token",
        twilio_messaging_service_sid=SERVICE,
        twilio_api_base_url=judge.url,
    )
    channel = channel_from(settings, "sms")
    assert isinstance(channel, TwilioSms)

    assert_good(judge, sent(channel, [Message(1, "7.1", TO, Content("Flood.", "en"), 60.0)]), 1)


# ---- the look-up before a repeat ----


@pytest.mark.parametrize("to", [TO, "+8613912345678", "+1 555&From=x"])
def test_the_question_about_a_message_in_doubt_is_understood(judge: Judge, to: str) -> None:
    since = datetime(2026, 11, 22, 7, 5, tzinfo=timezone(timedelta(hours=8)))
    message = Message(1, "7.1", to, Content("Flood.", "en"), 600.0, doubt_since=since)
    (result,) = sent(sms(judge), [message]).values()

    # Prism's example holds texts to others: the message is asked for by date, then without, and sent.
    assert [(one.method, one.status) for one in judge.asked] == [("GET", 200), ("GET", 200), ("POST", 201)]
    dated, undated, _ = (dict(one.query) for one in judge.asked)
    assert dated == {"To": to, "PageSize": "50", "DateSent>": "2026-11-21T23:04:00Z"}
    assert undated == {"To": to, "PageSize": "50"}
    assert judge.unknown() == set()
    assert result.status is Status.ACCEPTED


@pytest.mark.parametrize("query", ["PageSize=many", "PageSize=1001", "Page=-1"])
def test_a_broken_question_is_refused(judge: Judge, query: str) -> None:
    assert judge.ask("GET", f"{PATH}?To=%2B15550001234&PageSize=50") == 200
    assert judge.ask("GET", f"{PATH}?To=%2B15550001234&{query}") == 422


# ---- the judge can say no ----


@pytest.mark.parametrize(
    "form",
    [
        "Body=Flood",
        f"To=%2B15550001234&Body=Flood&MessagingServiceSid={SERVICE}&ValidityPeriod=soon",
        "To=%2B15550001234&Body=Flood&MessagingServiceSid=MG1",
        f"To=%2B15550001234&Body=Flood&MessagingServiceSid={SERVICE}&StatusCallback=not%20a%20url",
        f"To=%2B15550001234&Body=Flood&MessagingServiceSid={SERVICE}&RiskCheck=perhaps",
    ],
    ids=["without To", "wrong type", "wrong sender", "wrong callback", "wrong word"],
)
def test_a_broken_request_is_refused(judge: Judge, form: str) -> None:
    assert judge.ask("POST", PATH, form) == 422


def test_another_account_and_another_method_are_refused(judge: Judge) -> None:
    form = f"To=%2B15550001234&Body=Flood&MessagingServiceSid={SERVICE}"
    assert judge.ask("POST", PATH, form) == 201
    assert judge.ask("POST", PATH.replace(SID, "AC1"), form) == 422
    assert judge.ask("PUT", PATH, form) == 405


def test_a_message_of_ours_without_a_recipient_is_refused_and_the_adapter_says_so(judge: Judge) -> None:
    class Forgetful(TwilioSms):
        def _body(self, message: Message) -> bytes:
            return super()._body(message).replace(b"&To=", b"&Too=")

    channel = Forgetful(TwilioConfig(SID, "token", SERVICE, judge.url))
    (result,) = sent(channel, [Message(1, "7.1", TO, Content("Flood.", "en"))]).values()

    assert [one.status for one in judge.asked] == [422]
    assert result.status is not Status.ACCEPTED
    assert judge.unknown() == {"Too"}  # which Prism by itself would let pass
