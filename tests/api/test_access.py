"""Who may call what: every view says it, and nobody else gets in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from alerting.api.access import access_of
from alerting.authoring import keys
from alerting.authoring.keys import Role
from tests.api.conftest import Officers

#: What stands for the variable parts of an address.
PLACES = {"alert": "00000000-0000-4000-8000-000000000000", "subscriber": 1, "code": "XA", "name": "nobody"}


def _address(app: Flask, rule: Rule) -> str:
    with app.test_request_context():
        values = {name: PLACES.get(name, "x") for name in rule.arguments}
        return app.url_map.bind("localhost").build(
            rule.endpoint, values, method=next(iter(sorted(rule.methods or [])))
        )


def _guarded(app: Flask) -> list[tuple[str, str, frozenset[Role]]]:
    """(method, address, roles) of every view that asks for a key."""
    found: list[tuple[str, str, frozenset[Role]]] = []
    for rule in app.url_map.iter_rules():
        access = access_of(app.view_functions[rule.endpoint])
        if isinstance(access, frozenset):
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            found += [(method, _address(app, rule), access) for method in methods]
    return found


def test_every_view_says_who_may_call_it(app: Flask) -> None:
    silent = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not (
            access_of(view := app.view_functions[rule.endpoint]) in {"public", "webhook"}
            or isinstance(access_of(view), frozenset)
        )
    ]
    assert silent == []


def test_nothing_below_api_is_public(app: Flask) -> None:
    open_ones = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        and not isinstance(access_of(app.view_functions[rule.endpoint]), frozenset)
    ]
    assert open_ones == []


def test_a_view_that_says_nothing_is_refused_to_everybody(app: Flask, officers: Officers) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "secret", endpoint="forgotten")
    answer = app.test_client().get("/forgotten", headers=officers.of("administrator"))
    assert answer.status_code == 403


def test_without_a_key_every_guarded_view_answers_401(app: Flask, client: FlaskClient) -> None:
    guarded = _guarded(app)
    assert len(guarded) > 15
    for method, address, _ in guarded:
        answer = client.open(address, method=method)
        assert (method, address, answer.status_code) == (method, address, 401)
        assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
        assert answer.mimetype == "application/problem+json"


def test_with_a_key_of_another_role_every_guarded_view_answers_403(
    app: Flask, client: FlaskClient, officers: Officers
) -> None:
    for method, address, roles in _guarded(app):
        for role in set(Role) - roles:
            answer = client.open(address, method=method, headers=officers.of(role.value))
            assert (method, address, role, answer.status_code) == (method, address, role, 403)


def test_with_a_named_role_no_guarded_view_refuses(
    app: Flask, client: FlaskClient, officers: Officers
) -> None:
    for method, address, roles in _guarded(app):
        for role in roles:
            answer = client.open(address, method=method, headers=officers.of(role.value))
            assert answer.status_code not in {401, 403, 500}, (method, address, role, answer.text)


@pytest.mark.parametrize(
    "header",
    ["Bearer wk_unknown", "Basic d2F0ZXI6ZmxvdXI=", "Bearer", "Bearer \xe9", "wk_unknown"],
)
def test_a_header_that_is_no_key_of_ours_answers_401(
    client: FlaskClient, officers: Officers, header: str
) -> None:
    assert client.get("/api/v1/alerts", headers={"Authorization": header}).status_code == 401


def test_a_revoked_key_is_refused_from_the_next_request_on(client: FlaskClient, officers: Officers) -> None:
    assert client.get("/api/v1/alerts", headers=officers.of("auditor")).status_code == 200
    administrator = keys.recognise(officers.secrets["administrator"])
    assert administrator is not None
    keys.revoke("auditor", by=administrator, now=datetime.now(UTC))
    assert client.get("/api/v1/alerts", headers=officers.of("auditor")).status_code == 401


def test_what_is_answered_to_a_key_is_kept_by_no_cache(client: FlaskClient, officers: Officers) -> None:
    answer = client.get("/api/v1/alerts", headers=officers.of("auditor"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
