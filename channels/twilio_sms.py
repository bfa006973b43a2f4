"""SMS through Twilio's Messages resource, sent with the SDK's `Client.request_async`.

Owns the request (sender, validity, status callback), the outcome of each send and the reading of signed webhooks; the
words are in twilio_words. Must not import the service. Invariant: one SendResult per message taken, and no phone
number or text in a result, an error or a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from urllib.parse import quote_plus, urlsplit

from twilio.rest import Client

from channels.base import (
    BadSignature,
    Content,
    Event,
    InboundEvent,
    Limits,
    Message,
    Misconfigured,
    Reason,
    ReceiptEvent,
    SendResult,
    Status,
    Webhook,
)
from channels.run import Feed, LoopThread, ThreadedRun, gather
from channels.twilio_http import LoopHttpClient, NotSent, ReplyLost
from channels.twilio_lookup import look_up
from channels.twilio_signature import signed
from channels.twilio_words import MAY_RETRY, TROUBLE, answer, callback, retry_after

API = "https://api.twilio.com"
VALIDITY = (1, 36000)  # seconds, twilio.com/docs/messaging/api/message-resource
CONTENTS_KEPT = 256
TOO_LATE = "expired before it was sent"

_PLAIN_NUMBER = re.compile(r"\+[0-9]{1,20}").fullmatch
_PLAIN_DELIVERY = re.compile(r"[0-9A-Za-z._-]+").fullmatch
_PERSONAL = re.compile(
    r"(to|from|caller|called)([A-Z_].*)?|body|waid|profilename|.*address", re.IGNORECASE
).fullmatch


@dataclass(frozen=True, slots=True, repr=False)
class TwilioConfig:
    """How to reach Twilio, and where it reaches us.

    `status_callback` is the public URL of the receipts' webhook; the delivery is put into its query as `delivery`.
    None asks for no callbacks. Time-outs are seconds.
    """

    account_sid: str
    auth_token: str
    messaging_service_sid: str
    api_base_url: str = API
    status_callback: str | None = None
    in_flight: int = 64
    connect_timeout: float = 3.0
    read_timeout: float = 10.0

    def __post_init__(self) -> None:
        problems = [
            f"the {name} is empty"
            for name in ("account_sid", "auth_token", "messaging_service_sid")
            if not getattr(self, name)
        ]
        for name in ("api_base_url", "status_callback"):
            url = urlsplit(getattr(self, name) or API)
            if url.scheme not in {"http", "https"} or not url.hostname:
                problems.append(f"the {name} is not an http(s) URL")
        if problems:
            raise Misconfigured("Twilio: " + "; ".join(problems))


class TwilioSms:
    """The channel sms over Twilio."""

    name = "sms"
    provider = "twilio"

    def __init__(self, config: TwilioConfig) -> None:
        self.config = config
        self.limits = Limits(in_flight=config.in_flight, finds=True)
        self._uri = f"{API}/2010-04-01/Accounts/{config.account_sid}/Messages.json"
        self._token = config.auth_token.encode()
        self._thread = LoopThread("twilio-sms")
        self._http: LoopHttpClient | None = None
        self._client: Client | None = None
        self._contents: dict[
            int, tuple[Content, str]
        ] = {}  # by identity; holding the Content keeps its id its own
        sender = f"MessagingServiceSid={quote_plus(config.messaging_service_sid)}"
        callback_url = config.status_callback
        if callback_url is not None:
            joint = "&" if urlsplit(callback_url).query else "?"
            sender += f"&StatusCallback={quote_plus(f'{callback_url}{joint}delivery=')}"
        self._sender = sender

    def open(self, messages: Iterator[Message], results: SimpleQueue[SendResult]) -> ThreadedRun:
        """See channels.base.Channel."""
        return ThreadedRun(self._thread, messages, results, self.limits.in_flight, self._drive)

    def close(self) -> None:
        """See channels.base.Channel."""
        self._thread.close(self._hang_up)

    def events(self, request: Webhook) -> list[Event]:
        """Receipts (MessageStatus) and inbound texts; the signature covers the public URL and the form."""
        signature = request.headers.get("x-twilio-signature", "")
        if not signed(self._token, request.url, request.form, signature):
            raise BadSignature("the X-Twilio-Signature does not fit this URL and form")
        form = request.form
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        word = form.get("MessageStatus")
        if word is not None:
            status, reason = callback(word, form.get("ErrorCode", ""))
            delivery = request.query.get("delivery", "")
            return [
                ReceiptEvent(
                    self.provider, f"{sid}:{word}", delivery, status, reason, sid or None, _impersonal(form)
                )
            ]
        if "From" in form and "Body" in form:
            return [
                InboundEvent(self.provider, sid, form["From"], form["Body"], form.get("OptOutType") or None)
            ]
        return []

    # ---- in the loop ----

    async def _drive(self, feed: Feed) -> None:
        config = self.config
        if self._client is None or self._http is None or self._http.loop is not feed.loop:
            self._http = LoopHttpClient(
                config.api_base_url,
                connect_timeout=config.connect_timeout,
                read_timeout=config.read_timeout,
            )
            # An environment of our own: region and edge of the process's would change the host.
            self._client = Client(
                config.account_sid, config.auth_token, http_client=self._http, environment={"": ""}
            )
        await gather([self._work(feed, self._client) for _ in range(config.in_flight)])

    async def _work(self, feed: Feed, client: Client) -> None:
        while (message := await feed.take()) is not None:
            result = await self._send(feed, client, message)
            feed.finish(message, result, trouble=result.status in TROUBLE)

    async def _send(self, feed: Feed, client: Client, message: Message) -> SendResult:
        validity = message.validity
        if validity is not None and validity <= 0:
            return SendResult(message.key, Status.REJECTED, Reason.EXPIRED, raw=TOO_LATE)
        if message.doubt_since is not None:
            begun = feed.loop.time()
            known = await look_up(client, self._uri, message, message.doubt_since)
            if known is not None:
                return known
            if validity is not None:
                # Asking took a while, which the text does not have any more.
                validity -= feed.loop.time() - begun
                if validity <= VALIDITY[0]:
                    return SendResult(message.key, Status.REJECTED, Reason.EXPIRED, raw=TOO_LATE)
                message = replace(message, validity=validity)
        try:
            response = await client.request_async("POST", self._uri, data=self._body(message))
        except NotSent as error:
            reason = Reason.TIMED_OUT if error.timed_out else Reason.CONNECTION_LOST
            return SendResult(message.key, Status.UNREACHABLE, reason, raw=str(error))
        except ReplyLost as error:
            reason = Reason.TIMED_OUT if error.timed_out else Reason.CONNECTION_LOST
            return SendResult(message.key, Status.AMBIGUOUS, reason, raw=str(error))
        reply = answer(response.status_code, response.text)
        if reply.fatal is not None:
            feed.fail(reply.fatal)
        wait = retry_after(response.headers.get("retry-after")) if reply.status in MAY_RETRY else None
        return SendResult(message.key, reply.status, reply.reason, reply.reference, reply.raw, wait)

    def _body(self, message: Message) -> bytes:
        """The form: what all recipients of a Content share is encoded once."""
        content, to, delivery = message.content, message.to, message.delivery
        kept = self._contents.get(id(content))
        shared = kept[1] if kept is not None else self._prepare(content)
        number = "%2B" + to[1:] if _PLAIN_NUMBER(to) else quote_plus(to)
        if self.config.status_callback is not None:
            # Quoted twice where needed: once in the callback's query, once in our form.
            shared += delivery if _PLAIN_DELIVERY(delivery) else quote_plus(quote_plus(delivery))
        if message.validity is None:
            return f"{shared}&To={number}".encode("ascii")
        validity = min(max(int(message.validity), VALIDITY[0]), VALIDITY[1])
        return f"{shared}&To={number}&ValidityPeriod={validity}".encode("ascii")

    def _prepare(self, content: Content) -> str:
        if len(self._contents) >= CONTENTS_KEPT:
            del self._contents[next(iter(self._contents))]
        # The delivery is appended directly, so the callback stands last.
        prepared = f"Body={quote_plus(content.text)}&{self._sender}"
        self._contents[id(content)] = (content, prepared)
        return prepared

    async def _hang_up(self) -> None:
        http, self._http, self._client = self._http, None, None
        if http is not None:
            await http.close()


def _impersonal(form: Mapping[str, str]) -> dict[str, str]:
    """The fields without addresses, names, places and text."""
    return {name: value for name, value in form.items() if not _PERSONAL(name)}
