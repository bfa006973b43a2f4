"""The sandbox as a whole: one loop in a thread of its own, an HTTP and an SMTP listener on 127.0.0.1.

Owns starting, stopping and the control paths (/, /inbox.json, /sandbox/script, /sandbox/reset, /sandbox/inbound). Must
not import the service. Invariant: it listens on loopback only and delivers nothing to anybody.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from channels.run import LoopThread
from channels.sandbox.callbacks import FAILURES
from channels.sandbox.inbox import Inbox, Received
from channels.sandbox.mail_server import MailHandler, factory
from channels.sandbox.script import Rule, Script, ScriptError, parse
from channels.sandbox.sms_api import Account, SmsApi

HOST = "127.0.0.1"
T = TypeVar("T")


class PortTaken(OSError):
    """A port of the sandbox is in use; the text names it."""


@dataclass(frozen=True, slots=True, repr=False)
class SandboxConfig:
    """Port 0 takes a free one. `callbacks` are the statuses to report for each text, in order."""

    account_sid: str
    auth_token: str
    http_port: int = 0
    smtp_port: int = 0
    callbacks: tuple[str, ...] = ()
    inbound_url: str | None = None
    smtp_login: tuple[str, str] | None = None
    smtp_tls: ssl.SSLContext | None = None
    starttls: bool = False  # with smtp_tls: STARTTLS in place of TLS from the start
    pipelining: bool = True


class Sandbox:
    """`with Sandbox(config) as sandbox:` listens at `http_url` and `smtp_url` until the end of the block."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.http_url = ""
        self.smtp_url = ""
        self._inbox = Inbox()
        self._script = Script()
        self._thread = LoopThread("sandbox")
        account = Account(
            config.account_sid, config.auth_token, callbacks=config.callbacks, inbound_url=config.inbound_url
        )
        self._sms = SmsApi(account, self._inbox, self._script)
        self._runner: web.AppRunner | None = None
        self._mail: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; raises PortTaken."""
        try:
            self._call(self._start())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close everything; what was received can still be read."""
        self._thread.close(self._stop)

    def misbehave(self, *rules: Rule) -> None:
        """Put these rules in place of the ones in force."""
        self._call(self._misbehave(list(rules)))

    def received(self, channel: str) -> list[Received]:
        """The messages of a channel that are kept, the oldest first."""
        return self._call(self._received(channel))

    def counts(self, channel: str) -> dict[str, int]:
        """How often each recipient was written to."""
        return self._call(self._counts(channel))

    def reset(self) -> None:
        """Forget messages, counts, rules and waiting callbacks."""
        self._call(self._reset())

    def text_from(self, sender: str, text: str, url: str | None = None) -> tuple[int, str]:
        """A citizen's text, posted to the inbound webhook; the webhook's HTTP code and body."""
        return self._call(self._sms.inbound(sender, text, url))

    # ---- in the loop ----

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._thread.loop()).result()

    async def _start(self) -> None:
        config = self.config
        app = web.Application(client_max_size=1 << 20)
        app.add_routes(
            [
                *self._sms.routes(),
                web.get("/", self._get_page),
                web.get("/inbox.json", self._get_inbox),
                web.post("/sandbox/script", self._post_script),
                web.post("/sandbox/reset", self._post_reset),
                web.post("/sandbox/inbound", self._post_inbound),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, config.http_port).start()
        except OSError as error:
            raise PortTaken(
                f"port {config.http_port} (HTTP) of 127.0.0.1 cannot be used: {error.strerror}"
            ) from error
        login = config.smtp_login is not None
        handler = MailHandler(self._inbox, self._script, pipelining=config.pipelining, login=login)
        protocol = factory(handler, login=config.smtp_login, tls=config.smtp_tls, starttls=config.starttls)
        tls = None if config.starttls else config.smtp_tls
        try:
            self._mail = await asyncio.get_running_loop().create_server(
                protocol, HOST, config.smtp_port, ssl=tls
            )
        except OSError as error:
            raise PortTaken(
                f"port {config.smtp_port} (SMTP) of 127.0.0.1 cannot be used: {error.strerror}"
            ) from error
        self._sms.start()
        self.http_url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        scheme = "smtp" if config.smtp_tls is None else "smtp+starttls" if config.starttls else "smtps"
        self.smtp_url = f"{scheme}://{HOST}:{self._mail.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        await self._sms.stop()
        if self._mail is not None:
            self._mail.close()
        if self._runner is not None:
            await self._runner.cleanup()
        # aiosmtpd keeps a task for each open connection.
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _misbehave(self, rules: list[Rule]) -> None:
        self._script.rules[:] = rules

    async def _received(self, channel: str) -> list[Received]:
        return [message for message in self._inbox.messages if message.channel == channel]

    async def _counts(self, channel: str) -> dict[str, int]:
        return dict(self._inbox.counts[channel])

    async def _reset(self) -> None:
        self._inbox.clear()
        self._script.rules.clear()
        self._sms.forget()

    # ---- control paths ----

    async def _get_page(self, _request: web.Request) -> web.Response:
        # Mails are shown as text, but a browser shall not even try to run anything.
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return web.Response(text=self._inbox.page(), content_type="text/html", headers=headers)

    async def _get_inbox(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "100")
        if not limit.isdecimal():
            return web.json_response({"error": "limit must be a number"}, status=400)
        return web.json_response(self._inbox.document(int(limit)))

    async def _post_script(self, request: web.Request) -> web.Response:
        try:
            await self._misbehave(parse(json.loads(await request.text())))
        except (ScriptError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"rules": len(self._script.rules)})

    async def _post_reset(self, _request: web.Request) -> web.Response:
        await self._reset()
        return web.json_response({})

    async def _post_inbound(self, request: web.Request) -> web.Response:
        try:
            given = json.loads(await request.text())
            status, body = await self._sms.inbound(
                str(given["from"]), str(given["body"]), given.get("url"), given.get("opt_out")
            )
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": f"give {{from, body, url?, opt_out?}}: {error}"}, status=400)
        except FAILURES as error:
            return web.json_response(
                {"error": f"the webhook does not answer: {type(error).__name__}"}, status=502
            )
        return web.json_response({"status": status, "body": body})
