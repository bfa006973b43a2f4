"""Whether the process lives and whether it can do its work, for load balancers and supervisors.

Thin views over `alerting.health`. Invariant: neither names a host or a secret, and both answer without a key.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from alerting import health
from alerting.api.access import public
from alerting.api.answers import HealthAnswer
from alerting.api.setting import now, settings

blp = Blueprint("health", __name__)


@blp.route("/healthz")
@public
def healthz() -> Response:
    """The process answers; nothing else is asked, so that a database away does not get it restarted."""
    return jsonify({"ok": True})


@blp.route("/readyz")
@public
def readyz() -> Response:
    """PostgreSQL, the migration, Redis and the sweep; 503 when no request can be served."""
    found = health.examine(settings().redis_url, now=now())
    response = jsonify(HealthAnswer().dump(found))
    response.status_code = 200 if found.ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response
