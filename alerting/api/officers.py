"""API keys and the policy over HTTP, for administrators.

Thin views over `alerting.authoring`. Must not import the store. Invariant: a key is shown in the answer that makes it, and
never again.
"""

from __future__ import annotations

from typing import Any

from flask import Response

from alerting.api.access import allow, caller
from alerting.api.answers import KeyMade, KeysAnswer, PolicyAnswer
from alerting.api.documented import refuses
from alerting.api.reading import ApiBlueprint
from alerting.api.schemas import KeyBody, PolicyBody
from alerting.api.setting import now
from alerting.authoring import keys, policy
from alerting.authoring.keys import Role

blp = ApiBlueprint("officers", __name__, url_prefix="/api/v1", description="Who may do what.")


@blp.route("/keys", methods=["GET"])
@refuses(blp)
@blp.response(200, KeysAnswer)
@allow(Role.AUDITOR)
def key_list() -> dict[str, Any]:
    """Every key ever made: name, role and times."""
    return {"keys": keys.listing()}


@blp.route("/keys", methods=["POST"])
@refuses(blp, 400, 409, 415)
@blp.arguments(KeyBody)
@blp.response(201, KeyMade)
@allow()
def key_new(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a key; the answer is the only place where it is ever shown."""
    secret = keys.new_secret()
    made = keys.create(body["name"], Role(body["role"]), secret=secret, by=caller(), now=now())
    answer = {"name": made.name, "role": made.role, "key": secret}
    return answer, 201, {"Cache-Control": "no-store"}


@blp.route("/keys/<name>", methods=["DELETE"])
@refuses(blp, 404, 409)
@blp.response(204)
@allow()
def key_revoke(name: str) -> Response:
    """End a key at once."""
    keys.revoke(name, by=caller(), now=now())
    return Response(status=204)


@blp.route("/policy", methods=["GET"])
@refuses(blp)
@blp.response(200, PolicyAnswer)
@allow(*Role)
def policy_show() -> dict[str, int]:
    """How many approvers a warning needs."""
    return {"approvers": policy.approvers()}


@blp.route("/policy", methods=["PUT"])
@refuses(blp, 400, 415)
@blp.arguments(PolicyBody)
@blp.response(200, PolicyAnswer)
@allow()
def policy_set(body: dict[str, Any]) -> dict[str, int]:
    """Set how many approvers a warning needs; audited."""
    policy.set_approvers(body["approvers"], actor=caller().name, now=now())
    return {"approvers": policy.approvers()}
