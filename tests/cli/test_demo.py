"""`alerting demo --once`: one warning goes all the way, both sides count the same, and nothing is left running."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT, environment, free_port


@pytest.mark.slow
def test_the_demo_reaches_whom_it_planned_and_leaves_nothing_behind(
    server_folder: Path, tmp_path: Path
) -> None:
    ports = [str(free_port()) for _ in range(3)]
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "alerting.cli",
                "demo",
                "--once",
                "--result",
                str(tmp_path / "build" / "demo.json"),
            ),
            *("--port", ports[0], "--sandbox-port", ports[1], "--smtp-port", ports[2]),
        ],
        # A demo must never meet a real list of subscribers: these names are not looked at.
        env=environment(
            ALERTING_DATA=str(server_folder), DATABASE_URL="postgresql://x/y", SMTP_URL="smtp://x"
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "build" / "demo.json").read_text(encoding="utf-8"))
    assert set(found) == {"planned", "accepted", "sandbox", "first_s", "last_s", "urls", "pids"}
    assert set(found["urls"]) == {"rss", "cap", "page", "docs", "inbox"}
    assert found["planned"] == found["accepted"] == found["sandbox"]
    assert min(found["planned"].values()) > 100
    assert 0 < found["first_s"] <= found["last_s"]
    assert "delivered" in done.stdout
    assert len(found["pids"]) == 9  # PostgreSQL, Valkey, web, four workers, sweep, sandbox
    assert not [pid for pid in found["pids"] if Path(f"/proc/{pid}").exists()]
