"""`alerting regions` imports a file whole, lists what is there, and says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alerting.cli.regions import regions

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", database)
    return lambda *arguments: CliRunner().invoke(regions, [str(each) for each in arguments])


def file(folder: Path, **properties: object) -> Path:
    ring = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    path = folder / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def test_a_file_is_imported_listed_and_shown(run: Run, tmp_path: Path) -> None:
    path = file(tmp_path, id="fr-x", nom="Île", fips="01")
    done = run("import", path, "--code", "id", "--under", "FR", "--name", "fr=nom", "--geocode", "FIPS=fips")
    assert (done.exit_code, done.output) == (0, "2 regions: 2 new, 0 changed, 0 as they were\n")
    assert run("list", "FR", "--language", "fr").output == "FR-X        FR          Île\n"
    assert "FR-X" in run("list", "--search", "ile").output
    shown = run("show", "fr-x").output
    assert "geocode    FIPS: 01" in shown
    assert "0.000,0.000 to 1.000,1.000" in shown
    again = run("import", path, "--code", "id", "--under", "FR", "--name", "fr=nom", "--geocode", "FIPS=fips")
    assert again.output.startswith("1 regions: 0 new, 0 changed, 1 as they were")


def test_a_file_that_is_wrong_is_told_by_pointer_without_a_traceback(run: Run, tmp_path: Path) -> None:
    done = run("import", file(tmp_path, name="No code"))
    assert done.exit_code == 1
    assert "/features/0/properties/code: is missing" in done.output
    assert "Traceback" not in done.output
    (tmp_path / "words").write_text("words", encoding="utf-8")
    assert "nothing was imported: not JSON" in run("import", tmp_path / "words").output


def test_wrong_use_is_told(run: Run, tmp_path: Path) -> None:
    assert run("import").exit_code == 2
    assert "LANGUAGE=PROPERTY" in run("import", file(tmp_path), "--name", "nom").output
    assert run("show", "ZZ").exit_code == 1
    assert run("list", "ZZ").exit_code == 1
