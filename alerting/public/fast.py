"""Feeds before the framework: a WSGI layer that answers GET and HEAD of /feeds/... from memory.

Wraps the application; what it does not know (no such feed, another method) goes on to the routes. The version of all feeds
is asked of the database at most each half second, once for all requests. Invariant: no answer is older than that, so that a
Cancel is out within a second of its issue, with or without workers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from werkzeug.http import http_date, is_resource_modified
from werkzeug.wrappers import Response

from alerting import feeds
from alerting.config import Settings
from alerting.feeds import Served
from alerting.public.html import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/feeds/"

#: Seconds that a version is believed: with the time of an answer well under the second that a Cancel may take.
BELIEVED = 0.5

# Bodies kept: a feed of 300 warnings is about 500 kB.
_MOST_KEPT = 64


class FeedCache:
    """The application with the feeds answered before it."""

    def __init__(
        self,
        app: WSGIApplication,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._now = now
        self._kept: dict[str, Served] = {}
        self._version: tuple[int, float] | None = None  # the version, and until when it is believed
        self._asking = threading.Lock()
        self._rendering = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._app(environ, start_response)
        served = self._served(path)
        if served is None:
            return self._app(environ, start_response)
        return answer(served, environ, self._now())(environ, start_response)

    def _served(self, path: str) -> Served | None:
        """The document, from memory if it is current; None when there is none or the database does not answer."""
        try:
            kept = self._current_one(path)
            if kept is None:
                # One at a time: after an issue everybody asks at once, and the first answer serves the others.
                with self._rendering:
                    kept = self._current_one(path) or self._made(path)
        except feeds.Unavailable:
            return None  # the route asks again and says what is wrong
        return kept

    def _current_one(self, path: str) -> Served | None:
        kept = self._kept.get(path)
        if kept is not None and kept.version == self._current() and self._now() < kept.good_until:
            return kept
        return None

    def _made(self, path: str) -> Served | None:
        asked = self._clock()
        made = read(path, self._settings, self._now())
        if made is not None:
            self._version = (made.version, asked + BELIEVED)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[path] = made
        return made

    def _current(self) -> int:
        """The version in force, as of half a second ago at the latest; one thread asks, the others wait for it."""
        believed = self._version
        if believed is not None and self._clock() < believed[1]:
            return believed[0]
        with self._asking:
            believed = self._version
            if believed is not None and self._clock() < believed[1]:
                return believed[0]
            asked = self._clock()
            version = feeds.current_version()
            self._version = (version, asked + BELIEVED)
            return version


def read(path: str, settings: Settings, now: datetime) -> Served | None:
    """The document at a path such as /feeds/CN-AH/fr.atom; None when there is none."""
    try:  # WSGI hands out the octets of the path as Latin-1 (PEP 3333)
        written = path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    key, _, media = written.removeprefix(PREFIX).rpartition(".")
    return feeds.document(key, media, settings=settings, now=now)


def answer(served: Served, environ: WSGIEnvironment, now: datetime) -> Response:
    """200 with the document, or 304 when the reader has it; the reader must ask again each time."""
    headers = {
        **HEADERS,
        "Cache-Control": "public, no-cache",
        "ETag": served.etag,
        "Access-Control-Allow-Origin": "*",  # pages of the media may read what is public anyway
    }
    # A second that is not over may bring another document of the same date (RFC 9110, 8.8.2.1): a reader that knows the
    # date alone would never hear of it.
    if served.last_modified.replace(microsecond=0) < now.replace(microsecond=0):
        headers["Last-Modified"] = http_date(served.last_modified)
    if not is_resource_modified(environ, etag=served.etag.strip('"'), last_modified=served.last_modified):
        return Response(status=304, headers=headers)
    return Response(served.body, headers=headers, content_type=served.media_type)
