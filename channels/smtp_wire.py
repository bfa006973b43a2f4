"""One SMTP connection on a bare asyncio protocol: opening, TLS, login, replies in order.

Owns RFC 5321, 3207 (STARTTLS), 4954 (AUTH) and 2920 (PIPELINING) as far as a sender needs them. Must not know what a
message is. Invariant: replies come in the order of the commands; a reply 421, a reply too long or too late and a lost
connection all end in Lost.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections import deque
from dataclasses import dataclass

from channels.base import Misconfigured
from channels.smtp_words import MISCONFIGURED, Reply

LINE_LIMIT = 64 * 1024  # bytes of an unfinished reply

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=[ \r\n]|$)").match


class Lost(OSError):
    """The connection is gone or given up; `what` is a code or a word, never a server's text."""

    def __init__(self, what: str, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """User and password."""

    user: str
    password: str


class SmtpConnection(asyncio.Protocol):
    """Write commands, await replies; one task at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Lost | None = None
        self.since = loop.time()  # of the last command
        self.extensions: dict[str, str] = {}
        self.reused = False  # from an earlier Run and not yet answered in this one

    @property
    def usable(self) -> bool:
        """Open, and the server has said nothing unasked (421 before it closes, mostly)."""
        return self._lost is None and not self._replies and self._transport is not None

    @property
    def pipelining(self) -> bool:
        return "PIPELINING" in self.extensions

    @property
    def smtputf8(self) -> bool:
        return "SMTPUTF8" in self.extensions

    def write(self, data: bytes) -> None:
        """Send without waiting."""
        self.since = self._loop.time()
        if self._lost is None and self._transport is not None:
            self._transport.write(data)

    async def reply(self) -> Reply:
        """The next reply; raises Lost, also for a 421."""
        while not self._replies:
            if self._lost is not None:
                raise self._lost
            self._waiter = self._loop.create_future()
            await self._waiter
        reply = self._replies.popleft()
        self.reused = False
        if reply.code == 421:
            self.abort(Lost(reply.raw))
            raise Lost(reply.raw)
        return reply

    async def ask(self, command: str) -> Reply:
        """One command and its reply."""
        self.write(command.encode("ascii") + b"\r\n")
        return await self.reply()

    async def hello(self) -> None:
        """EHLO with our address literal (RFC 5321, 4.1.3); fills `extensions`."""
        self.extensions = {}
        reply = await self.ask(f"EHLO {self._literal()}")
        if reply.code != 250:
            raise Lost(f"EHLO {reply.raw}")
        for line in reply.lines[1:]:
            word, _, rest = line.partition(" ")
            self.extensions[word.upper()] = rest.upper()

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """STARTTLS, then EHLO again: what was said before TLS does not count (RFC 3207, 4.2)."""
        if "STARTTLS" not in self.extensions:
            raise Misconfigured("SMTP: the server offers no STARTTLS; use smtps:// or another port")
        reply = await self.ask("STARTTLS")
        if reply.code != 220:
            raise Lost(f"STARTTLS {reply.raw}")
        if self._transport is None or self._rest or self._replies:
            # Bytes after the 220 in the clear are somebody's injection.
            raise Lost("bytes before TLS")
        transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        if not isinstance(transport, asyncio.Transport):
            raise Lost("no TLS")
        self._transport = transport
        await self.hello()

    async def log_in(self, login: Login) -> None:
        """AUTH PLAIN, else LOGIN; raises Misconfigured when the server refuses."""
        offered = self.extensions.get("AUTH", "").split()
        if "PLAIN" in offered:
            token = b64encode(f"\0{login.user}\0{login.password}".encode()).decode()
            reply = await self.ask(f"AUTH PLAIN {token}")
        elif "LOGIN" in offered:
            reply = await self.ask("AUTH LOGIN")
            for word in (login.user, login.password):
                if reply.code == 334:
                    reply = await self.ask(b64encode(word.encode()).decode())
        else:
            raise Misconfigured("SMTP: the server offers no AUTH PLAIN or LOGIN")
        if 400 <= reply.code < 500:
            raise Lost(f"AUTH {reply.raw}")
        if reply.code != 235:
            raise Misconfigured(f"SMTP ({reply.raw}): {MISCONFIGURED.get(reply.code, 'the login failed')}")

    def check(self, now: float, timeout: float) -> None:
        """Give up when a reply is overdue."""
        if self._waiter is not None and now - self.since > timeout:
            self.abort(Lost("no reply in time", timed_out=True))

    def quit(self) -> None:
        """Say good-bye without waiting for the answer."""
        if self._lost is None and self._transport is not None:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()

    def abort(self, why: Lost) -> None:
        """Close at once."""
        self._fail(why)
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio.Protocol ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if not line[:3].isdigit():
                self.abort(Lost("no SMTP reply"))
                return
            self._lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                self._add(int(line[:3]))
        if len(self._rest) > LINE_LIMIT or len(self._lines) > 1000:
            self.abort(Lost("reply too long"))
        elif self._replies:
            self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(Lost(type(error).__name__ if error is not None else "closed"))

    def _add(self, code: int) -> None:
        enhanced = _ENHANCED(self._lines[-1])
        lines = tuple(self._lines) if len(self._lines) > 1 else ()
        self._replies.append(Reply(code, enhanced[0] if enhanced else "", lines))
        self._lines.clear()

    def _fail(self, why: Lost) -> None:
        if self._lost is None:
            self._lost = why
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _literal(self) -> str:
        name = self._transport.get_extra_info("sockname") if self._transport is not None else None
        host = str(name[0]).partition("%")[0] if name else "127.0.0.1"
        return f"[IPv6:{host}]" if ":" in host else f"[{host}]"
