"""How a command reaches the running service, or its database: where it is, with which key, and what its answers say.

An address and a key come from options, else from ALERTING_URL (or PORT) and ALERTING_API_KEY, else from the file that
`alerting up` leaves for its own user. Imports only the standard library and click, and what a database needs when it is asked
for. Invariant: a key is sent to the address that was asked for and nowhere else: no redirect is followed.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import click

if TYPE_CHECKING:
    from alerting.config import Settings

TIMEOUT = 30.0
SERVICE_FILE = "service.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said; `body` is the JSON of the answer, {} when it had none."""

    status: int
    body: Mapping[str, Any]
    link: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Service:
    """The running service as one officer sees it."""

    url: str
    key: str

    def get(self, path: str) -> Answer:
        """Raises ClickException when the service does not answer or refuses."""
        found = self.send("GET", path)
        if found.status >= 400:
            raise click.ClickException(told(found))
        return found

    def send(
        self, method: str, path: str, body: bytes | None = None, media_type: str | None = None
    ) -> Answer:
        """One request; raises ClickException when the service does not answer."""
        base = urlsplit(self.url)
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if media_type is not None:
            headers["Content-Type"] = media_type
        connection = _connection(base)
        try:
            connection.request(method, base.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise click.ClickException(
                f"the service at {self.url} does not answer ({error}): is `alerting up` running? "
                "--url or ALERTING_URL names another address"
            ) from error
        finally:
            connection.close()
        try:
            found = json.loads(data) if data else {}
        except ValueError as error:
            raise click.ClickException(f"{self.url} is not this service: its answer is no JSON") from error
        return Answer(response.status, found if isinstance(found, dict) else {}, response.headers.get("Link"))


def _connection(base: SplitResult) -> http.client.HTTPConnection:
    if base.scheme == "https":
        return http.client.HTTPSConnection(base.netloc, timeout=TIMEOUT)
    return http.client.HTTPConnection(base.netloc, timeout=TIMEOUT)


def told(answer: Answer) -> str:
    """A refusal in words: the detail, then each finding on a line."""
    body = answer.body
    lines = [f"{answer.status} {body.get('title', '')}: {body.get('detail', '')}".strip(": ")]
    lines += [f"  {finding(each)}" for each in body.get("errors", [])]
    lines += [f"  warning: {finding(each)}" for each in body.get("warnings", [])]
    if answer.status >= 500 and "request_id" in body:
        lines.append(f"  request {body['request_id']}")
    return "\n".join(lines)


def finding(each: Mapping[str, Any]) -> str:
    """One finding: rule, place, what to do."""
    where = each.get("path") or each.get("pointer") or each.get("parameter") or ""
    return ": ".join(str(word) for word in (each.get("rule"), where, each.get("detail")) if word)


def service(url: str | None, key: str | None, environ: Mapping[str, str] | None = None) -> Service:
    """The service that the options, the environment or the data folder names; raises ClickException."""
    environ = os.environ if environ is None else environ
    left = _left_by_up(environ)
    port = environ.get("PORT")
    at = (
        url
        or environ.get("ALERTING_URL")
        or (f"http://127.0.0.1:{port}" if port else None)
        or left.get("url")
        or "http://127.0.0.1:8000"
    )
    parts = urlsplit(at)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.ClickException(
            f"{at} is not an address of a service: write http://127.0.0.1:8000 or https://..."
        )
    # The key that was left belongs to the service that was left with it, not to another address.
    mine = left.get("key") if at == left.get("url") else None
    found = key or environ.get("ALERTING_API_KEY") or mine
    if not found:
        raise click.ClickException(
            "no API key: give --key or set ALERTING_API_KEY (the first key is made by "
            "`alerting keys create --role administrator NAME`)"
        )
    return Service(at.rstrip("/"), found)


def _left_by_up(environ: Mapping[str, str]) -> Mapping[str, str]:
    """{url, key} that `alerting up` or `demo` wrote for its own user; {} when nothing runs here."""
    from alerting import embedded

    data = Path(embedded.default_data(environ))
    for folder in (data, data / "demo"):
        try:
            found = json.loads((folder / SERVICE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return {name: value for name, value in found.items() if isinstance(value, str)}
    return {}


@contextmanager
def database(*, start: bool = False) -> Iterator[Settings]:
    """The settings of the service, its database named; what a user can mend is told in a line, as a ClickException.

    The database is that of the environment, else of the servers that run here. With `start` the private one is started where
    none runs, for the length of this, and the database itself is named, not the PgBouncer before it. Raises
    ConfigurationError, which the command line tells.
    """
    from alerting import embedded
    from alerting.backup import BackupError
    from alerting.config import Settings
    from alerting.store import engine
    from alerting.subscribing import AddressError, SubscribingError, UnknownKey

    environ = dict(os.environ)
    started = None
    try:
        if not environ.get("DATABASE_URL"):
            if start:
                servers = started = embedded.start(embedded.default_data(environ), environ)
            elif (running := embedded.attach(None, environ)) is not None:
                servers = running
            else:
                raise click.ClickException(
                    "no database: set DATABASE_URL, or start the service with `alerting up`"
                )
            environ = servers.environment(environ)
        settings = Settings.from_env(environ)
        if start:
            engine.configure(settings.database_direct_url or settings.database_url)
        else:
            engine.configure(settings.database_url, pgbouncer=settings.pgbouncer)
        yield settings
    except (AddressError, BackupError, SubscribingError, UnknownKey, embedded.EmbeddedError) as error:
        raise click.ClickException(str(error)) from error
    except engine.DatabaseError as error:
        raise click.ClickException(unavailable(error)) from error
    finally:
        engine.dispose()
        if started is not None:
            started.stop()


def unavailable(error: Exception) -> str:
    """What is told of an error of the database: by its class, since its text may hold the URL with the password."""
    return (
        f"the database refuses or does not answer ({type(error).__name__}): is it the one that DATABASE_URL names,"
        " and migrated with `alerting db upgrade`?"
    )
