"""Who may call what: every view says it, and one check before each request enforces it.

A view carries `access`: "public", "webhook" (the provider's signature is checked inside) or the roles that may call it; an
administrator may call everything. A view that says nothing is refused to everybody. Must not import the store.
Invariant: no view runs for a caller whom its `access` does not name.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import Flask, Response, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized

from alerting.api.setting import settings
from alerting.authoring import keys
from alerting.authoring.keys import Key, Role

Access = Literal["public", "webhook"] | frozenset[Role]
View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that everybody may call."""
    return _marked(view, "public")


def webhook(view: View) -> View:
    """Mark a view that a provider calls: it must check the provider's signature before anything else."""
    return _marked(view, "webhook")


def allow(*roles: Role) -> Callable[[View], View]:
    """Mark a view with the roles that may call it, beside the administrator."""
    granted = frozenset({*roles, Role.ADMINISTRATOR})
    return lambda view: _marked(view, granted)


def by_token(view: View) -> View:
    """Mark a view with roles that METRICS_TOKEN opens as well: a scraper's, which needs no database to be recognised."""
    view.by_token = True  # type: ignore[attr-defined] # as in _marked
    return view


def _marked(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined] # functools.wraps carries it through every decorator above
    return view


def access_of(view: object) -> Access | None:
    """What a view carries; None when it says nothing."""
    found: Access | None = getattr(view, "access", None)
    return found


def open_to_all(app: Flask, endpoints: set[str]) -> None:
    """Mark the views of a package that is public as a whole, or of a foreign blueprint."""
    for endpoint in endpoints:
        view = app.view_functions[endpoint]
        if access_of(view) is None:
            public(view)


def caller() -> Key:
    """The key of this request; only views with roles may ask."""
    found = g.get("key")
    if not isinstance(found, Key):
        raise _unauthorized("this view was called without a key")
    return found


def _unauthorized(detail: str) -> HTTPException:
    return Unauthorized(detail, www_authenticate=WWWAuthenticate("bearer", {"realm": "alerting"}))


def identify() -> None:
    """Recognise the key of the request, before rate limits count it; nobody is refused here."""
    g.key, g.scraper = None, False
    access = access_of(_view())
    if access in {None, "public", "webhook"}:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        token = settings().metrics_token
        if (
            token
            and getattr(_view(), "by_token", False)
            and hmac.compare_digest(secret.strip().encode("utf-8", "surrogateescape"), token.encode())
        ):
            g.scraper = True
            return
        g.key = keys.recognise(secret.strip())


def enforce() -> None:
    """Refuse a caller whom the view does not name: 401 without a good key, 403 with a key of another role."""
    if request.endpoint is None or request.method == "OPTIONS":
        return
    access = access_of(_view())
    if access in {"public", "webhook"} or g.scraper:
        return
    if not isinstance(access, frozenset):
        raise Forbidden("this address is open to nobody")
    if g.key is None:
        given = "Authorization" in request.headers
        raise _unauthorized(
            "the API key is unknown or revoked" if given else "send an API key: `Authorization: Bearer KEY`"
        )
    if g.key.role not in access:
        raise Forbidden(f"a key of role {g.key.role} may not do this; it needs {_either(access)}")


def keep_private(response: Response) -> Response:
    """What was answered to a key is kept by no cache, and read as nothing but what it says it is."""
    if isinstance(access_of(_view()), frozenset):
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def _view() -> object:
    return current_app.view_functions.get(request.endpoint or "")


def _either(roles: frozenset[Role]) -> str:
    return " or ".join(sorted(role.value for role in roles))
