"""The routes of the public pages, feeds, CAP documents and unsubscribe links.

Thin: asks the feeds and subscribing, and lays out what they say. Invariant: every answer has an ETag or forbids keeping it,
and a GET changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from alerting import feeds, subscribing
from alerting.config import Settings
from alerting.public import fast, html
from alerting.public.access import public


def blueprint(settings: Settings) -> Blueprint:
    """The routes with their settings."""
    views = _Views(settings)
    made = Blueprint("public", __name__)
    made.add_url_rule("/", "overview", public(views.overview))
    made.add_url_rule("/w/<slug>", "warning", public(views.warning))
    made.add_url_rule("/cap/<uuid:alert>.xml", "cap", public(views.cap))
    made.add_url_rule("/feeds/<path:name>", "feed", public(views.feed))
    made.add_url_rule("/unsubscribe/<token>", "unsubscribe", public(views.unsubscribe))
    made.add_url_rule("/unsubscribe/<token>", "unsubscribed", public(views.unsubscribed), methods=["POST"])
    made.add_url_rule("/robots.txt", "robots", public(views.robots))
    return made


class _Views:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def overview(self) -> Response:
        page = feeds.overview(_reader(), settings=self.settings, now=datetime.now(UTC))
        return _page(html.page("overview.html", language=page.language, direction=page.direction, page=page))

    def warning(self, slug: str) -> Response:
        page = feeds.warning(slug, _reader(), settings=self.settings, now=datetime.now(UTC))
        if page is None:
            return self._message("There is no such warning.", 404)
        first = page.parts[0]
        return _page(html.page("warning.html", language=first.language, direction=first.direction, page=page))

    def cap(self, alert: UUID) -> Response:
        document = feeds.cap_document(alert)
        if document is None:
            return self._message("There is no such warning.", 404)
        response = Response(document.body, content_type="application/cap+xml", headers=html.HEADERS)
        response.last_modified = document.last_modified
        response.headers["Access-Control-Allow-Origin"] = "*"
        # The bytes of an alert never change: only the pages and feeds say what has become of it.
        return _conditional(response, document.etag, "public, max-age=86400, immutable")

    def feed(self, name: str) -> Response:
        """The same answer as the layer before the framework gives; here for what that one passes on."""
        now = datetime.now(UTC)
        served = fast.read(f"{fast.PREFIX}{name}", self.settings, now)
        if served is not None:
            return fast.answer(served, request.environ, now)
        text = (
            "There is no such feed.\n\n"
            "All warnings:   /feeds/all.rss  /feeds/all.atom  /feeds/all.json\n"
            "In a language:  /feeds/all/fr.rss\n"
            "Of a region:    /feeds/CODE.rss  /feeds/CODE/fr.rss\n\n"
            "CODE is the code of a region, as /api/v1/regions lists them; a language is a BCP 47 tag.\n"
        )
        return Response(text, 404, headers=html.HEADERS, content_type="text/plain; charset=utf-8")

    def unsubscribe(self, token: str) -> Response:
        """Only asks: mail programs and scanners open links by themselves (RFC 8058, section 1)."""
        del token
        say = feeds.saying(_reader(), self.settings)
        return self._unsubscribe_page(
            "Do you want no more warnings at this address?", 200, button=say.say("Stop")
        )

    def unsubscribed(self, token: str) -> Response:
        """One click, with or without the body that RFC 8058 asks mail programs to send."""
        stopped = subscribing.stop(token, now=datetime.now(UTC))
        if stopped is None:
            return self._unsubscribe_page("This link is not valid. Nothing was changed.", 404)
        return self._unsubscribe_page("You will get no more warnings at this address.", 200)

    def robots(self) -> Response:
        text = "User-agent: *\nDisallow: /api/\nDisallow: /unsubscribe/\n"
        return Response(text, headers=html.HEADERS, content_type="text/plain; charset=utf-8")

    def _message(self, phrase: str, status: int) -> Response:
        say = feeds.saying(_reader(), self.settings)
        page = html.page(
            "message.html",
            language=say.language,
            direction=say.direction,
            message=say.say(phrase),
            home=f"{self.settings.public_base_url}/",
            home_label=say.say("Warnings in force"),
        )
        return _page(page, status)

    def _unsubscribe_page(self, phrase: str, status: int, *, button: str = "") -> Response:
        say = feeds.saying(_reader(), self.settings)
        response = _html(
            html.page(
                "unsubscribe.html",
                language=say.language,
                direction=say.direction,
                title=say.say("Stop these messages"),
                message=say.say(phrase),
                button=button,
            ),
            status,
        )
        response.headers["Cache-Control"] = "no-store"
        return response


# Nobody reads more; a header of a thousand languages is an attack.
_MOST_LANGUAGES = 10


def _reader() -> Sequence[str]:
    """The languages of the reader, the best first: ?lang=, then Accept-Language."""
    accepted = [language for language in request.accept_languages.values() if language != "*"]
    asked = request.args.get("lang", "")
    return [*([asked] if asked else []), *accepted[:_MOST_LANGUAGES]]


def _html(text: str, status: int) -> Response:
    response = Response(text, status, content_type="text/html; charset=utf-8", headers=html.HEADERS)
    response.headers["Content-Security-Policy"] = html.policy()
    response.headers["Vary"] = "Accept-Language"
    return response


def _page(text: str, status: int = 200) -> Response:
    etag = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    return _conditional(_html(text, status), f'"{etag}"', "no-cache")


def _conditional(response: Response, etag: str, caching: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = caching
    return response.make_conditional(request) if response.status_code == 200 else response
