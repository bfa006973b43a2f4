"""Settings are read from the environment, and every problem is told at once."""

from __future__ import annotations

import base64
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from alerting.config import ConfigurationError, Settings

KEY = base64.b64encode(bytes(32)).decode()
SOUND = {
    "DATABASE_URL": "postgresql://127.0.0.1/x",
    "REDIS_URL": "redis://127.0.0.1",
    "SECRET_KEY": "x",
    "ADDRESS_KEYS": f"k:{KEY}",
    "ADDRESS_MAC_KEY": KEY,
}


def test_no_profile_is_asked_of_what_is_issued() -> None:
    assert Settings.from_env(SOUND).cap_profiles == ()


def test_profiles_are_named_with_commas() -> None:
    assert Settings.from_env(SOUND | {"CAP_PROFILES": "china, wmo,,china"}).cap_profiles == ("china", "wmo")


def test_every_unknown_profile_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as told:
        Settings.from_env(SOUND | {"CAP_PROFILES": "ipaws,cn,eu"})
    lines = str(told.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["CAP_PROFILES", "CAP_PROFILES"]
    assert "'cn'" in lines[0]
    assert "'eu'" in lines[1]
    assert all("meteoalarm" in line for line in lines)


def test_behind_pgbouncer_the_database_itself_must_be_named() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_DIRECT_URL is not set"):
        Settings.from_env(SOUND | {"PGBOUNCER": "1"})
    named = Settings.from_env(SOUND | {"PGBOUNCER": "1", "DATABASE_DIRECT_URL": "postgresql://127.0.0.1/y"})
    assert named.pgbouncer
    assert Settings.from_env(SOUND).database_direct_url == ""


# ---- docs/install.md

INSTALL = (Path(__file__).parents[1] / "docs" / "install.md").read_text(encoding="utf-8")

#: The variable of each setting that is not its name in capitals.
VARIABLES = {"data": "ALERTING_DATA"}

#: Defaults that the page gives in words.
IN_WORDS = {"none": "None", "off": "False", "`DATABASE_URL`": "", "[above](#keep-the-data)": "."}


def test_every_setting_has_a_row_of_the_page_and_every_row_is_a_setting() -> None:
    cells = [line.split("|")[1] for line in INSTALL.splitlines() if line.startswith("| `")]
    told = [name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)]
    assert sorted(told) == sorted(VARIABLES.get(each.name, each.name.upper()) for each in fields(Settings))


def test_the_defaults_of_the_page_are_those_of_the_code() -> None:
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \| [^|]+ \|$", INSTALL, re.MULTILINE))
    assert len(told) > 20
    for each in fields(Settings):
        name = VARIABLES.get(each.name, each.name.upper())
        if name in told and each.default is not MISSING:
            written = IN_WORDS.get(told[name], told[name].strip("`"))
            default = f"{each.default:g}" if isinstance(each.default, float) else str(each.default)
            assert written in {default, default or "None"}, name


def test_the_command_of_the_page_has_the_threads_of_the_code() -> None:
    assert re.findall(r"gunicorn .*--threads (\d+)", INSTALL) == [str(Settings.from_env(SOUND).web_threads)]
