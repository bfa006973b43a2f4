"""The HTTP side of Twilio's SDK: HTTP/1.1 on bare asyncio protocols, made for many small requests in one loop.

Owns connections, time-outs, the proxy and the rewriting of the API's origin; the wire format is in http_wire. Must not
know what a message is. Invariant: a failure says whether the request may have arrived (NotSent, ReplyLost), and nothing
is logged, since URLs, headers and bodies hold credentials and phone numbers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from base64 import b64encode
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from channels.http_wire import Reply, ReplyBuffer, WireError

IDLE = 15.0  # seconds that a connection is kept without a request: below what load balancers allow
TICK = 0.5  # seconds between two looks at the time-outs

_silent = logging.getLogger("channels.twilio_http.silent")


class NotSent(OSError):
    """No connection was made: the request did not leave."""

    def __init__(self, what: str, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.timed_out = timed_out


class ReplyLost(OSError):
    """The request left and no whole reply came: it may or may not have been carried out."""

    def __init__(self, what: str, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.timed_out = timed_out


class LoopHttpClient(AsyncHttpClient):  # type: ignore[misc]  # the SDK ships no types
    """What `twilio.rest.Client.request_async` sends with; made, used and closed in one event loop.

    Sends every request to `origin` in place of https://<product>.twilio.com. Time-outs are seconds. `data` is ready
    bytes, urlencoded: the SDK passes them through as they are. As many connections as requests at once.
    """

    def __init__(
        self, origin: str, *, connect_timeout: float, read_timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(_silent, is_async=True)
        self.loop = asyncio.get_running_loop()
        parts = urlsplit(origin)
        secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if secure else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._path = parts.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if secure else None
        self._proxy = _proxy(parts.scheme, self._host) if secure else None
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._heads: dict[tuple[object, ...], bytes] = {}
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._watch = self.loop.call_later(TICK, self._look)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: Any = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # the SDK's signature; the client's own apply
        allow_redirects: bool = False,  # noqa: ARG002  # never followed: they would carry the credentials elsewhere
    ) -> Response:
        """One request; raises NotSent or ReplyLost."""
        if params or not isinstance(data, bytes):
            raise TypeError("parameters belong into the URL and data must be ready bytes")
        key = (method, url, auth, *(headers or {}).items())
        head = self._heads.get(key) or self._head(key, method, url, headers or {}, auth)
        request = b"%b%d\r\n\r\n%b" % (head, len(data), data)
        connection = self._idle.pop() if self._idle else await self._connect()
        reply = await connection.exchange(request)
        if reply.keep_alive and not connection.transport.is_closing():
            self._idle.append(connection)
        else:
            connection.transport.close()
        return Response(reply.status, reply.body.decode("utf-8", "replace"), reply.headers)

    async def close(self) -> None:
        """Close every connection."""
        self._watch.cancel()
        for connection in list(self._all):
            connection.transport.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # lets the transports close their sockets

    def _head(
        self,
        key: tuple[object, ...],
        method: str,
        url: str,
        headers: dict[str, str],
        auth: tuple[str, str] | None,
    ) -> bytes:
        """Everything before the length, kept: the SDK asks for the same in each request."""
        parts = urlsplit(url)
        target = self._path + parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if auth is not None:
            lines.append("Authorization: Basic " + b64encode(f"{auth[0]}:{auth[1]}".encode()).decode())
        if any(not line.isprintable() for line in lines):
            raise ValueError("a header holds a control character")
        head = "\r\n".join([*lines, "Content-Length: "]).encode("latin-1")
        # One in practice; a bound all the same. A look-up's URL holds a number and comes once.
        if method == "POST" and len(self._heads) < 64:
            self._heads[key] = head
        return head

    async def _connect(self) -> _Connection:
        try:
            async with asyncio.timeout(self._connect_timeout):
                if self._proxy is not None:
                    connection = await self._tunnel(self._proxy)
                else:
                    _, connection = await self.loop.create_connection(
                        lambda: _Connection(self), self._host, self._port, ssl=self._tls
                    )
        except TimeoutError as error:
            raise NotSent("no connection in time", timed_out=True) from error
        except NotSent:
            raise
        except OSError as error:  # ReplyLost too: it was the proxy's
            raise NotSent(type(error).__name__) from error
        return connection

    async def _tunnel(self, proxy: str) -> _Connection:
        """A TLS connection through an HTTP proxy (RFC 9110, 9.3.6)."""
        parts = urlsplit(proxy)
        _, connection = await self.loop.create_connection(
            lambda: _Connection(self), parts.hostname or "", parts.port or 80
        )
        lines = f"CONNECT {self._host}:{self._port} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        if parts.username:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            lines += f"Proxy-Authorization: Basic {b64encode(user.encode()).decode()}\r\n"
        reply = await connection.exchange(f"{lines}\r\n".encode(), bodiless=True)
        if reply.status != 200 or self._tls is None:
            connection.transport.abort()
            raise NotSent(f"proxy {reply.status}")
        plain = connection.transport
        transport = await self.loop.start_tls(plain, connection, self._tls, server_hostname=self._host)
        if not isinstance(transport, asyncio.Transport):
            raise NotSent("no TLS through the proxy")
        connection.transport = transport
        return connection

    def _look(self) -> None:
        """Time-outs of all connections by one timer: a timer for each request would cost more than the request."""
        self._watch = self.loop.call_later(TICK, self._look)
        now = self.loop.time()
        for connection in list(self._all):
            connection.check(now, self._read_timeout)

    # ---- for the connections ----

    def opened(self, connection: _Connection) -> None:
        self._all.add(connection)

    def closed(self, connection: _Connection) -> None:
        self._all.discard(connection)
        with suppress(ValueError):
            self._idle.remove(connection)


class _Connection(asyncio.Protocol):
    """One connection: a request, then its reply."""

    transport: asyncio.Transport

    def __init__(self, client: LoopHttpClient) -> None:
        self._client = client
        self._buffer = ReplyBuffer()
        self._waiter: asyncio.Future[Reply] | None = None
        self._since = client.loop.time()

    def exchange(self, request: bytes, *, bodiless: bool = False) -> asyncio.Future[Reply]:
        """Send ready bytes; `bodiless` for CONNECT, whose reply ends with its head."""
        loop = self._client.loop
        self._buffer.bodiless = bodiless
        self._since = loop.time()
        waiter = self._waiter = loop.create_future()
        if self.transport.is_closing():
            self._fail("closed", timed_out=False)
        else:
            self.transport.write(request)
        return waiter

    def check(self, now: float, read_timeout: float) -> None:
        if self._waiter is None:
            if now - self._since > IDLE:
                self.transport.close()
        elif now - self._since > read_timeout:
            self._fail("no reply in time", timed_out=True)
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport
        self._client.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            reply = self._buffer.feed(data)
        except WireError:
            reply = None
            self._fail("no HTTP reply", timed_out=False)
            self.transport.abort()
        if reply is None:
            return
        waiter, self._waiter = self._waiter, None
        if waiter is None:  # nobody asked: not a connection to go on with
            self.transport.abort()
        elif not waiter.done():
            waiter.set_result(reply)

    def connection_lost(self, error: Exception | None) -> None:
        reply = self._buffer.end() if error is None else None
        if reply is not None and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(reply)
            self._waiter = None
        self._fail(type(error).__name__ if error is not None else "closed", timed_out=False)
        self._client.closed(self)

    def _fail(self, what: str, *, timed_out: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(ReplyLost(what, timed_out=timed_out))


def loopback(host: str) -> bool:
    """Whether `host` is this machine, by its spelling alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxy(scheme: str, host: str) -> str | None:
    """The environment's proxy for `scheme`; never for loopback."""
    return None if loopback(host) or proxy_bypass(host) else getproxies().get(scheme)
