"""The SMTP half of the sandbox, on aiosmtpd, with replies by the script.

Must not import the service. Invariant: a mail is kept once its final dot was read, whatever the script then answers or
fails to answer to it, unless the script refuses it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from email.parser import BytesHeaderParser
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.sandbox.inbox import Inbox, Received
from channels.sandbox.script import Rule, Script


class MailHandler:
    """aiosmtpd's hooks; the replies are whole reply lines."""

    def __init__(self, inbox: Inbox, script: Script, *, pipelining: bool, login: bool) -> None:
        self._inbox = inbox
        self.script = script
        self._pipelining = pipelining
        self._login = login  # asked for here: aiosmtpd warns when it is to ask without TLS
        self._headers = BytesHeaderParser()
        self._at_the_dot: WeakKeyDictionary[Session, Rule] = WeakKeyDictionary()

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if not self._pipelining:
            return responses
        # aiosmtpd reads line by line, so it can do this without saying so.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._login and not session.authenticated:
            return "530 5.7.0 log in first"
        for rule in self.script.matching("email", address, stage="mail"):
            await _delay(rule)
            if rule.reply is not None:
                return _closing(server, rule.reply)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        rules = self.script.matching("email", address)
        for rule in rules:
            # A reply that is to be lost is one to the final dot, whatever the rule's stage.
            await _delay(rule, hanging=rule.stage == "rcpt" and not rule.drop)
        answering = next((rule for rule in rules if rule.answers()), None)
        if answering is not None and answering.stage == "rcpt" and answering.reply is not None:
            return _closing(server, answering.reply)
        # What concerns the end of the mail is remembered until then.
        self._at_the_dot.pop(session, None)
        if answering is not None:
            self._at_the_dot[session] = answering
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        rule = self._at_the_dot.pop(session, None)
        if rule is not None and rule.reply is not None and not rule.drop:
            return _closing(server, rule.reply)
        if rule is not None and rule.hang and not rule.drop:
            await asyncio.Event().wait()
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        reference = str(self._headers.parsebytes(raw)["Message-ID"] or "")
        for to in envelope.rcpt_tos:
            self._inbox.add(
                Received("email", to, envelope.mail_from or "", "", reference, "accepted", time.time(), raw)
            )
        if rule is not None and rule.hang:
            await asyncio.Event().wait()
        if rule is not None and rule.drop and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 2.0.0 OK"


def factory(
    handler: MailHandler,
    *,
    login: tuple[str, str] | None,
    tls: ssl.SSLContext | None,
    starttls: bool,
) -> Callable[[], asyncio.Protocol]:
    """What makes the protocol of each connection; with `login`, mail needs it. TLS from the start is the listener's."""

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=good, handled=False)

    def protocol() -> asyncio.Protocol:
        for rule in handler.script.matching("email", None, stage="connect"):
            return _AtTheDoor(rule)
        return SMTP(
            handler,
            enable_SMTPUTF8=True,
            hostname="sandbox",
            ident="ESMTP",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            auth_require_tls=False,
            authenticator=authenticate if login is not None else None,
        )

    return protocol


class _AtTheDoor(asyncio.Protocol):
    """A connection that gets no greeting, or one that sends it away."""

    def __init__(self, rule: Rule) -> None:
        self._reply = rule.reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._reply is not None and isinstance(transport, asyncio.Transport):
            transport.write(f"{self._reply}\r\n".encode())
            transport.close()


async def _delay(rule: Rule, *, hanging: bool = True) -> None:
    if rule.latency is not None:
        await asyncio.sleep(rule.latency)
    if rule.hang and hanging:
        await asyncio.Event().wait()  # until the other side or the sandbox has had enough


def _closing(server: SMTP, reply: str) -> str:
    """A 421 announces that the connection is closed (RFC 5321, 3.8)."""
    if reply.startswith("421") and server.transport is not None:
        server.loop.call_later(0.01, server.transport.close)
    return reply
