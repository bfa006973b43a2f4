"""The sandbox's counting mode: bare asyncio protocols that keep one counter per recipient and nothing else.

For benches and fault tests: what was lost or repeated is proven from outside the service, and the sink is never what is
measured. Must not import a library. Invariant: a recipient is counted before the reply that accepts it is written.

    python -m channels.sandbox.counting [--http-port N] [--smtp-port N]

prints one line of JSON {http_url, smtp_url, pid} when it listens. GET /counts[?recipients=1], POST /reset, GET /cpu.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import secrets
import signal
from collections.abc import Callable
from urllib.parse import unquote_plus

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


class Counter:
    """Sends per recipient, as the recipient was written."""

    def __init__(self) -> None:
        self.sent: dict[bytes, int] = {}

    def add(self, recipient: bytes) -> None:
        self.sent[recipient] = self.sent.get(recipient, 0) + 1

    def totals(self, readable: Callable[[bytes], str] | None) -> dict[str, object]:
        """Received, distinct and repeated (received beyond the first of each); with `readable` each recipient too."""
        received = sum(self.sent.values())
        totals: dict[str, object] = {
            "received": received,
            "distinct": len(self.sent),
            "repeated": received - len(self.sent),
        }
        if readable is not None:
            totals["recipients"] = {readable(recipient): n for recipient, n in self.sent.items()}
        return totals


class Board:
    """Both counters and what the control paths say about them."""

    def __init__(self) -> None:
        self.sms = Counter()
        self.email = Counter()

    def reply(self, method: bytes, target: bytes) -> bytes:
        """The answer to a control request."""
        path, _, query = target.partition(b"?")
        each = b"recipients=1" in query
        if (method, path) == (b"GET", b"/counts"):
            return _json(
                200,
                {
                    "sms": self.sms.totals(_number if each else None),
                    "email": self.email.totals(_mailbox if each else None),
                },
            )
        if (method, path) == (b"GET", b"/cpu"):
            used = resource.getrusage(resource.RUSAGE_SELF)
            return _json(200, {"cpu_s": used.ru_utime + used.ru_stime})
        if (method, path) == (b"POST", b"/reset"):
            self.sms.sent.clear()
            self.email.sent.clear()
            return _json(200, {})
        return _json(404, {"message": "GET /counts, POST /reset or GET /cpu"})


class SmsSink(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and pipelining; a POST to .../Messages.json is a text, the rest is control."""

    def __init__(self, board: Board, number: list[int], prefix: bytes) -> None:
        self._board = board
        self._number = number  # shared by all connections: makes each SID its own
        self._prefix = prefix
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        start, out = 0, []
        while True:
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
            if target.endswith(b"/Messages.json") and method == b"POST":
                out.append(self._text(data[end + 4 : stop]))
            else:
                out.append(self._board.reply(method, target))
            start = stop
        self._rest = data[start:]
        if out:
            self._transport.write(b"".join(out))  # type: ignore[attr-defined]  # a TCP transport writes
        if len(self._rest) > LIMIT:
            self._transport.close()

    def _text(self, form: bytes) -> bytes:
        at = 0 if form.startswith(b"To=") else form.find(b"&To=") + 1
        if not at and not form.startswith(b"To="):
            return _json(400, {"code": 21604, "message": "no To", "status": 400})
        end = form.find(b"&", at)
        self._board.sms.add(form[at + 3 : end if end >= 0 else len(form)])
        self._number[0] += 1
        body = b"%b%b%016x%b" % (_BODY_START, self._prefix, self._number[0], _BODY_END)
        return b"%b%d\r\n\r\n%b" % (_HEAD_201, len(body), body)


class MailSink(asyncio.Protocol):
    """SMTP with PIPELINING; a mail is counted for each recipient at its final dot."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rest = b""
        self._recipients: list[bytes] = []
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(b"220 sandbox ESMTP\r\n")  # type: ignore[attr-defined]  # a TCP transport writes

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        start, out, quitting = 0, [], False
        while not quitting:
            if self._in_data:
                if data.startswith(b".\r\n", start):  # an empty mail
                    start += 3
                else:
                    end = data.find(b"\r\n.\r\n", start)
                    if end < 0:
                        break
                    start = end + 5
                out.append(self._accept())
                continue
            end = data.find(b"\r\n", start)
            if end < 0:
                break
            reply, quitting = self._command(data[start:end])
            out.append(reply)
            start = end + 2
        self._rest = data[start:]
        if out:
            self._transport.write(b"".join(out))  # type: ignore[attr-defined]  # a TCP transport writes
        if quitting or len(self._rest) > LIMIT:
            self._transport.close()

    def _command(self, line: bytes) -> tuple[bytes, bool]:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipients.append(line[line.find(b"<") + 1 : line.find(b">")])
            return b"250 2.1.5 OK\r\n", False
        if verb == b"DATA":
            if not self._recipients:
                return b"503 5.5.1 RCPT first\r\n", False
            self._in_data = True
            return b"354 go on\r\n", False
        if verb == b"QUIT":
            return b"221 2.0.0 bye\r\n", True
        if verb in {b"MAIL", b"RSET"}:
            self._recipients.clear()
        return _SIMPLE.get(verb, b"502 5.5.2 not known here\r\n"), False

    def _accept(self) -> bytes:
        self._in_data = False
        for recipient in self._recipients:
            self._board.email.add(recipient)
        self._recipients.clear()
        return b"250 2.0.0 OK\r\n"


def _number(form: bytes) -> str:
    return unquote_plus(form.decode("ascii", "replace"))


def _mailbox(written: bytes) -> str:
    return written.decode("utf-8", "replace")


def _json(code: int, document: dict[str, object]) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        code,
        {200: b"OK", 400: b"Bad Request", 404: b"Not Found"}[code],
        len(body),
        body,
    )


async def serve(http_port: int, smtp_port: int) -> None:
    """Listen on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    board, number, prefix = Board(), [0], secrets.token_hex(8).encode()
    http = await loop.create_server(
        lambda: SmsSink(board, number, prefix), "127.0.0.1", http_port, backlog=4096
    )
    smtp = await loop.create_server(lambda: MailSink(board), "127.0.0.1", smtp_port, backlog=4096)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    urls = {
        "http_url": "http://127.0.0.1:%d" % http.sockets[0].getsockname()[1],  # noqa: UP031
        "smtp_url": "smtp://127.0.0.1:%d" % smtp.sockets[0].getsockname()[1],  # noqa: UP031
    }
    print(json.dumps({**urls, "pid": os.getpid()}), flush=True)
    await ended.wait()
    http.close()
    smtp.close()


def main() -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="python -m channels.sandbox.counting")
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(given.http_port, given.smtp_port))


if __name__ == "__main__":
    main()
