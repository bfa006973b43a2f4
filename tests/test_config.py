"""Settings are read from the environment, and every problem is told at once."""

from __future__ import annotations

import base64

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
