"""The two servers of the counting mode, on bare asyncio protocols: SMS over HTTP/1.1, mail over SMTP with PIPELINING.

Owns the wire and how it misbehaves by the script. Standard library only. Invariant: a recipient is counted before the
reply that accepts it is written; without a rule a message takes the short way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl

from channels.sandbox.board import Board, answer, readable_mailbox, readable_number
from channels.sandbox.callbacks import Fate
from channels.sandbox.script import Rule

LIMIT = 1 << 20  # bytes of one request or mail; more closes the connection

_HEAD_201 = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: "
_BODY_START = b'{"sid": "SM'
_BODY_END = (
    b'", "status": "accepted", "error_code": null, "error_message": null, "num_segments": "0", "num_media": "0", '
    b'"direction": "outbound-api", "api_version": "2010-04-01", "price": null, "price_unit": null}'
)
_EHLO = b"250-sandbox\r\n250-PIPELINING\r\n250-SIZE 1048576\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
_SIMPLE = {
    b"MAIL": b"250 2.1.0 OK\r\n",
    b"RSET": b"250 2.0.0 OK\r\n",
    b"NOOP": b"250 2.0.0 OK\r\n",
    b"EHLO": _EHLO,
    b"HELO": b"250 sandbox\r\n",
}


class _Sink(asyncio.Protocol):
    """A connection that can be held: what comes in waits, nothing goes out."""

    transport: asyncio.Transport

    def __init__(self, board: Board) -> None:
        self.board = board
        self.rest = b""
        self.held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        if self.held:
            self.rest = data
        else:
            self.read(data)
        if len(self.rest) > LIMIT:
            self.transport.close()

    def read(self, data: bytes) -> None:
        """Answer the whole requests of `data` and leave what follows in `rest`."""
        raise NotImplementedError

    def hold(self) -> None:
        """Never answer again."""
        self.held = True

    def late(self, seconds: float, then: Callable[[], bytes | None]) -> None:
        """Answer with what `then` returns after so many seconds, and go on."""
        self.held = True

        def due() -> None:
            self.held = False
            reply = then()
            if self.transport.is_closing():
                return
            if reply is not None:
                self.transport.write(reply)
            if not self.held:
                self.read(self.rest)

        asyncio.get_running_loop().call_later(seconds, due)


class SmsSink(_Sink):
    """HTTP/1.1 with keep-alive and pipelining; a POST to .../Messages.json is a text, the rest is the board's."""

    def __init__(self, board: Board, number: list[int], prefix: bytes) -> None:
        super().__init__(board)
        self._number = number  # shared by all connections: makes each SID its own
        self._prefix = prefix

    def read(self, data: bytes) -> None:
        start, out = 0, []
        while not self.held:
            end = data.find(b"\r\n\r\n", start)
            if end < 0:
                break
            head = data[start:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r", 1)[0]) if at >= 0 else 0
            stop = end + 4 + length
            if len(data) < stop:
                break
            method, target, _ = data[start:end].split(b"\r", 1)[0].split(b" ", 2)
            body, start = data[end + 4 : stop], stop
            if not target.endswith(b"/Messages.json") or method != b"POST":
                reply = self._ask(method, target, body)
            elif self.board.plain:
                reply = self._text(body)
            else:
                reply = self._misbehave(body)
            if reply is not None:
                out.append(reply)
        self.rest = data[start:]
        if out:
            self.transport.write(b"".join(out))

    def _text(self, form: bytes) -> bytes:
        at = 0 if form.startswith(b"To=") else form.find(b"&To=") + 1
        if not at and not form.startswith(b"To="):
            return _no_recipient()
        end = form.find(b"&", at)
        self.board.sms.add(form[at + 3 : end if end >= 0 else len(form)])
        self._number[0] += 1
        body = b"%b%b%016x%b" % (_BODY_START, self._prefix, self._number[0], _BODY_END)
        return b"%b%d\r\n\r\n%b" % (_HEAD_201, len(body), body)

    def _sid(self) -> bytes:
        self._number[0] += 1
        return b"%b%016x" % (self._prefix, self._number[0])

    def _created(self, sid: bytes) -> bytes:
        body = b"%b%b%b" % (_BODY_START, sid, _BODY_END)
        return b"%b%d\r\n\r\n%b" % (_HEAD_201, len(body), body)

    # ---- by the script ----

    def _ask(self, method: bytes, target: bytes, body: bytes) -> bytes | None:
        """A control request; a look-up meets the rules that hang or refuse everybody, as every request does."""
        library = self.board.library
        if method == b"GET" and b"/Messages" in target and library is not None:
            rule = self.board.script.refusing()
            if rule is not None:
                library.unanswered += 1
                if rule.http is not None:
                    return _refused(rule)
                self.hold()
                return None
        return self.board.reply(method, target, body)

    def _misbehave(self, form: bytes) -> bytes | None:
        recipient = _recipient(form)
        if recipient is None:
            return _no_recipient()
        rules = self.board.script.matching("sms", readable_number(recipient))
        delay = sum(rule.latency for rule in rules if rule.latency is not None)
        if delay <= 0:
            return self._take(recipient, form, rules)
        self.late(delay, lambda: self._take(recipient, form, rules))
        return None

    def _take(self, recipient: bytes, form: bytes, rules: list[Rule]) -> bytes | None:
        """Refuse, take or hang as the last of the rules says; None when there is no answer."""
        board = self.board
        last = rules[-1] if rules and rules[-1].answers() else None
        if last is not None and last.http is not None:
            return _refused(last)
        if last is not None and last.hang and not last.drop:
            self.hold()
            return None
        board.sms.add(recipient)
        sid = self._sid()
        if board.library is not None:
            queued = any(rule.queued for rule in rules)
            board.library.keep(recipient, f"SM{sid.decode()}", form, sent=not queued)
        self._report(sid, form, rules)
        if last is None:
            return self._created(sid)
        if last.hang:
            self.hold()
        else:
            self.transport.abort()
        return None

    def _report(self, sid: bytes, form: bytes, rules: list[Rule]) -> None:
        if self.board.callbacks is None:
            return
        fields = dict(parse_qsl(form.decode("ascii", "replace")))
        url = fields.get("StatusCallback")
        if url is None:
            return
        told = {
            "MessageSid": f"SM{sid.decode()}",
            "SmsSid": f"SM{sid.decode()}",
            "To": fields["To"],
            "ApiVersion": "2010-04-01",
        }
        self.board.callbacks.report(url, told, Fate.of(self.board.words, rules))


def _recipient(form: bytes) -> bytes | None:
    at = 0 if form.startswith(b"To=") else form.find(b"&To=") + 1
    if not at and not form.startswith(b"To="):
        return None
    end = form.find(b"&", at)
    return form[at + 3 : end if end >= 0 else len(form)]


def _no_recipient() -> bytes:
    return answer(400, {"code": 21604, "message": "no To", "status": 400})


def _refused(rule: Rule) -> bytes:
    code = rule.http or 400
    more = b"" if rule.retry_after is None else b"Retry-After: %g\r\n" % rule.retry_after
    return answer(code, {"code": rule.code or 0, "message": "refused by the sandbox", "status": code}, more)


class MailSink(_Sink):
    """SMTP with PIPELINING; a mail is counted for each recipient at its final dot."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._recipients: list[bytes] = []
        self._in_data = False
        self._at_the_dot: Rule | None = None
        self._quitting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        greeting = b"220 sandbox ESMTP\r\n"
        if self.board.script.rules:
            rules = self.board.script.matching("email", None, stage="connect")
            reply = self._follow(rules, greeting)
        else:
            reply = greeting
        if reply is not None:
            self.transport.write(reply)
        if self._quitting:
            self.transport.close()

    def read(self, data: bytes) -> None:
        start, out = 0, []
        while not self.held and not self._quitting:
            if self._in_data:
                begun = start
                if data.startswith(b".\r\n", start):  # an empty mail
                    start += 3
                else:
                    end = data.find(b"\r\n.\r\n", start)
                    if end < 0:
                        break
                    start = end + 5
                reply = self._accept() if self.board.plain else self._end(data[begun:start])
            else:
                end = data.find(b"\r\n", start)
                if end < 0:
                    break
                line, start = data[start:end], end + 2
                reply = self._command(line)
            if reply is not None:
                out.append(reply)
        self.rest = data[start:]
        if out:
            self.transport.write(b"".join(out))
        if self._quitting:
            self.transport.close()

    def _command(self, line: bytes) -> bytes | None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            recipient = line[line.find(b"<") + 1 : line.find(b">")]
            if self.board.script.rules:
                return self._recipient(recipient)
            self._recipients.append(recipient)
            return b"250 2.1.5 OK\r\n"
        if verb == b"DATA":
            if not self._recipients:
                return b"503 5.5.1 RCPT first\r\n"
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"QUIT":
            self._quitting = True
            return b"221 2.0.0 bye\r\n"
        if verb in {b"MAIL", b"RSET"}:
            self._recipients.clear()
            self._at_the_dot = None
        good = _SIMPLE.get(verb, b"502 5.5.2 not known here\r\n")
        if verb == b"MAIL" and self.board.script.rules:
            return self._follow(self.board.script.matching("email", None, stage="mail"), good)
        return good

    def _recipient(self, recipient: bytes) -> bytes | None:
        rules = self.board.script.matching("email", readable_mailbox(recipient))
        last = rules[-1] if rules and rules[-1].answers() else None
        # What is lost or refused at the final dot is remembered until then.
        if last is not None and (last.drop or last.stage == "data"):
            self._at_the_dot = last
            rules = rules[:-1]
        if last is None or last is self._at_the_dot:
            self._recipients.append(recipient)
        return self._follow(rules, b"250 2.1.5 OK\r\n")

    def _follow(self, rules: list[Rule], good: bytes) -> bytes | None:
        """`good`, or what the rules put in its place; None when there is no answer, or none yet."""
        delay = sum(rule.latency for rule in rules if rule.latency is not None)
        if rules and rules[-1].hang:
            self.hold()
            return None
        reply = good
        if rules and rules[-1].reply is not None:
            reply = self._said(rules[-1].reply)
        if delay > 0:
            self.late(delay, lambda: reply)
            return None
        return reply

    def _said(self, reply: str) -> bytes:
        """A scripted reply line; 421 announces that the connection is closed (RFC 5321, 3.8)."""
        self._quitting = self._quitting or reply.startswith("421")
        return reply.encode() + b"\r\n"

    def _accept(self) -> bytes:
        self._in_data = False
        for recipient in self._recipients:
            self.board.email.add(recipient)
        self._recipients.clear()
        return b"250 2.0.0 OK\r\n"

    def _end(self, mail: bytes) -> bytes | None:
        """The final dot where the script or the library has a say; None when there is no answer."""
        rule, self._at_the_dot = self._at_the_dot, None
        if rule is not None and not rule.drop:
            self._in_data = False
            self._recipients.clear()
            if rule.hang:
                self.hold()
                return None
            return self._said(rule.reply or "554 5.3.0 refused by the sandbox")
        if self.board.library is not None:
            self.board.library.keep_mail(mail)
        good = self._accept()
        if rule is None:
            return good
        if rule.hang:
            self.hold()
        else:
            self.transport.abort()
        return None
