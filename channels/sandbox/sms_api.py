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
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from channels.sandbox import resource
from channels.sandbox.callbacks import Callback, Callbacks, Fate
from channels.sandbox.inbox import Inbox, Received
from channels.sandbox.script import Rule, Script

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


class SmsApi:
    """Routes below /2010-04-01/ and the senders of callbacks; lives in the sandbox's loop."""

    def __init__(self, account: Account, inbox: Inbox, script: Script) -> None:
        self._account = account
        self._inbox = inbox
        self._script = script
        self._authorization = "Basic " + b64encode(f"{account.sid}:{account.token}".encode()).decode()
        self._callbacks = Callbacks(account.token)

    def routes(self) -> list[web.RouteDef]:
        base = "/2010-04-01/Accounts/{account}/Messages"
        return [
            web.post(f"{base}.json", self.create),
            web.get(f"{base}.json", self.list),
            web.get(base + "/{sid}.json", self.fetch),
        ]

    def start(self) -> None:
        self._callbacks.start()

    async def stop(self) -> None:
        await self._callbacks.stop()

    def forget(self) -> None:
        """Drop the callbacks that wait."""
        self._callbacks.forget()

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
        hangs, drops = any(rule.hang for rule in rules), any(rule.drop for rule in rules)
        if hangs and not drops:
            await asyncio.Event().wait()  # until the other side or the sandbox has had enough
        received = self._receive(form, to, sent=not any(rule.queued for rule in rules))
        self._report(form, received, rules)
        if hangs:
            await asyncio.Event().wait()
        if drops and request.transport is not None:
            request.transport.abort()
        return web.json_response(self._resource(received), status=201)

    async def list(self, request: web.Request) -> web.StreamResponse:
        refused = self._not_ours(request)
        if refused is not None:
            return refused
        rule = self._script.refusing()
        if rule is not None and rule.http is not None:
            return _error(rule.http, rule.code or 0, rule.retry_after)
        if rule is not None:
            await asyncio.Event().wait()
        texts = [_text(received) for received in self._inbox.messages if received.channel == "sms"]
        try:
            return web.json_response(resource.page(self._account.sid, request.query, texts))
        except resource.BadQuery:
            return _error(400, 20001)

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
        if target is None:
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
        return await self._callbacks.post(Callback(target, form))

    # ---- what follows ----

    def _not_ours(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != self._authorization:
            return _error(401, 20003)
        return _error(404, 20404) if request.match_info["account"] != self._account.sid else None

    def _receive(self, form: dict[str, str], to: str, *, sent: bool) -> Received:
        sender = form.get("MessagingServiceSid") or form.get("From", "")
        status = "accepted" if sent else "queued"
        received = Received("sms", to, sender, form["Body"], _sid(), status, time.time())
        self._inbox.add(received)
        return received

    def _report(self, form: dict[str, str], received: Received, rules: Sequence[Rule]) -> None:
        url = form.get("StatusCallback")
        if url is None:
            return
        fields = {
            "MessageSid": received.reference,
            "SmsSid": received.reference,
            "AccountSid": self._account.sid,
            "From": self._account.number,
            "To": received.to,
            "ApiVersion": "2010-04-01",
        }
        if "MessagingServiceSid" in form:
            fields["MessagingServiceSid"] = form["MessagingServiceSid"]
        self._callbacks.report(url, fields, Fate.of(self._account.callbacks, rules))

    def _resource(self, received: Received) -> dict[str, object]:
        return resource.message(self._account.sid, _text(received))


def _text(received: Received) -> resource.Text:
    return resource.Text(
        received.reference,
        received.to,
        received.sender,
        received.text,
        received.status,
        received.at,
        sent=received.status != "queued",
    )


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
