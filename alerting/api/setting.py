"""What a view needs of the process it runs in: the settings, the channels, the time.

The one place of the API that reads a clock. Invariant: `now` is aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from flask import Flask, current_app

from alerting.config import Settings
from channels.base import Channel

_NAME: Final = "alerting"


def install(app: Flask, settings: Settings, channels: Mapping[str, Channel]) -> None:
    """Let the views of this application find them."""
    app.extensions[_NAME] = (settings, channels)


def settings() -> Settings:
    found: Settings = current_app.extensions[_NAME][0]
    return found


def channel(name: str) -> Channel | None:
    """The channel of this name; None when the installation has none."""
    found: Channel | None = current_app.extensions[_NAME][1].get(name)
    return found


def now() -> datetime:
    """The time of this moment, aware UTC."""
    return datetime.now(UTC)
