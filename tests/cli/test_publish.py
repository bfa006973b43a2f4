"""`alerting publish` and `alerting show` against a running service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from alerting import create_app
from alerting.authoring import keys, policy
from alerting.cap import xml
from alerting.cli import main
from alerting.cli.connection import service
from alerting.config import Settings
from alerting.gazetteer.importing import ensure_builtin
from alerting.shipped import shipped
from alerting.store import engine

EXAMPLE = "examples/flood.cap.xml"
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command; a service listens that left its address and key as `up` does."""
    app = create_app(settings)
    now = datetime.now(UTC)
    secret = keys.new_secret()
    keys.create_first("local", secret=secret, now=now)
    policy.set_approvers(0, actor="tests", now=now)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    left = {"url": f"http://127.0.0.1:{server.server_port}", "key": secret}
    (tmp_path / "service.json").write_text(json.dumps(left))
    for name in ("ALERTING_URL", "ALERTING_API_KEY", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALERTING_DATA", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("COLUMNS", "200")
    yield lambda *arguments: CliRunner().invoke(main, arguments)
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


@pytest.fixture
def world(run: Run) -> None:
    """The regions that the example names."""
    ensure_builtin(actor="tests", now=datetime.now(UTC))


@pytest.mark.usefixtures("world")
def test_a_restamped_example_is_issued_and_shown(run: Run) -> None:
    published = run("publish", str(shipped(EXAMPLE)), "--restamp", "--omit", "web:under repair")
    assert published.exit_code == 0, published.output
    words = dict(line.split(None, 1) for line in published.stdout.splitlines())
    assert words["state"] == "issued"
    shown = run("show", words["id"])
    assert shown.exit_code == 0, shown.output
    assert "issued" in shown.stdout
    assert "sms: planning" in shown.stdout
    assert "web:" not in shown.stdout


@pytest.mark.usefixtures("world")
def test_the_same_file_twice_is_said_to_be_known(run: Run, tmp_path: Path) -> None:
    from alerting.cli.publish import restamped

    file = tmp_path / "warning.xml"
    file.write_bytes(restamped(shipped(EXAMPLE).read_bytes(), now=datetime.now(UTC), name=EXAMPLE))
    assert run("publish", str(file)).exit_code == 0
    again = run("publish", str(file))
    assert again.exit_code == 0
    assert "known already" in again.stdout


def test_a_refusal_names_every_finding_and_has_no_traceback(run: Run) -> None:
    old = run("publish", str(shipped(EXAMPLE)))
    assert old.exit_code == 1
    assert "I-12" in old.stderr
    assert "expires" in old.stderr
    assert "Traceback" not in old.output


@pytest.mark.parametrize("text", ["", "not xml", "<alert/>"])
def test_what_is_no_cap_cannot_be_restamped_and_says_why(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "warning.xml"
    file.write_text(text)
    answer = run("publish", str(file), "--restamp")
    assert answer.exit_code == 1
    assert "cannot" in answer.stderr or "not a CAP" in answer.stderr


def test_a_service_that_does_not_answer_is_named(run: Run) -> None:
    answer = run("show", "x", "--url", "http://127.0.0.1:9", "--key", "wk_x")
    assert answer.exit_code == 1
    assert "http://127.0.0.1:9" in answer.stderr
    assert "Traceback" not in answer.output


def test_an_unknown_warning_is_said_to_be_unknown(run: Run) -> None:
    answer = run("show", "00000000-0000-4000-8000-000000000000")
    assert answer.exit_code == 1
    assert "there is no warning" in answer.stderr


def test_the_key_that_up_left_is_sent_nowhere_else(run: Run, tmp_path: Path) -> None:
    environ = {"ALERTING_DATA": str(tmp_path)}
    assert service(None, None, environ).key.startswith("wk_")
    with pytest.raises(Exception, match="no API key"):
        service("http://127.0.0.1:9", None, environ)


def test_restamping_moves_the_times_to_now_and_makes_a_new_identifier() -> None:
    from alerting.cli.publish import restamped

    now = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
    original = xml.read(shipped(EXAMPLE).read_bytes()).alert
    made = [xml.read(restamped(shipped(EXAMPLE).read_bytes(), now=now, name=EXAMPLE)).alert for _ in range(2)]
    assert original is not None
    assert None not in made
    identifiers = {alert.identifier for alert in made if alert is not None}
    assert len(identifiers | {original.identifier}) == 3
    first = made[0]
    assert first is not None
    assert abs(first.sent - now) < timedelta(seconds=1)
    assert all(info.expires is not None and info.expires > now for info in first.info)
