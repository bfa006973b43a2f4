"""Twilio's side of a status callback: signed requests over kept-alive connections, as fast as they are answered.

`python -m bench.callbacks PORT TOKEN DISPATCH FIRST COUNT SECONDS` signs COUNT callbacks for the deliveries DISPATCH.FIRST and
after, says "ready", posts from the word "go" on for SECONDS at most, and prints one line of JSON. Nothing of an answer is
read but its status line. Invariant: no request is posted twice, and each connection has one request under way.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

CONNECTIONS = 32

ANSWERED = b"HTTP/1.1 204"
END = b"\r\n\r\n"


def callback(token: str, origin: str, delivery: str, number: int, word: str = "delivered") -> bytes:
    """One signed request, whole, with the fields and headers that Twilio sends."""
    path = f"/webhooks/sms/status?delivery={delivery}"
    sid = f"SM{hmac.digest(b'sid', f'{delivery}/{number}'.encode(), 'md5').hex()}"
    form = {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "From": "+12015550199",
        "MessageSid": sid,
        "MessageStatus": word,
        "MessagingServiceSid": "MG" + "0" * 32,
        "RawDlrDoneDate": "2611221200",
        "SmsSid": sid,
        "SmsStatus": word,
        "To": f"+1201{number % 10_000_000:07}",
    }
    signed = origin + path + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode("ascii")
    body = urlencode(form)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {origin.partition('://')[2]}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
        f"I-Twilio-Idempotency-Token: {sid}\r\nX-Home-Region: us1\r\nX-Twilio-Signature: {signature}\r\n\r\n"
    )
    return (head + body).encode("ascii")


@dataclass(slots=True)
class Count:
    """What the server said."""

    answered: int = 0
    refused: int = 0  # any status but 204
    broken: int = 0  # connections that ended before their answer
    whose: list[bytes] = field(default_factory=list)  # the requests that were answered


class _Caller(asyncio.Protocol):
    """One connection: the next request when the last one is answered, until none is left or the time is up."""

    def __init__(
        self, requests: Iterator[bytes], until: float, count: Count, ended: asyncio.Future[None]
    ) -> None:
        self.requests, self.until, self.count, self.ended = requests, until, count, ended
        self.waiting = False
        self.request = self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        request = next(self.requests, None) if time.monotonic() < self.until else None
        if request is None:
            self.transport.close()
        else:
            self.request, self.waiting = request, True
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.waiting or END not in self.received:
            return
        self.waiting = False
        if self.received.startswith(ANSWERED):  # has no body: the head is all of it
            self.count.answered += 1
            self.count.whose.append(self.request)
            self.received = b""
            self.ask()
        else:
            self.count.refused += 1
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.count.broken += self.waiting
        if not self.ended.done():
            self.ended.set_result(None)


async def post(port: int, requests: list[bytes], seconds: float, connections: int = CONNECTIONS) -> Count:
    """Post the requests, each once, for `seconds` at most."""
    loop = asyncio.get_running_loop()
    count, left, until = Count(), iter(requests), time.monotonic() + seconds
    ends = []
    for _ in range(connections):
        ended: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda end=ended: _Caller(left, until, count, end), "127.0.0.1", port)  # type: ignore[misc] # a default binds the loop's value
        ends.append(ended)
    await asyncio.gather(*ends)
    return count


def main(arguments: list[str]) -> None:
    """See the module."""
    port, token, dispatch, first, number = int(arguments[0]), arguments[1], *map(int, arguments[2:5])
    seconds = float(arguments[5])
    origin = f"http://127.0.0.1:{port}"
    requests = [callback(token, origin, f"{dispatch}.{n}", n) for n in range(first, first + number)]
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.monotonic(), time.process_time()
    count = asyncio.run(post(port, requests, seconds))
    took = time.monotonic() - began
    said = {"answered": count.answered, "refused": count.refused, "broken": count.broken}
    print(json.dumps({**said, "seconds": took, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
