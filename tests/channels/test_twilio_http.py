"""The HTTP client against servers that behave in ways that the sandbox does not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from channels.twilio_http import LoopHttpClient, NotSent, ReplyLost, loopback

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"


@asynccontextmanager
async def client_of(
    serve: Serve, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
) -> AsyncIterator[LoopHttpClient]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls[0] if tls else None)
    port = server.sockets[0].getsockname()[1]
    client = LoopHttpClient(
        f"{'https' if tls else 'http'}://127.0.0.1:{port}/base/",
        connect_timeout=2.0,
        read_timeout=0.2,
        tls=tls[1] if tls else None,
    )
    try:
        yield client
    finally:
        await client.close()
        server.close()
        await asyncio.sleep(0.01)  # for the server's side to see it


async def request_from(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def post(serve: Serve, times: int = 1) -> None:
    async with client_of(serve) as client:
        for _ in range(times):
            await client.request("POST", URL, data=b"To=1")


def test_one_connection_carries_request_after_request_with_the_origin_rewritten():
    seen: list[bytes] = []
    connections: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            seen.append(await request_from(reader))
            writer.write(OK)

    async def ask() -> None:
        async with client_of(serve) as client:
            for n in range(3):
                reply = await client.request(
                    "POST", URL, data=b"n=%d" % n, headers={"Accept": "x"}, auth=("u", "p")
                )
                assert (reply.status_code, reply.text) == (200, "ok")

    asyncio.run(ask())
    assert len(connections) == 1
    assert seen[2].startswith(
        b"POST /base/2010-04-01/Accounts/AC1/Messages.json HTTP/1.1\r\nHost: 127.0.0.1:"
    )
    assert b"\r\nAccept: x\r\nAuthorization: Basic dTpw\r\nContent-Length: 3\r\n" in seen[2]
    assert seen[2].endswith(b"\r\n\r\nn=2")


def test_a_connection_that_the_server_closes_after_its_reply_is_not_used_again():
    connections: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await request_from(reader)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    asyncio.run(post(serve, times=3))
    assert len(connections) == 3


@pytest.mark.parametrize(
    "said", [b"", OK[:-1], b"220 mail\r\n\r\n\r\n"], ids=["nothing", "half a reply", "no HTTP"]
)
def test_a_connection_lost_before_the_whole_reply_is_a_lost_reply(said: bytes):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(said)

    with pytest.raises(ReplyLost) as caught:
        asyncio.run(post(serve))
    assert not caught.value.timed_out


def test_a_reply_that_does_not_come_is_a_lost_reply_by_time():
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await asyncio.sleep(5)

    with pytest.raises(ReplyLost) as caught:
        asyncio.run(post(serve))
    assert caught.value.timed_out


def test_a_refused_connection_is_not_sent():
    async def ask() -> None:
        client = LoopHttpClient("http://127.0.0.1:1", connect_timeout=2.0, read_timeout=1.0)
        try:
            await client.request("POST", URL, data=b"")
        finally:
            await client.close()

    with pytest.raises(NotSent):
        asyncio.run(ask())


def test_requests_go_over_tls_and_a_certificate_that_does_not_verify_sends_nothing(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_from(reader))
        writer.write(OK)

    async def ask(trusting: ssl.SSLContext) -> None:
        async with client_of(serve, (tls[0], trusting)) as client:
            await client.request("POST", URL, data=b"To=1")

    asyncio.run(ask(tls[1]))
    assert len(seen) == 1
    with pytest.raises(NotSent):
        asyncio.run(ask(ssl.create_default_context()))
    assert len(seen) == 1


def test_an_https_origin_is_reached_through_the_proxy_of_the_environment(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
):
    asked: list[bytes] = []

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await writer.drain()
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(refusing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://user:p%40ss@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        client = LoopHttpClient("https://api.example", connect_timeout=2.0, read_timeout=1.0, tls=tls[1])
        try:
            await client.request("POST", URL, data=b"")
        finally:
            await client.close()
            server.close()

    with pytest.raises(NotSent, match="proxy 403"):
        asyncio.run(ask())
    assert asked[0].startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in asked[0]


def test_a_request_through_a_proxy_is_sent_over_tls_inside_the_tunnel(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
):
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        transport = await asyncio.get_running_loop().start_tls(
            writer.transport, writer.transport.get_protocol(), tls[0], server_side=True
        )
        reader._transport = transport  # type: ignore[attr-defined]  # as StreamWriter.start_tls does (Python 3.11)
        seen.append(await request_from(reader))
        assert transport is not None
        transport.write(OK)

    async def ask() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        client = LoopHttpClient("https://sandbox.example", connect_timeout=2.0, read_timeout=1.0, tls=tls[1])
        try:
            assert (await client.request("POST", URL, data=b"To=1")).text == "ok"
        finally:
            await client.close()
            server.close()

    asyncio.run(ask())
    assert seen[0].endswith(b"\r\n\r\nTo=1")


def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")

    async def proxy() -> object:
        client = LoopHttpClient("https://127.0.0.1:9", connect_timeout=1.0, read_timeout=1.0)
        await client.close()
        return client._proxy

    assert asyncio.run(proxy()) is None
    assert [loopback(host) for host in ("127.0.0.1", "::1", "localhost", "api.twilio.com")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_header_with_a_line_break_is_not_sent():
    async def ask() -> None:
        client = LoopHttpClient("http://127.0.0.1:1", connect_timeout=1.0, read_timeout=1.0)
        try:
            await client.request("POST", URL, data=b"", headers={"X": "a\r\nY: b"})
        finally:
            await client.close()

    with pytest.raises(ValueError, match="control"):
        asyncio.run(ask())
