"""`alerting keys` and `alerting policy` on the machine of the service."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from alerting.authoring import keys as officers
from alerting.authoring import policy as rules
from alerting.cli import main
from alerting.config import Settings
from alerting.store import engine

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command with the environment of an installation."""
    key = base64.b64encode(bytes(range(32))).decode()
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": "x",
        "ADDRESS_KEYS": f"k1:{key}",
        "ADDRESS_MAC_KEY": key,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ALERTING_API_KEY", raising=False)

    def call(*arguments: str, key: str = "") -> Result:
        environ = {"ALERTING_API_KEY": key} if key else {}
        done = CliRunner().invoke(main, arguments, env=environ)
        engine.configure(settings.database_url)  # for the test: a command leaves no engine behind
        return done

    yield call
    engine.dispose()


def test_the_first_key_is_an_administrators_and_printed_alone(run: Run) -> None:
    first = run("keys", "create", "--role", "administrator", "duty desk")
    assert first.exit_code == 0, first.output
    (secret,) = first.stdout.split()
    found = officers.recognise(secret)
    assert found is not None
    assert (found.name, found.role) == ("duty desk", officers.Role.ADMINISTRATOR)


def test_without_a_key_no_second_one_is_made(run: Run) -> None:
    run("keys", "create", "--role", "administrator", "first")
    for role in ("administrator", "auditor"):
        again = run("keys", "create", "--role", role, "second")
        assert again.exit_code == 1
        assert "administrator's key" in again.stderr
        assert "Traceback" not in again.output
    assert len(officers.listing()) == 1


def test_the_first_key_cannot_be_of_another_role(run: Run) -> None:
    assert run("keys", "create", "--role", "auditor", "first").exit_code == 1
    assert officers.listing() == ()


def test_an_administrator_makes_lists_and_revokes(run: Run) -> None:
    secret = run("keys", "create", "--role", "administrator", "first").stdout.strip()
    second = run("keys", "create", "--role", "approver", "river desk", key=secret)
    assert second.exit_code == 0, second.output
    listed = run("keys", "list", key=secret)
    assert [line.split("\t")[:2] for line in listed.stdout.splitlines()] == [
        ["first", "administrator"],
        ["river desk", "approver"],
    ]
    assert run("keys", "revoke", "river desk", key=second.stdout.strip()).exit_code == 1
    assert run("keys", "revoke", "river desk", key=secret).exit_code == 0
    assert officers.recognise(second.stdout.strip()) is None
    last = run("keys", "revoke", "first", key=secret)
    assert last.exit_code == 1
    assert "last administrator" in last.stderr


def test_the_policy_is_set_by_an_administrator_alone(run: Run) -> None:
    secret = run("keys", "create", "--role", "administrator", "first").stdout.strip()
    other = run("keys", "create", "--role", "approver", "other", key=secret).stdout.strip()
    assert run("policy", "set", "approvers", "0").exit_code == 1
    assert run("policy", "set", "approvers", "0", key=other).exit_code == 1
    assert run("policy", "set", "approvers", "0", key="wk_unknown").exit_code == 1
    assert run("policy", "show").stdout.strip() == "approvers 1"
    assert run("policy", "set", "approvers", "0", key=secret).exit_code == 0
    assert rules.approvers() == 0
