"""Profiles: what IPAWS, CAP-CP, CAP-AU, MeteoAlarm, the WMO and China ask of an alert beyond CAP 1.2.

Owns the list of profiles and how one is chosen. Importing this package enters the rules of every profile in the
register; `alerting.cap.rules.check` does so when an alert or a context first asks for one. Must not import anything
outside `alerting.cap`. Invariant: a profile only adds findings, the core is checked whatever is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alerting.cap.model import Alert
from alerting.cap.profiles import australia, canada, china, ipaws, meteoalarm, wmo
from alerting.cap.profiles.profile import Profile

__all__ = ["PROFILES", "Profile", "announced", "named"]

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {module.PROFILE.name: module.PROFILE for module in (ipaws, canada, australia, meteoalarm, wmo, china)}
)

_PREFIXES: Final = tuple(prefix for profile in PROFILES.values() for prefix in profile.codes)


def named(name: str) -> Profile:
    """The profile of this name; raises ValueError, which lists the names, where there is none."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"there is no profile {name!r}: use {', '.join(PROFILES)}") from None


def announced(alert: Alert) -> tuple[Profile, ...]:
    """The profiles that the alert's `code` elements announce, each once."""
    codes = [code for code in alert.code if code.lstrip().startswith(_PREFIXES)]
    if not codes:  # most codes are something else
        return ()
    return tuple(
        profile
        for profile in PROFILES.values()
        if profile.codes and any(code.lstrip().startswith(profile.codes) for code in codes)
    )
