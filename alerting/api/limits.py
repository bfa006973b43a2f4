"""How many requests one caller may make: counted in Redis for all processes, in memory when Redis is away.

A caller is its key, or its address when it has none. Only the API is limited: providers' webhooks come as fast as texts
are delivered, and the public pages are cached. Invariant: Redis away never refuses a request.
"""

from __future__ import annotations

import re

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from alerting.api.access import access_of
from alerting.config import Settings

#: For each caller and view. An officer's console polls; an integration sends at most a few warnings a second.
DEFAULT = "1200 per minute"


def register(app: Flask, settings: Settings) -> None:
    """Count from now on; `RATELIMIT` of app.config overrides the default limit."""
    limiter = Limiter(
        _caller,
        storage_uri=_storage(settings.redis_url),
        storage_options={"socket_timeout": 0.3, "socket_connect_timeout": 0.3},  # type: ignore[dict-item] # passed on to redis
        default_limits=[lambda: str(app.config.get("RATELIMIT", DEFAULT))],
        default_limits_exempt_when=_exempt,
        strategy="fixed-window",
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="alerting",
        retry_after="delta-seconds",
        headers_enabled=True,
    )
    limiter.init_app(app)


def _caller() -> str:
    key = g.get("key")
    return f"key:{key.id}" if key is not None else f"address:{get_remote_address()}"


def _exempt() -> bool:
    return access_of(current_app.view_functions.get(request.endpoint or "")) in {"public", "webhook"}


def _storage(redis_url: str) -> str:
    """REDIS_URL as the library `limits` reads it: other names of schemes, and no database behind a Sentinel's service."""
    if redis_url.startswith("unix:"):
        return f"redis+{redis_url}"
    if redis_url.startswith("redis+sentinel:"):
        return re.sub(r"(?<=[^/])/\d+$", "", redis_url)
    return redis_url
