"""The sandbox's requests to webhooks: signed as Twilio signs (twilio.com/docs/usage/security), late, doubled or reversed.

Owns the queue of callbacks, the callers that work it off and the signature. Standard library alone, for the counting
mode's sake. Must not import the service. Invariant: what the receiving side's ordinary validator verifies is what is sent.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from channels.http_wire import Reply, ReplyBuffer, WireError
from channels.sandbox.script import Rule

CALLERS = 8  # callbacks on the way at once
WAITING = 200_000  # callbacks that wait; more are dropped and counted
PATIENCE = 10.0  # seconds for one request

#: What the request of a callback may fail with.
FAILURES = (OSError, TimeoutError, WireError)


@dataclass(frozen=True, slots=True)
class Callback:
    """One request to a webhook, still to be signed."""

    url: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fate:
    """What is reported of a text: the words in order, how often each, after how many seconds, and why it failed."""

    words: tuple[str, ...]
    times: int = 1
    delay: float = 0.0
    failed: str | None = None  # the word that carries the error code
    error_code: int | None = None

    @classmethod
    def of(cls, words: Sequence[str], rules: Sequence[Rule]) -> Fate:
        """The account's words as the rules of a message change them."""
        told = list(words)
        final = next((rule for rule in rules if rule.final is not None), None)
        if told and final is not None and final.final is not None:
            told[-1] = final.final
        if any(rule.callback_reversed for rule in rules):
            told.reverse()
        return cls(
            tuple(told),
            max([rule.callback_times for rule in rules if rule.callback_times is not None], default=1),
            max([rule.callback_delay for rule in rules if rule.callback_delay is not None], default=0.0),
            final.final if final is not None else None,
            final.error_code if final is not None else None,
        )


class Callbacks:
    """The queue and its callers; lives in one event loop."""

    def __init__(self, token: str) -> None:
        self._key = token.encode()
        self._waiting: asyncio.Queue[Callback] = asyncio.Queue(WAITING)
        self._callers: list[asyncio.Task[None]] = []
        self._later: set[asyncio.TimerHandle] = set()
        self.dropped = 0

    def start(self) -> None:
        """Begin to call."""
        self._callers = [asyncio.ensure_future(self._work()) for _ in range(CALLERS)]

    async def stop(self) -> None:
        """End the callers; what waits is not called."""
        self.forget()
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    def forget(self) -> None:
        """Drop the callbacks that wait."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self.dropped = 0

    def report(self, url: str, form: Mapping[str, str], fate: Fate) -> None:
        """Tell the webhook what became of a text; `form` is what every callback of it holds."""
        for word in fate.words:
            fields = {**form, "MessageStatus": word, "SmsStatus": word}
            if fate.error_code is not None and word == fate.failed:
                fields["ErrorCode"] = str(fate.error_code)
            for _ in range(fate.times):
                self._add(Callback(url, fields), fate.delay)

    def _add(self, callback: Callback, delay: float) -> None:
        if delay <= 0:
            self._put(callback)
            return

        def due() -> None:
            self._later.discard(handle)
            self._put(callback)

        handle = asyncio.get_running_loop().call_later(delay, due)
        self._later.add(handle)

    def _put(self, callback: Callback) -> None:
        try:
            self._waiting.put_nowait(callback)
        except asyncio.QueueFull:
            self.dropped += 1

    def signature(self, callback: Callback) -> str:
        """HMAC-SHA1 over the URL and the sorted fields, as X-Twilio-Signature."""
        signed = callback.url + "".join(name + callback.form[name] for name in sorted(callback.form))
        return b64encode(hmac.digest(self._key, signed.encode(), "sha1")).decode("ascii")

    async def post(self, callback: Callback) -> tuple[int, str]:
        """One request on a connection of its own; code and body. Raises FAILURES."""
        caller = _Caller()
        try:
            reply = await caller.send(callback, self.signature(callback))
            return reply.status, reply.body.decode("utf-8", "replace")
        finally:
            caller.close()

    async def _work(self) -> None:
        caller = _Caller()
        try:
            while True:
                callback = await self._waiting.get()
                signature = self.signature(callback)
                for pause in (0.5, 0.0):
                    try:
                        status = (await caller.send(callback, signature)).status
                    except FAILURES:
                        status = 599
                    if status < 500:
                        break
                    await asyncio.sleep(pause)
                else:
                    self.dropped += 1
        finally:
            caller.close()


class _Caller:
    """One kept connection."""

    def __init__(self) -> None:
        self._origin = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, callback: Callback, signature: str) -> Reply:
        parts = urlsplit(callback.url)
        body = urlencode(callback.form).encode("ascii")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = (
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            "User-Agent: TwilioProxy/1.1",
            f"X-Twilio-Signature: {signature}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        )
        request = "\r\n".join((*lines, "", "")).encode("latin-1") + body
        try:
            async with asyncio.timeout(PATIENCE):
                kept = self._streams is not None and self._origin == f"{parts.scheme}://{parts.netloc}"
                try:
                    return await self._exchange(callback.url, request)
                except FAILURES:
                    self.close()
                    if not kept:
                        raise
                    return await self._exchange(callback.url, request)  # the kept connection had been closed
        except BaseException:
            self.close()
            raise

    async def _exchange(self, url: str, request: bytes) -> Reply:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if self._streams is None or self._origin != origin:
            self.close()
            secure = parts.scheme == "https"
            port = parts.port or (443 if secure else 80)
            self._streams = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
            self._origin = origin
        reader, writer = self._streams
        writer.write(request)
        buffer = ReplyBuffer()
        while True:
            data = await reader.read(65536)
            reply = buffer.feed(data) if data else buffer.end()
            if reply is not None:
                break
            if not data:
                raise ConnectionResetError("closed without a reply")
        if not reply.keep_alive:
            self.close()
        return reply

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError, RuntimeError):  # the loop may have ended before
                self._streams[1].close()
        self._streams = None
