"""Rules of ARCHITECTURE 2 that import-linter cannot see: which names of a library, and what a bare import loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_outside_the_store_sqlalchemy_is_the_session_type_alone() -> None:
    strangers = []
    for file in sorted((ROOT / "alerting").rglob("*.py")):
        if file.relative_to(ROOT / "alerting").parts[0] == "store":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = {f"{alias.name}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                continue
            strangers += [
                f"{file.relative_to(ROOT)}:{node.lineno} {name}"
                for name in sorted(names)
                if name.split(".")[0] == "sqlalchemy" and name != "sqlalchemy.orm.Session"
            ]
    assert strangers == []


@pytest.mark.parametrize(
    ("module", "kept_out"),
    [
        ("alerting.cap", {"flask", "sqlalchemy", "redis", "marshmallow", "jinja2"}),
        ("alerting.cli", {"flask", "sqlalchemy", "redis", "rich", "lxml"}),
        ("channels.base", {"flask", "sqlalchemy", "alerting", "aiohttp", "twilio"}),
    ],
)
def test_a_bare_import_stays_light(module: str, kept_out: set[str]) -> None:
    script = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert kept_out & set(loaded) == set()
