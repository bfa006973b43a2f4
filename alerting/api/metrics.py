"""/metrics for Prometheus, and the layer that counts every request, those answered before the routes too.

Thin over `alerting.metrics`. Invariant: the figures are given to an officer's or an auditor's key or to METRICS_TOKEN, never
to the public: they tell an attacker when nobody is looking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Flask, Response, current_app, request

from alerting.api.access import allow, by_token
from alerting.api.setting import now, settings
from alerting.authoring.keys import Role
from alerting.metrics import CONTENT_TYPE, Exposition, Traffic
from alerting.metrics.traffic import OTHER

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

blp = Blueprint("metrics", __name__)

#: Where the routes leave the rule that answered, in the WSGI environment.
_ROUTE: Final = "alerting.route"

_EXPOSITION: Final = "alerting-metrics"

#: What is answered before the routes, by the beginning of its address.
_BEFORE: Final = ("/feeds/", "/webhooks/")


@blp.route("/metrics")
@by_token
@allow(Role.AUDITOR, Role.APPROVER)
def metrics() -> Response:
    """Everything at this moment, in Prometheus's text format."""
    exposition: Exposition = current_app.extensions[_EXPOSITION]
    response = Response(exposition.text(now=now()), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    """Serve the figures and count the requests of this application from now on; call it when it is wrapped for good."""
    traffic = Traffic()
    with app.app_context():
        app.extensions[_EXPOSITION] = Exposition(settings().redis_url, traffic)
    app.after_request(_name)
    app.wsgi_app = CountedRequests(app.wsgi_app, traffic)  # type: ignore[method-assign] # Flask's documented way to wrap it


def _name(response: Response) -> Response:
    request.environ[_ROUTE] = request.url_rule.rule if request.url_rule is not None else OTHER
    return response


class CountedRequests:
    """The application with its answers counted by method, route and status."""

    def __init__(self, app: WSGIApplication, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun: Callable[..., Any] = start_response

        def counted(status: str, *more: Any) -> Any:
            path = environ.get("PATH_INFO", "")
            route = environ.get(_ROUTE) or next((each for each in _BEFORE if path.startswith(each)), None)
            serving = bool(environ.get("wsgi.multithread") or environ.get("wsgi.multiprocess"))
            self._traffic.count(environ["REQUEST_METHOD"], route, int(status[:3]), serving=serving)
            return begun(status, *more)

        return self._app(environ, counted)
