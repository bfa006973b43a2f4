"""The counting mode: what it says about loss and repeats must be right, whatever way the bytes come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from queue import SimpleQueue
from urllib.parse import urlsplit

import pytest

from channels.base import Channel, Content, Message, SendResult, Status
from channels.sandbox.process import CountingProcess
from channels.smtp_email import SmtpConfig, SmtpEmail
from channels.twilio_sms import TwilioConfig, TwilioSms

PATH = "/2010-04-01/Accounts/AC1/Messages.json"


@pytest.fixture(scope="module")
def process() -> Iterator[CountingProcess]:
    with CountingProcess() as running:
        yield running


@pytest.fixture
def counting(process: CountingProcess) -> CountingProcess:
    process.reset()
    return process


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), 5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read(connection: socket.socket, replies: int, mark: bytes) -> bytes:
    data = b""
    while data.count(mark) < replies:
        more = connection.recv(65536)
        assert more, data
        data += more
    return data


def test_both_adapters_are_counted_recipient_by_recipient(counting: CountingProcess):
    def send(channel: Channel, to: list[str]) -> None:
        content = Content("Flood", "en", subject="Flood")
        results: SimpleQueue[SendResult] = SimpleQueue()
        run = channel.open((Message(n, f"7.{n}", a, content) for n, a in enumerate(to)), results)
        assert run.done.wait(20)
        got = [results.get() for _ in range(results.qsize())]
        assert [result.status for result in got] == [Status.ACCEPTED] * len(to)
        assert len({result.reference for result in got}) == len(to)
        channel.close()

    send(TwilioSms(TwilioConfig("AC1", "t", "MG1", counting.http_url)), ["+15551", "+15552", "+15552"])
    send(SmtpEmail(SmtpConfig(counting.smtp_url, "w@example.org")), ["p@example.org"] * 3 + ["q@example.org"])

    counts = counting.counts(recipients=True)
    assert counts["sms"] == {
        "received": 3,
        "distinct": 2,
        "repeated": 1,
        "recipients": {"+15551": 1, "+15552": 2},
    }
    assert counts["email"] == {
        "received": 4,
        "distinct": 2,
        "repeated": 2,
        "recipients": {"p@example.org": 3, "q@example.org": 1},
    }
    counting.reset()
    assert counting.counts()["sms"] == {"received": 0, "distinct": 0, "repeated": 0}


@pytest.mark.parametrize("size", [1, 7, 1000], ids=["byte by byte", "in pieces", "all at once"])
def test_texts_are_counted_however_their_bytes_are_cut(counting: CountingProcess, size: int):
    forms = [b"To=%2B15551&Body=x", b"Body=To%3D&To=%2B15552", b"Body=x&To=%2B15553&ValidityPeriod=1"]
    data = b"".join(
        b"POST %b HTTP/1.1\r\nHost: x\r\ncontent-length: %d\r\n\r\n%b" % (PATH.encode(), len(form), form)
        for form in forms
    )
    with connect(counting.http_url) as connection:
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
        replies = read(connection, 3, b'"price_unit": null}')

    assert replies.count(b"HTTP/1.1 201 Created\r\n") == 3
    sids = {part[:32] for part in replies.split(b'"sid": "SM')[1:]}
    assert len(sids) == 3
    assert counting.counts(recipients=True)["sms"]["recipients"] == {"+15551": 1, "+15552": 1, "+15553": 1}


@pytest.mark.parametrize("size", [1, 11, 1000], ids=["byte by byte", "in pieces", "all at once"])
def test_mails_are_counted_however_their_bytes_are_cut(counting: CountingProcess, size: int):
    envelope = b"MAIL FROM:<w@x.org>\r\nRCPT TO:<%b>\r\nDATA\r\n"
    mail = b"Subject: x\r\n\r\n..\r\nRCPT TO:<no@x.org>\r\n.\r\n"
    data = (
        b"EHLO x\r\n"
        + envelope % b"p@x.org"
        + mail
        + envelope % b"q@x.org"
        + b".\r\n"
        + b"RSET\r\nDATA\r\nQUIT\r\n"
    )
    with connect(counting.smtp_url) as connection:
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
        replies = read(connection, 1, b"221 2.0.0 bye\r\n")
        assert connection.recv(1) == b""

    assert b"250-PIPELINING\r\n" in replies
    assert replies.count(b"354 ") == 2
    assert b"503 5.5.1" in replies
    assert counting.counts(recipients=True)["email"]["recipients"] == {"p@x.org": 1, "q@x.org": 1}


def test_a_mail_without_its_final_dot_is_not_counted(counting: CountingProcess):
    with connect(counting.smtp_url) as connection:
        connection.sendall(b"EHLO x\r\nMAIL FROM:<w@x.org>\r\nRCPT TO:<p@x.org>\r\nDATA\r\nhalf\r\n")
        read(connection, 1, b"354 ")
    time.sleep(0.02)

    assert counting.counts()["email"]["received"] == 0


def test_a_text_without_recipient_and_an_unknown_path_are_refused(counting: CountingProcess):
    connection = HTTPConnection(urlsplit(counting.http_url).netloc, timeout=5)
    statuses = []
    for method, path, body in (("POST", PATH, "Body=x"), ("GET", "/", None), ("GET", "/counts", None)):
        connection.request(method, path, body)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()

    assert statuses == [400, 404, 200]


def test_it_tells_its_own_share_of_the_processor(counting: CountingProcess):
    before = counting.cpu()
    for _ in range(50):
        counting.counts()

    assert before > 0
    assert counting.cpu() >= before
