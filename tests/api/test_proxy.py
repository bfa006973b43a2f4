"""Only named proxies say who calls."""

from __future__ import annotations

import pytest
from flask import Flask, request

from alerting.api.proxy import TrustedProxies


@pytest.mark.parametrize(
    ("allowed", "peer", "seen"),
    [
        ("127.0.0.1", "127.0.0.1", ("203.0.113.7", "https")),
        ("127.0.0.1", "198.51.100.1", ("198.51.100.1", "http")),
        ("10.0.0.0/8, 127.0.0.1", "10.2.3.4", ("203.0.113.7", "https")),
        ("*", "198.51.100.1", ("203.0.113.7", "https")),
        ("", "127.0.0.1", ("127.0.0.1", "http")),
        ("127.0.0.1", "", ("", "http")),
    ],
)
def test_forwarded_headers_count_from_named_proxies_alone(
    allowed: str, peer: str, seen: tuple[str, str]
) -> None:
    app = Flask("proxied")
    app.add_url_rule("/", view_func=lambda: {"from": request.remote_addr or "", "scheme": request.scheme})
    app.wsgi_app = TrustedProxies(app.wsgi_app, allowed)  # type: ignore[method-assign] # as Flask documents
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "https"}
    answer = app.test_client().get("/", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.get_json() == {"from": seen[0], "scheme": seen[1]}
