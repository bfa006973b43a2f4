"""Keys: the first on an empty table, later ones by an administrator, each shown once, each change in the audit."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from alerting.authoring import keys
from alerting.authoring.keys import Role
from alerting.store import audit, tables
from alerting.store.engine import transaction
from tests.api.conftest import Officers

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def test_the_first_key_is_made_on_an_empty_table_only(database: str) -> None:
    keys.create_first("duty desk", secret=keys.new_secret(), now=NOW)
    with pytest.raises(keys.NotFirst):
        keys.create_first("another", secret=keys.new_secret(), now=NOW)


def test_of_many_first_keys_at_once_one_is_made(database: str) -> None:
    made: list[str] = []

    def attempt(n: int) -> None:
        with contextlib.suppress(keys.NotFirst):
            made.append(keys.create_first(f"desk {n}", secret=keys.new_secret(), now=NOW).name)

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_the_store_has_the_hash_of_a_key_and_never_the_key(database: str) -> None:
    secret = keys.new_secret()
    keys.create_first("desk", secret=secret, now=NOW)
    with transaction() as session:
        row = session.execute(tables.api_key.select()).one()
    assert bytes(row.hash) == hashlib.sha256(secret.encode()).digest()
    assert secret not in str(tuple(row))


def test_a_key_is_256_random_bits() -> None:
    made = {keys.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret) for secret in made} == {len("wk_") + 43}


def test_an_administrator_makes_a_key_over_http_and_it_works_at_once(
    client: FlaskClient, officers: Officers
) -> None:
    answer = client.post(
        "/api/v1/keys", json={"name": "river desk", "role": "auditor"}, headers=officers.of("administrator")
    )
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    secret = answer.get_json()["key"]
    listed = client.get("/api/v1/keys", headers={"Authorization": f"Bearer {secret}"})
    assert {"name": "river desk", "role": "auditor"}.items() <= listed.get_json()["keys"][-1].items()
    assert secret not in listed.text


def test_a_name_is_given_once_also_after_its_key_was_revoked(client: FlaskClient, officers: Officers) -> None:
    headers = officers.of("administrator")
    assert client.delete("/api/v1/keys/auditor", headers=headers).status_code == 204
    answer = client.post("/api/v1/keys", json={"name": "auditor", "role": "auditor"}, headers=headers)
    assert answer.status_code == 409
    assert client.delete("/api/v1/keys/auditor", headers=headers).status_code == 404


def test_the_last_administrator_stays(client: FlaskClient, officers: Officers) -> None:
    headers = officers.of("administrator")
    assert client.delete("/api/v1/keys/administrator", headers=headers).status_code == 409
    made = client.post(
        "/api/v1/keys", json={"name": "next", "role": "administrator"}, headers=headers
    ).get_json()
    following = {"Authorization": f"Bearer {made['key']}"}
    assert client.delete("/api/v1/keys/administrator", headers=following).status_code == 204


def test_a_key_revoked_meanwhile_cannot_make_another(database: str) -> None:
    first = keys.create_first("first", secret=keys.new_secret(), now=NOW)
    second = keys.create("second", Role.ADMINISTRATOR, secret=keys.new_secret(), by=first, now=NOW)
    keys.revoke("first", by=second, now=NOW)
    with pytest.raises(keys.NotAllowed):
        keys.create("third", Role.AUDITOR, secret=keys.new_secret(), by=first, now=NOW)


@pytest.mark.parametrize("name", ["", " desk", "desk\nline", "d" * 65, "desk/1"])
def test_a_name_that_does_not_belong_into_logs_is_refused(database: str, name: str) -> None:
    with pytest.raises(keys.BadName):
        keys.create_first(name, secret=keys.new_secret(), now=NOW)


def test_making_and_revoking_are_in_the_audit(client: FlaskClient, officers: Officers) -> None:
    client.delete("/api/v1/keys/auditor", headers=officers.of("administrator"))
    with transaction() as session:
        entries = [(each.actor, each.act) for each in audit.of(session, "key:auditor")]
    assert entries == [("administrator", "key.created"), ("administrator", "key.revoked")]


def test_the_policy_is_shown_to_all_and_set_by_administrators(
    client: FlaskClient, officers: Officers
) -> None:
    assert client.get("/api/v1/policy", headers=officers.of("preparer")).get_json() == {"approvers": 1}
    answer = client.put("/api/v1/policy", json={"approvers": 0}, headers=officers.of("administrator"))
    assert answer.get_json() == {"approvers": 0}
    assert client.get("/api/v1/policy", headers=officers.of("preparer")).get_json() == {"approvers": 0}
    refused = client.put("/api/v1/policy", json={"approvers": True}, headers=officers.of("administrator"))
    assert refused.status_code == 422
