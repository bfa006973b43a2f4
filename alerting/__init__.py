"""A public-warning service: one entry, every channel, nothing lost, nobody alerted by mistake.

Owns create_app, the composition root of the web side. Imports nothing at the top: `import alerting.cap` loads neither flask
nor sqlalchemy. Invariant: this function alone joins settings, database, channels and blueprints to a web application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from alerting.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The web application; without `settings` those of the environment. Raises ConfigurationError."""
    from datetime import UTC, datetime

    from flask import Flask

    from alerting import api, outlets, public
    from alerting.api import access, metrics
    from alerting.api.callbacks import Callbacks
    from alerting.api.proxy import TrustedProxies
    from alerting.config import Settings
    from alerting.fanout import bell
    from alerting.public.fast import FeedCache
    from alerting.store import engine
    from alerting.wording import Issuer
    from alerting.wording.warm import warm

    settings = settings or Settings.from_env()
    # One connection for each thread that may serve a request, so that none waits for another's.
    engine.configure(settings.database_url, pool_size=settings.web_threads, pgbouncer=settings.pgbouncer)
    bell.configure(settings.redis_url)
    issuer = Issuer(
        settings.authority_name, settings.default_language, settings.time_zone, settings.public_base_url
    )
    warm(issuer, now=datetime.now(UTC))

    app = Flask("alerting", static_folder=None, template_folder=None)
    app.secret_key = settings.secret_key
    channels = outlets.channels_from(settings)
    api.register(app, settings, channels, unavailable=engine.UNAVAILABLE)
    known = set(app.view_functions)
    public.register(app, settings)
    access.open_to_all(app, set(app.view_functions) - known)
    proxied = TrustedProxies(FeedCache(app.wsgi_app, settings), settings.forwarded_allow_ips)
    app.wsgi_app = Callbacks(proxied, channels, settings.public_base_url)  # type: ignore[method-assign] # Flask's documented way to wrap it
    metrics.register(app)
    return app
