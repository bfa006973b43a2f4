from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerting.cli import main
from alerting.config import Settings
from alerting.gazetteer.importing import import_regions
from alerting.gazetteer.mapping import Mapping

REGIONS = b"""{"type": "FeatureCollection", "features": [{"type": "Feature",
  "properties": {"code": "XA", "names": {"en": "Atlantis"}},
  "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}}]}"""

GOOD = "phone,regions\n+12015550101,XA\n+12015550102,XA\n"


@pytest.fixture
def environ(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    import_regions(
        REGIONS, mapping=Mapping(), actor="tests", now=datetime(2026, 1, 1, tzinfo=UTC), source="invented"
    )
    ((name, key),) = settings.address_keys
    for variable, value in {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "ADDRESS_KEYS": f"{name}:{base64.b64encode(key).decode()}",
        "ADDRESS_MAC_KEY": base64.b64encode(settings.address_mac_key).decode(),
    }.items():
        monkeypatch.setenv(variable, value)
    return settings


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["subscribers", *arguments], input=given)


def test_import_count_export_find_and_erase(environ: Settings, tmp_path: Path):
    made = run("import", "-", given=GOOD)
    assert made.exit_code == 0, made.output
    assert "2 rows: 2 created" in made.output
    assert run("count").output == "sms\tactive\t2\n"

    out = tmp_path / "people.csv"
    assert run("export-list", "--out", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text(encoding="utf-8") == run("export-list").output
    assert "+12015550102" in out.read_text(encoding="utf-8")
    again = run("export-list", "--out", str(out))
    assert (again.exit_code, "cannot be written" in again.output) == (1, True)

    found = run("find", given="(201) 555-0101\n")
    number, language, known, places = found.stdout.strip().split("\t")
    assert (language, known, places) == ("en", "+120******01 (active)", "XA")
    assert run("erase", "--id", number, "--yes").exit_code == 0
    assert run("count").output == "sms\tactive\t1\n"
    gone = run("erase", "--id", number, "--yes")
    assert (gone.exit_code, f"there is no subscriber {number}" in gone.output) == (1, True)
    assert "nobody has this address" in run("find", given="+12015550101\n").output


def test_bad_rows_are_told_by_line_and_column_and_the_good_ones_stored(environ: Settings):
    made = run("import", "-", given=GOOD + "12,XA\n+12015550103,XX-9\n")
    assert made.exit_code == 1
    assert "line 4, phone: the number has too few digits" in made.output
    assert "line 5, regions: region 'XX-9' is not known" in made.output
    assert "4 rows: 2 created, 0 updated, 0 unchanged, 2 refused" in made.output


def test_an_unusable_file_and_a_missing_database_are_told_in_a_line(
    environ: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    refused = run("import", "-", given="name,age\n")
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: column 1 has a heading that is not known")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("ALERTING_DATA", str(tmp_path / "nothing"))
    missing = run("count")
    assert (missing.exit_code, missing.output.startswith("Error: no database")) == (1, True)
