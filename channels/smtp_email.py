"""E-mail over a few persistent SMTP connections to one submission server.

Owns the configuration, the mail of each recipient and its place in the Run; the transaction is in smtp_session, the
wire in smtp_wire, the words in smtp_words, the bytes in mime. Must not import the service. Invariant: one SendResult
per message taken, and no address or text in a result, an error or a log.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from queue import SimpleQueue
from urllib.parse import unquote, urlsplit

from channels import mime
from channels.base import (
    BadSignature,
    Content,
    Event,
    Limits,
    Message,
    Misconfigured,
    Reason,
    SendResult,
    Status,
    Webhook,
)
from channels.run import Feed, LoopThread, ThreadedRun
from channels.smtp_pool import SmtpPool, SmtpTarget
from channels.smtp_session import Mail, SmtpSession
from channels.smtp_wire import Login
from channels.twilio_http import loopback

CONTENTS_KEPT = 256
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, repr=False)
class SmtpConfig:
    """Where mail is handed in.

    `url` is smtp://, smtp+starttls:// or smtps://[user:password@]host[:port]; `mail_from` an address with or without a
    name; time-outs are seconds; `tls` replaces the system's trust anchors.
    """

    url: str
    mail_from: str
    connections: int = 16
    connect_timeout: float = 3.0
    read_timeout: float = 10.0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        problems = []
        if parts.scheme not in PORTS or not parts.hostname:
            problems.append(
                "the URL must be smtp://, smtp+starttls:// or smtps://[user:password@]host[:port]"
            )
        elif parts.scheme == "smtp" and parts.username and not loopback(parts.hostname):
            problems.append(
                "a password does not go over smtp:// in the clear; use smtp+starttls:// or smtps://"
            )
        sender = mime.mailbox(parseaddr(self.mail_from)[1])
        if sender is None or not sender.isascii() or not self.mail_from.isprintable():
            problems.append("the sender must be an address in ASCII, with or without a name before it")
        if problems:
            raise Misconfigured("SMTP: " + "; ".join(problems))


class SmtpEmail:
    """The channel email over SMTP. `clock` gives seconds since the epoch, for the Date header."""

    name = "email"
    provider = "smtp"

    def __init__(self, config: SmtpConfig, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        # One message in its body and one announced behind it, on each connection.
        self.limits = Limits(in_flight=2 * config.connections)
        name, address = parseaddr(config.mail_from)
        self._sender = Address(display_name=name, addr_spec=address)
        self._mail = f"MAIL FROM:<{address}>\r\n".encode("ascii")
        self._mail_utf8 = f"MAIL FROM:<{address}> SMTPUTF8\r\n".encode("ascii")
        self._clock = clock
        self._date = (0, "")
        self._thread = LoopThread("smtp-email")
        self._pool: SmtpPool | None = None
        self._letters: dict[
            int, tuple[Content, mime.Letter]
        ] = {}  # by identity; the Content keeps its id its own

    def open(self, messages: Iterator[Message], results: SimpleQueue[SendResult]) -> ThreadedRun:
        """See channels.base.Channel."""
        return ThreadedRun(self._thread, messages, results, self.limits.in_flight, self._drive)

    def close(self) -> None:
        """See channels.base.Channel."""
        self._thread.close(self._hang_up)

    def events(self, request: Webhook) -> list[Event]:
        """SMTP has no webhooks."""
        raise BadSignature(f"nothing that comes to {request.method} is signed: SMTP has no webhooks")

    # ---- in the loop ----

    async def _drive(self, feed: Feed) -> None:
        if self._pool is None or self._pool.loop is not feed.loop:
            self._pool = SmtpPool(feed.loop, _target(self.config))
        await SmtpSession(feed, self._pool, self._prepare).run(self.config.connections)

    def _prepare(self, message: Message) -> Mail | SendResult:
        if message.validity is not None and message.validity <= 0:
            return SendResult(message.key, Status.REJECTED, Reason.EXPIRED, raw="expired before it was sent")
        to = mime.mailbox(message.to)
        if to is None:
            return SendResult(message.key, Status.REJECTED, Reason.INVALID_ADDRESS, raw="unusable address")
        reference = mime.message_id(message.delivery, self._sender.domain)
        try:
            own = mime.own_headers(to, reference, self._now(), message.unsubscribe)
        except ValueError:
            return SendResult(message.key, Status.REJECTED, Reason.OTHER, raw="unusable unsubscribe URL")
        needs_utf8 = not to.isascii()
        mail = self._mail_utf8 if needs_utf8 else self._mail
        commands = (mail, b"RCPT TO:<%b>\r\n" % to.encode(), b"DATA\r\n")
        return Mail(message, commands, own + self._letter(message.content).tail, reference, needs_utf8)

    def _letter(self, content: Content) -> mime.Letter:
        kept = self._letters.get(id(content))
        if kept is not None:
            return kept[1]
        if len(self._letters) >= CONTENTS_KEPT:
            del self._letters[next(iter(self._letters))]
        letter = mime.letter(content, self._sender)
        self._letters[id(content)] = (content, letter)
        return letter

    def _now(self) -> str:
        """The Date header, written once a second."""
        second = int(self._clock())
        if second != self._date[0]:
            self._date = (second, format_datetime(datetime.fromtimestamp(second, UTC)))
        return self._date[1]

    async def _hang_up(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()


def _target(config: SmtpConfig) -> SmtpTarget:
    parts = urlsplit(config.url)
    login = Login(unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return SmtpTarget(
        host=parts.hostname or "",
        port=parts.port or PORTS[parts.scheme],
        security=parts.scheme,
        login=login,
        tls=config.tls,
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
    )
