"""How mails go over SMTP connections: MAIL, RCPT, DATA, body, and the next one announced behind the body.

Owns the transaction (RFC 5321, 3.3; pipelined by RFC 2920 where offered) and what each failure means for whom. Must not
import the service. Invariant: a body is sent only after a 354 to accepted commands, so that what fails before it is
certainly not sent, and what fails after it is AMBIGUOUS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from channels.base import Message, Misconfigured, ProviderDown, Reason, SendResult, Status
from channels.run import Feed, gather
from channels.smtp_pool import SmtpPool
from channels.smtp_wire import Lost, SmtpConnection
from channels.smtp_words import CONFUSED, MISCONFIGURED, Reply, verdict


@dataclass(frozen=True, slots=True)
class Mail:
    """A message ready for the wire: MAIL, RCPT and DATA, each with its line end, and the dot-stuffed, ended data."""

    message: Message
    commands: tuple[bytes, bytes, bytes]
    data: bytes
    reference: str
    needs_utf8: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first command that was not accepted, and the reply to it."""

    reply: Reply
    of_sender: bool


Prepare = Callable[[Message], Mail | SendResult]


class SmtpSession:
    """One Run over the pool's connections."""

    def __init__(self, feed: Feed, pool: SmtpPool, prepare: Prepare) -> None:
        self._feed = feed
        self._pool = pool
        self._prepare = prepare
        self._alive = 0  # workers that hold or open a connection

    async def run(self, workers: int) -> None:
        """Send until the feed ends; at most `workers` connections."""
        await gather([self._work() for _ in range(workers)])

    async def _work(self) -> None:
        connection: SmtpConnection | None = None
        while (message := await self._feed.take()) is not None:
            mail = self._ready(message)
            if mail is None:
                continue
            if connection is None:
                self._alive += 1
            if connection is None or not connection.usable:
                connection = await self._connect(mail, connection)
                if connection is None:
                    return
            await self._send(connection, mail)
        if connection is not None:
            self._alive -= 1
            self._pool.give(connection)

    async def _connect(self, mail: Mail, spent: SmtpConnection | None) -> SmtpConnection | None:
        """A connection, or None when `mail` was put back or answered and this worker is done."""
        if spent is not None:
            self._pool.discard(spent)
        try:
            return await self._pool.take()
        except Misconfigured as error:
            self._feed.fail(error)
            raw = "misconfigured"
        except Lost as error:
            raw = str(error)
            if self._alive > 1:
                # A server that allows fewer connections than configured: the others carry the mail.
                self._alive -= 1
                self._feed.put_back(mail.message)
                return None
            self._feed.fail(ProviderDown(f"SMTP: no connection ({raw})"))
        self._alive -= 1
        result = SendResult(mail.message.key, Status.UNREACHABLE, Reason.CONNECTION_LOST, raw=raw)
        self._feed.finish(mail.message, result)
        return None

    async def _send(self, connection: SmtpConnection, first: Mail) -> None:
        """Send `first` and whatever is ready to ride behind it, until nothing is in flight on this connection."""
        mail: Mail | None = first if self._fits(connection, first) else None
        announced = False
        while mail is not None:
            following: Mail | None = None
            body_sent = False
            try:
                refusal = await self._offer(connection, mail, announced=announced)
                announced = False
                if refusal is not None:
                    self._settle_refusal(mail, refusal)
                else:
                    following = self._following(connection)
                    body_sent = True
                    connection.write(mail.data + b"".join(following.commands) if following else mail.data)
                    announced = following is not None
                    self._settle(mail, await connection.reply())
            except Lost as error:
                if following is not None:
                    self._feed.put_back(following.message)  # announced, but its body never left
                self._lose(connection, mail, error, body_sent=body_sent)
                return
            mail = following

    async def _offer(self, connection: SmtpConnection, mail: Mail, *, announced: bool) -> Refusal | None:
        """The commands before the body, `announced` when they are written already; None when all were accepted."""
        refusal: Refusal | None = None
        reply = Reply(0)
        if connection.pipelining and not announced:
            connection.write(b"".join(mail.commands))
        for command, wanted in zip(mail.commands, (25, 25, 35), strict=True):
            if not connection.pipelining:
                connection.write(command)
            reply = await connection.reply()
            if refusal is None and reply.code // 10 != wanted:
                refusal = Refusal(reply, command is mail.commands[0])
                if not connection.pipelining:
                    break
        if refusal is not None:
            if reply.code == 354:
                # The server wants a mail for nobody (RFC 2920, 3.1): it gets an empty one.
                connection.write(b".\r\n")
                await connection.reply()
            await connection.ask("RSET")
        return refusal

    def _following(self, connection: SmtpConnection) -> Mail | None:
        """The next mail, to be announced behind this one's body."""
        if not connection.pipelining:
            return None
        while (message := self._feed.take_nowait()) is not None:
            mail = self._ready(message)
            if mail is not None and self._fits(connection, mail):
                return mail
        return None

    def _ready(self, message: Message) -> Mail | None:
        """The mail, or None when it was answered because it cannot be sent."""
        mail = self._prepare(message)
        if isinstance(mail, SendResult):
            self._feed.finish(message, mail)
            return None
        return mail

    def _fits(self, connection: SmtpConnection, mail: Mail) -> bool:
        if mail.needs_utf8 and not connection.smtputf8:
            result = SendResult(
                mail.message.key, Status.REJECTED, Reason.INVALID_ADDRESS, raw="the server has no SMTPUTF8"
            )
            self._feed.finish(mail.message, result)
            return False
        return True

    # ---- what became of it ----

    def _settle(self, mail: Mail, reply: Reply) -> None:
        status, reason = verdict(reply)
        reference = mail.reference if status is Status.ACCEPTED else None
        result = SendResult(mail.message.key, status, reason, reference, reply.raw)
        self._feed.finish(mail.message, result, trouble=reply.code in CONFUSED)

    def _settle_refusal(self, mail: Mail, refusal: Refusal) -> None:
        reply = refusal.reply
        if reply.code in MISCONFIGURED:
            why = MISCONFIGURED[reply.code]
        elif refusal.of_sender and reply.code >= 500 and reply.code not in CONFUSED:
            why = "the server refuses the sender"
        else:
            self._settle(mail, reply)
            return
        self._feed.fail(Misconfigured(f"SMTP ({reply.raw}): {why}"))
        result = SendResult(mail.message.key, Status.UNREACHABLE, Reason.PROVIDER_ERROR, raw=reply.raw)
        self._feed.finish(mail.message, result)

    def _lose(self, connection: SmtpConnection, mail: Mail, error: Lost, *, body_sent: bool) -> None:
        if connection.reused and not body_sent:
            # Closed by the server while it lay idle between two Runs: nobody's fault, and nothing was sent.
            self._feed.put_back(mail.message)
            return
        status = Status.AMBIGUOUS if body_sent else Status.UNREACHABLE
        reason = Reason.TIMED_OUT if error.timed_out else Reason.CONNECTION_LOST
        self._feed.finish(
            mail.message, SendResult(mail.message.key, status, reason, raw=str(error)), trouble=True
        )
