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
