"""Bare asyncio clients: the least that can post a text or hand in a mail, to find the sandbox's own limit.

Owns no measurement. Ready bytes in, one reply awaited per message, as many connections as asked; nothing of a reply is
looked at but its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

PATH = "/2010-04-01/Accounts/AC1/Messages.json"

Mail = tuple[bytes, bytes]  # envelope; dot-stuffed and ended body


class _Client(asyncio.Protocol):
    """One connection that ends its future when it is closed."""

    transport: asyncio.Transport

    def __init__(self, ended: asyncio.Future[None]) -> None:
        self.ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.begin()

    def begin(self) -> None:
        raise NotImplementedError

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class _Poster(_Client):
    """Keep-alive HTTP: the next request when the reply's last bytes are here."""

    def __init__(self, requests: Iterator[bytes], ended: asyncio.Future[None]) -> None:
        super().__init__(ended)
        self.requests = requests

    def begin(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"}"):  # the sandbox's body is one JSON object
            self.begin()


class _Mailer(_Client):
    """SMTP with PIPELINING: each body goes with the next envelope behind it."""

    def __init__(self, mails: Iterator[Mail], ended: asyncio.Future[None]) -> None:
        super().__init__(ended)
        self.mails = mails
        self.body = b""
        self.last = False

    def begin(self) -> None:
        self.transport.write(b"EHLO bench\r\n")

    def data_received(self, data: bytes) -> None:
        if data.endswith((b"354 go on\r\n", b"250 ENHANCEDSTATUSCODES\r\n")):
            following = next(self.mails, None)
            self.last = following is None
            envelope, body = following or (b"", b"")
            self.transport.write(self.body + envelope or b"QUIT\r\n")
            self.body = body
        elif self.last and data.endswith(b"OK\r\n"):
            self.transport.close()


def post(url: str, bodies: Iterator[bytes], connections: int, *, headers: bytes = b"") -> None:
    """Post every form, with these ready header lines; returns when each has its reply."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n".encode() + headers + b"Content-Length: "
    )
    requests = (b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in bodies)
    asyncio.run(_run(url, connections, lambda ended: _Poster(requests, ended)))


def mail(url: str, mails: Iterator[Mail], connections: int) -> None:
    """Hand in every mail; returns when each has its reply."""
    asyncio.run(_run(url, connections, lambda ended: _Mailer(mails, ended)))


async def _run(url: str, connections: int, client: Callable[[asyncio.Future[None]], _Client]) -> None:
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for ended in ends:
        await loop.create_connection(partial(client, ended), parts.hostname or "", parts.port or 0)
    await asyncio.gather(*ends)
