"""The SMTP connections of one adapter: opened when needed, kept from one Run to the next.

Owns opening (TLS, EHLO, login) and the time-outs, by one timer for all. Must not know what a message is. Invariant: a
connection given out is ready for MAIL; used by one task at a time.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from channels.base import Misconfigured
from channels.smtp_wire import Login, Lost, SmtpConnection

IDLE = (
    30.0  # seconds that an unused connection is kept; servers give up after 300 at the latest, many after 60
)
TICK = 0.5  # seconds between two looks at the time-outs


@dataclass(frozen=True, slots=True, repr=False)
class SmtpTarget:
    """Where and how to connect. Time-outs are seconds."""

    host: str
    port: int
    security: str  # "smtp", "smtp+starttls" or "smtps"
    login: Login | None
    tls: ssl.SSLContext | None
    connect_timeout: float
    read_timeout: float


class SmtpPool:
    """Used in one loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: SmtpTarget) -> None:
        self.loop = loop
        self._target = target
        self._tls = target.tls or ssl.create_default_context() if target.security != "smtp" else None
        self._idle: list[SmtpConnection] = []
        self._all: set[SmtpConnection] = set()
        self._watch = loop.call_later(TICK, self._look)

    async def take(self) -> SmtpConnection:
        """A ready connection; raises Lost when the server cannot be reached, Misconfigured when it refuses us."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                connection.reused = True
                return connection
            self._drop(connection)
        return await self._open()

    def give(self, connection: SmtpConnection) -> None:
        """Keep a connection for the next Run, if it is good."""
        if connection.usable:
            self._idle.append(connection)
        else:
            self._drop(connection)

    def discard(self, connection: SmtpConnection) -> None:
        """Forget a connection that failed."""
        self._drop(connection)

    async def close(self) -> None:
        """Say good-bye on every connection."""
        self._watch.cancel()
        for connection in list(self._all):
            self._drop(connection)
        await asyncio.sleep(0)  # lets the transports close their sockets

    async def _open(self) -> SmtpConnection:
        target = self._target
        connection = SmtpConnection(self.loop)
        try:
            # Greeting and login are waited for by _look; this bounds TCP and TLS.
            async with asyncio.timeout(target.connect_timeout + target.read_timeout):
                async with asyncio.timeout(target.connect_timeout):
                    await self.loop.create_connection(
                        lambda: connection,
                        target.host,
                        target.port,
                        ssl=self._tls if target.security == "smtps" else None,
                    )
                self._all.add(connection)
                greeting = await connection.reply()
                if greeting.code != 220:
                    raise Lost(f"greeting {greeting.raw}")
                await connection.hello()
                if target.security == "smtp+starttls" and self._tls is not None:
                    await connection.start_tls(self._tls, target.host)
                if target.login is not None:
                    await connection.log_in(target.login)
        except TimeoutError as error:
            self._drop(connection)
            raise Lost("no connection in time", timed_out=True) from error
        except ssl.SSLCertVerificationError as error:
            self._drop(connection)
            raise Misconfigured(
                f"SMTP: the server's certificate does not verify ({error.verify_message})"
            ) from error
        except (Lost, Misconfigured):
            self._drop(connection)
            raise
        except OSError as error:
            self._drop(connection)
            raise Lost(type(error).__name__) from error
        return connection

    def _drop(self, connection: SmtpConnection) -> None:
        self._all.discard(connection)
        connection.quit()

    def _look(self) -> None:
        self._watch = self.loop.call_later(TICK, self._look)
        now = self.loop.time()
        for connection in list(self._all):
            connection.check(now, self._target.read_timeout)
        for connection in [c for c in self._idle if not c.usable or now - c.since > IDLE]:
            self._idle.remove(connection)
            self._drop(connection)
