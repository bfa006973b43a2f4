"""Keys, retention, a person's request and lists by the command line; no address in what it says."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerting.cli import main
from alerting.config import Settings
from alerting.store import engine
from alerting.subscribing.rows import COLUMNS
from tests.cli.running import free_port
from tests.cli.test_subscribers import GOOD, environ, run  # noqa: F401 - a fixture
from tests.fanout.country import Country

PHONE = "+12015550101"


def alerting(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def given_keys(monkeypatch: pytest.MonkeyPatch, *keys: tuple[str, bytes]) -> None:
    monkeypatch.setenv(
        "ADDRESS_KEYS", ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in keys)
    )


def test_a_rotation_says_which_key_may_go(environ: Settings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    run("import", "-", given=GOOD)
    (old,) = environ.address_keys
    given_keys(monkeypatch, ("new", b"n" * 32), old)
    done = alerting("addresses", "rotate")
    assert done.exit_code == 0, done.output
    assert "2 addresses sealed under 'new'" in done.output
    assert "nothing is sealed under 'k1' any more: it may be removed from ADDRESS_KEYS" in done.output
    given_keys(monkeypatch, ("new", b"n" * 32))
    assert PHONE in run("export-list").output
    given_keys(monkeypatch, ("other", b"o" * 32))
    lost = alerting("addresses", "rotate")
    assert lost.exit_code == 1
    assert "does not open and is left as it is" in lost.output
    assert "2 addresses are still under 'new'" in lost.output


def test_a_person_is_named_on_standard_input(environ: Settings, tmp_path: Path) -> None:  # noqa: F811
    run("import", "-", given=GOOD)
    out = tmp_path / "record.json"
    assert run("export", "-", "--out", str(out), given=f"{PHONE}\n").exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(out.read_text(encoding="utf-8"))["addresses"][0]["address"] == PHONE
    assert json.loads(run("export", given=f"{PHONE}\n").stdout)["subscription"]["source"] == "import"

    erased = run("erase", "--yes", given=f"{PHONE}\n")
    assert erased.exit_code == 0
    assert "erased: 1 addresses" in erased.output
    assert PHONE not in erased.stdout
    assert json.loads(run("export", given=f"{PHONE}\n").stdout)["kept_silent"] is True
    assert "2 unchanged, 0 refused; 1 addresses stay stopped" in run("import", "-", given=GOOD).output
    assert "it may be subscribed again" in run("readmit", given=f"{PHONE}\n").output
    assert run("readmit", given=f"{PHONE}\n").exit_code == 1
    assert run("export", given="+12015550177\n").exit_code == 1
    wrong = run("export", "12")
    assert (wrong.exit_code, "too few digits" in wrong.output) == (1, True)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_list_goes_out_and_comes_in_again(environ: Settings, form: str) -> None:  # noqa: F811
    rows = "phone,email,regions,language,consent_at,source,stopped\n" + "".join(
        f"+120155501{n:02},p{n}@example.org,XA,fr,2026-01-0{n % 9 + 1}T08:00:00+01:00,form-7,{'phone' if n % 5 == 0 else ''}\n"
        for n in range(20)
    )
    assert run("import", "-", given=rows).exit_code == 0
    listed = run("export-list", "--format", form).stdout
    if form == "jsonl":
        first = json.loads(listed.splitlines()[0])
        assert first["source"] == "form-7"
        assert set(first) <= set(COLUMNS)
    again = run("import", "-", given=listed)
    assert "20 unchanged" in again.output, again.output
    engine.configure(environ.database_url)
    country = Country(environ.database_url)
    what = """SELECT s.source, s.language, s.consent_at, a.channel, a.mac, a.state, r.code FROM subscriber s
              JOIN address a ON a.subscriber = s.id JOIN follow f ON f.subscriber = s.id JOIN region r ON r.id = f.region
              ORDER BY a.channel, a.mac"""
    before = country.rows(what)
    country.run("DELETE FROM subscriber")
    engine.dispose()
    assert "20 created" in run("import", "-", given=listed).output
    engine.configure(environ.database_url)
    assert country.rows(what) == before
    assert len(before) == 40


def test_json_that_cannot_be_read_is_told_by_its_line(environ: Settings) -> None:  # noqa: F811
    lines = ['{"phone": "+12015550101", "regions": ["XA"]}', "{", '{"phone": true}', '{"name": "x"}', "[1]"]
    told = run("import", "-", given="\n".join(lines) + "\n")
    assert told.exit_code == 1
    for line, problem in (
        (2, "the line is not JSON"),
        (3, "the member 'phone' is neither"),
        (4, "the object has 1 members that are no column"),
        (5, "the line is not an object"),
    ):
        assert f"line {line}: {problem}" in told.output
    assert "5 rows: 1 created" in told.output


def test_retention_runs_on_demand_and_tells_counts(environ: Settings) -> None:  # noqa: F811
    run("import", "-", given=GOOD)
    engine.configure(environ.database_url)
    old = datetime.now(UTC) - timedelta(days=400)
    Country(environ.database_url).run(
        "UPDATE address SET state = 'stopped', stopped_at = :old WHERE id = 1", old=old
    )
    done = alerting("retention")
    assert done.exit_code == 0, done.output
    assert done.output == "forgotten: the recipients of 0 deliveries, 0 receipts, 0 answers, 1 addresses\n"


def test_nothing_is_left_of_a_file_that_was_not_written_whole(
    environ: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    run("import", "-", given=GOOD)
    out = tmp_path / "people"
    unknown = run("export", "+12015550177", "--out", str(out))
    assert (unknown.exit_code, unknown.output) == (1, "Error: nothing is held on this address\n")
    assert not out.exists()
    given_keys(monkeypatch, ("other", b"o" * 32))
    lost = run("export-list", "--out", str(out))
    assert (lost.exit_code, lost.output.startswith("Error: ")) == (1, True)
    assert not out.exists()


def test_an_address_and_a_number_are_not_erased_together(environ: Settings) -> None:  # noqa: F811
    run("import", "-", given=GOOD)
    both = run("erase", PHONE, "--id", "1", "--yes")
    assert (both.exit_code, "by ADDRESS or by --id, not by both" in both.output) == (2, True)
    assert run("count").output == "sms\tactive\t2\n"


@pytest.mark.parametrize(
    "command",
    [
        "addresses rotate",
        "retention",
        "resume",
        "backup FILE",
        "restore FILE",
        "subscribers count",
        "subscribers find",
        "subscribers import FILE",
        "subscribers export",
        "subscribers export-list --out FILE",
        "subscribers erase --yes",
        "subscribers readmit",
        "audit verify",
        "audit list",
        "keys create --role administrator somebody",
        "keys list --key any",
        "keys revoke --key any somebody",
        "policy show",
        "policy set --key any approvers 1",
        "regions list",
    ],
)
def test_a_database_that_is_away_is_told_in_a_line(
    environ: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://somebody:secret@127.0.0.1:{free_port()}/nothing")
    file = tmp_path / "file"
    if command.partition(" FILE")[0] in {"restore", "subscribers import"}:
        file.write_text(GOOD, encoding="utf-8")
    arguments = [str(file) if word == "FILE" else word for word in command.split()]
    failed = CliRunner().invoke(main, arguments, input=f"{PHONE}\n")
    assert failed.exit_code == 1
    assert isinstance(failed.exception, SystemExit), failed.exception
    _, _, told = failed.stderr.partition("Error: ")  # the prompt before it echoes what is typed here
    assert told.count("\n") == 1
    assert not any(word in told for word in ("secret", PHONE))
    assert not file.exists() or file.read_text(encoding="utf-8") == GOOD
