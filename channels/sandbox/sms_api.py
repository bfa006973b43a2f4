"""The Twilio-shaped half of the sandbox: Messages resource, signed callbacks, inbound texts.

Answers as Twilio's 2010-04-01 API does, errors included. Must not import the service. Invariant: a callback is signed as
Twilio signs (twilio.com/docs/usage/security), so that the receiving side verifies it with its ordinary validator.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from twilio.request_validator import RequestValidator

from channels.sandbox.inbox import Inbox, Received
from channels.sandbox.script import Rule, Script

CALLERS = 8  # callbacks on the way at once
WAITING = 200_000  # callbacks that wait; more are dropped and counted

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}").fullmatch


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Whose API this is; `inbound_url` is where texts from citizens are posted to."""

    sid: str
    token: str
    number: str = "+15005550006"
    callbacks: tuple[str, ...] = ()  # statuses to report, in order
    inbound_url: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """One request to a webhook, still to be signed."""

    url: str
    form: dict[str, str]


class SmsApi:
    """Routes below /2010-04-01/ and the senders of callbacks; lives in the sandbox's loop."""

    def __init__(self, account: Account, inbox: Inbox, script: Script) -> None:
        self._account = account
        self._inbox = inbox
        self._script = script
        self._validator = RequestValidator(account.token)
        self._authorization = "Basic " + b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self._waiting: asyncio.Queue[Callback] = asyncio.Queue(WAITING)
        self._callers: list[asyncio.Task[None]] = []
        self._session: ClientSession | None = None
        self.dropped = 0

    def routes(self) -> list[web.RouteDef]:
        base = "/2010-04-01/Accounts/{account}/Messages"
        return [web.post(f"{base}.json", self.create), web.get(base + "/{sid}.json", self.fetch)]

    async def start(self) -> None:
        self._session = ClientSession(timeout=ClientTimeout(total=10))
        self._callers = [asyncio.ensure_future(self._call(self._session)) for _ in range(CALLERS)]

    async def stop(self) -> None:
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def forget(self) -> None:
        """Drop the callbacks that wait."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self.dropped = 0

    # ---- the API ----

    async def create(self, request: web.Request) -> web.StreamResponse:
        refused = self._not_ours(request)
        if refused is not None:
            return refused
        form = {name: str(value) for name, value in (await request.post()).items()}
        to = form.get("To", "")
        rules = self._script.matching("sms", to)
        for rule in rules:
            if rule.latency is not None:
                await asyncio.sleep(rule.latency)
        scripted = next((rule for rule in rules if rule.http is not None), None)
        if scripted is not None:
            return _error(scripted.http or 400, scripted.code or 0, scripted.retry_after)
        problem = _problem(form)
        if problem is not None:
            return _error(400, problem)
        received = self._receive(form, to)
        self._report(form, received, next((rule for rule in rules if rule.final is not None), None))
        if any(rule.drop for rule in rules) and request.transport is not None:
            request.transport.abort()
        return web.json_response(self._resource(received), status=201)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        refused = self._not_ours(request)
        if refused is not None:
            return refused
        received = self._inbox.find(request.match_info["sid"])
        return _error(404, 20404) if received is None else web.json_response(self._resource(received))

    async def inbound(
        self, sender: str, text: str, url: str | None, opt_out: str | None = None
    ) -> tuple[int, str]:
        """Post a citizen's text to the webhook; its HTTP code and body. Raises ValueError without a URL.

        `opt_out` is the OptOutType that Twilio adds where it has answered by itself (Advanced Opt-Out); the account
        played here has that switched off, so that the service answers.
        """
        target = url or self._account.inbound_url
        if target is None or self._session is None:
            raise ValueError("no inbound URL is configured; give one as url")
        sid = _sid()
        form = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": self._account.sid,
            "From": sender,
            "To": self._account.number,
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        if opt_out is not None:
            form["OptOutType"] = opt_out
        return await self._post(self._session, Callback(target, form))

    # ---- what follows ----

    def _not_ours(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != self._authorization:
            return _error(401, 20003)
        return _error(404, 20404) if request.match_info["account"] != self._account.sid else None

    def _receive(self, form: dict[str, str], to: str) -> Received:
        sender = form.get("MessagingServiceSid") or form.get("From", "")
        received = Received("sms", to, sender, form["Body"], _sid(), "accepted", time.time())
        self._inbox.add(received)
        return received

    def _report(self, form: dict[str, str], received: Received, rule: Rule | None) -> None:
        url = form.get("StatusCallback")
        if url is None:
            return
        words = list(self._account.callbacks)
        if rule is not None and rule.final is not None and words:
            words[-1] = rule.final
        for word in words:
            fields = {
                "MessageSid": received.reference,
                "SmsSid": received.reference,
                "MessageStatus": word,
                "SmsStatus": word,
                "AccountSid": self._account.sid,
                "From": self._account.number,
                "To": received.to,
                "ApiVersion": "2010-04-01",
            }
            if "MessagingServiceSid" in form:
                fields["MessagingServiceSid"] = form["MessagingServiceSid"]
            if rule is not None and word == rule.final and rule.error_code is not None:
                fields["ErrorCode"] = str(rule.error_code)
            try:
                self._waiting.put_nowait(Callback(url, fields))
            except asyncio.QueueFull:
                self.dropped += 1

    async def _call(self, session: ClientSession) -> None:
        while True:
            callback = await self._waiting.get()
            for pause in (0.5, 0.0):
                try:
                    status, _ = await self._post(session, callback)
                except (ClientError, TimeoutError):
                    status = 599
                if status < 500:
                    break
                await asyncio.sleep(pause)
            else:
                self.dropped += 1

    async def _post(self, session: ClientSession, callback: Callback) -> tuple[int, str]:
        signature = self._validator.compute_signature(callback.url, callback.form)
        headers = {"X-Twilio-Signature": signature, "User-Agent": "TwilioProxy/1.1"}
        async with session.post(callback.url, data=callback.form, headers=headers) as response:
            return response.status, await response.text()

    def _resource(self, received: Received) -> dict[str, object]:
        """The Message resource (twilio.com/docs/messaging/api/message-resource)."""
        date = format_datetime(datetime.fromtimestamp(received.at, UTC))
        service = received.sender if received.sender.startswith("MG") else None
        uri = f"/2010-04-01/Accounts/{self._account.sid}/Messages/{received.reference}"
        return {
            "sid": received.reference,
            "account_sid": self._account.sid,
            "messaging_service_sid": service,
            "from": None if service else received.sender,
            "to": received.to,
            "body": received.text,
            "status": received.status,
            "direction": "outbound-api",
            "num_segments": "0",
            "num_media": "0",
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": None,
            "api_version": "2010-04-01",
            "date_created": date,
            "date_updated": date,
            "date_sent": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }


def _problem(form: dict[str, str]) -> int | None:
    """The error code of the first thing that Twilio would refuse."""
    if not form.get("To"):
        return 21604
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 21603
    if not form.get("Body"):
        return 21602
    if not _E164(form["To"]):
        return 21211
    if "MessagingServiceSid" in form and not _SERVICE(form["MessagingServiceSid"]):
        return 21705
    if len(form["Body"]) > 1600:
        return 21617
    validity = form.get("ValidityPeriod", "1")
    if not validity.isdecimal() or not 1 <= int(validity) <= 36000:
        return 21624
    if "StatusCallback" in form and urlsplit(form["StatusCallback"]).scheme not in {"http", "https"}:
        return 21609
    return None


def _error(http: int, code: int, retry_after: float | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    document = {
        "code": code,
        "message": "refused by the sandbox",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": http,
    }
    return web.json_response(document, status=http, headers=headers)


def _sid() -> str:
    return f"SM{secrets.token_hex(16)}"
