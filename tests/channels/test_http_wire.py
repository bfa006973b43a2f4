from __future__ import annotations

import pytest

from channels.http_wire import LIMIT, ReplyBuffer, WireError

PLAIN = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nRetry-After: 3\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: a\r\nOther: b\r\n\r\n"
BARE_END = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize("data", [PLAIN, CHUNKED, BARE_END], ids=["length", "chunked", "no trailer"])
def test_a_reply_is_the_same_however_its_bytes_are_cut(data: bytes):
    for cut in range(len(data)):
        buffer = ReplyBuffer()
        assert buffer.feed(data[:cut]) is None
        reply = buffer.feed(data[cut:])
        assert reply is not None
        assert (reply.body, reply.keep_alive) == (b"hello", True)


def test_one_reply_after_the_other_on_one_connection():
    buffer = ReplyBuffer()
    for _ in range(3):
        reply = buffer.feed(PLAIN)
        assert reply is not None
        assert (reply.status, reply.headers["retry-after"], reply.body) == (201, "3", b"hello")


def test_an_interim_reply_is_passed_over():
    reply = ReplyBuffer().feed(b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN)

    assert reply is not None
    assert reply.status == 201


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        PLAIN + b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_a_connection_is_not_used_again_when_it_ends_or_says_more_than_asked(data: bytes):
    reply = ReplyBuffer().feed(data)

    assert reply is not None
    assert not reply.keep_alive


def test_a_body_without_length_ends_with_the_connection():
    buffer = ReplyBuffer()
    assert buffer.feed(b"HTTP/1.1 200 OK\r\n\r\nhel") is None
    assert buffer.feed(b"lo") is None
    reply = buffer.end()

    assert reply is not None
    assert (reply.body, reply.keep_alive) == (b"hello", False)


def test_a_reply_cut_short_by_the_end_is_none():
    buffer = ReplyBuffer()
    buffer.feed(PLAIN[:-1])

    assert buffer.end() is None


@pytest.mark.parametrize(
    "data",
    [
        b"220 mail ESMTP\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"x" * (LIMIT + 1),
    ],
)
def test_what_is_no_reply_is_refused(data: bytes):
    with pytest.raises(WireError):
        ReplyBuffer().feed(data)
