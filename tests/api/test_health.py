"""Lives and ready, for load balancers."""

from __future__ import annotations

from flask.testing import FlaskClient

from alerting.store import engine


def test_healthz_asks_nobody(client: FlaskClient) -> None:
    engine.configure("postgresql://nobody@127.0.0.1:9/none")
    assert client.get("/healthz").get_json() == {"ok": True}


def test_readyz_names_each_thing_that_was_looked_at(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    body = answer.get_json()
    assert {each["name"]: each["ok"] for each in body["checks"]} == {
        "postgresql": True,
        "migration": True,
        "redis": True,
        "sweep": False,
    }
    assert (body["ready"], body["well"], body["sweep_age"]) == (True, False, None)


def test_readyz_is_503_without_a_database_and_keeps_its_secrets(client: FlaskClient) -> None:
    engine.configure("postgresql://nobody:secret@127.0.0.1:9/none")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "secret" not in answer.text
