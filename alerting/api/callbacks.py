"""Status callbacks before the framework: a WSGI layer that takes a provider's word and answers 204 when it is committed.

A warning of a million comes back as some million callbacks. Whatever is not a plain, signed and written callback goes on to
the route, which answers it: another method or form, an unknown channel, a bad signature, a database that does not answer.
Invariant: what is answered here was verified by the channel and committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote

from alerting.tracking import receipts
from channels.base import BadSignature, Channel, Event, ReceiptEvent, Webhook

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORM = "application/x-www-form-urlencoded"

#: Bytes of a form; a callback has some hundred.
LARGEST = 64 * 1024

#: Where in the WSGI environment the route finds the exception to answer with.
FAILED = "alerting.callback_failed"


class Callbacks:
    """The application with the callbacks of these channels answered before it."""

    def __init__(
        self,
        app: WSGIApplication,
        channels: Mapping[str, Channel],
        public_base_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._channels = {f"/webhooks/{name}/status": channel for name, channel in channels.items()}
        self._base = public_base_url
        self._now = now

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        channel = self._channels.get(environ.get("PATH_INFO", ""))
        if channel is None or not self._taken(channel, environ):
            return self._app(environ, start_response)
        start_response("204 No Content", [])
        return []

    def _taken(self, channel: Channel, environ: WSGIEnvironment) -> bool:
        """Whether the request was a signed callback, and is written."""
        body = _form(environ)
        if body is None:
            return False
        environ["wsgi.input"] = BytesIO(body)  # for the route, where it is asked
        try:
            found = self._events(channel, environ, body)
            if not all(isinstance(event, ReceiptEvent) for event in found):
                return False
            receipts.record([event for event in found if isinstance(event, ReceiptEvent)], now=self._now())
        except (BadSignature, UnicodeError):
            return False
        except Exception as error:  # noqa: BLE001  # the route raises it again, where it becomes an answer and a log line
            environ[FAILED] = error
            return False
        return True

    def _events(self, channel: Channel, environ: WSGIEnvironment, body: bytes) -> list[Event]:
        """What the channel makes of the request. Raises BadSignature, and UnicodeError for what is not UTF-8."""
        query = environ.get("QUERY_STRING", "")
        return channel.events(
            Webhook(
                url=f"{self._base}{environ['PATH_INFO']}{'?' if query else ''}{query}",
                method="POST",
                headers=_Headers(environ),
                form=_first(body.decode("ascii")),
                query=_first(query),
                body=body,
            )
        )


def _form(environ: WSGIEnvironment) -> bytes | None:
    """The whole form of a POST; None for anything else, of which nothing has been read then."""
    if environ["REQUEST_METHOD"] != "POST" or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != FORM:
        return None
    length = environ.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdigit() and int(length) <= LARGEST):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _first(written: str) -> dict[str, str]:
    """The first value of each name, as the route reads it (parse_qsl with blank values, in a quarter of its time)."""
    found: dict[str, str] = {}
    for pair in written.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(_plain(name), _plain(value))
    return found


def _plain(quoted: str) -> str:
    if "+" in quoted:
        quoted = quoted.replace("+", " ")
    return unquote(quoted, errors="strict") if "%" in quoted else quoted


class _Headers(Mapping[str, str]):
    """The headers of a request by their names in lower case; a channel asks for one or two of some dozen."""

    __slots__ = ("_environ",)

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ["HTTP_" + name.upper().replace("-", "_")]
        return value

    def __iter__(self) -> Iterator[str]:
        return (name[5:].replace("_", "-").lower() for name in self._environ if name.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)
