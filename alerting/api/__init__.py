"""The JSON API and the webhooks: thin Flask blueprints over the use cases.

Reaches the store, the words and the fan-out through authoring, subscribing, tracking, gazetteer and health alone; owns no
transaction. Invariant: every view says who may call it, and every error is problem+json with a request id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Flask

from alerting.config import Settings
from channels.base import Channel

#: Bytes of a body; lists of subscribers have a limit of their own.
LARGEST_BODY = 4 * 1024 * 1024


def register(
    app: Flask,
    settings: Settings,
    channels: Mapping[str, Channel],
    *,
    unavailable: Sequence[type[Exception]],
) -> None:
    """Everything of the API; `unavailable` are the errors of a database that does not answer."""
    from alerting.api import (
        access,
        alerts,
        description,
        errors,
        events,
        health,
        journal,
        limits,
        metrics,
        officers,
        reading,
        regions,
        setting,
        subscribers,
        webhooks,
    )

    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it; answers keep their order
    setting.install(app, settings, channels)
    journal.configure(settings.log_level)
    # In this order before each request: id, sound text, who it is, how often, whether that one may.
    journal.register(app)
    app.before_request(reading.refuse_unstorable)
    app.before_request(access.identify)
    limits.register(app, settings)
    app.before_request(access.enforce)
    app.after_request(access.keep_private)
    errors.register(app, unavailable)
    description.register(app, [alerts.blp, regions.blp, events.blp, subscribers.blp, officers.blp])
    app.register_blueprint(webhooks.blp)
    app.register_blueprint(health.blp)
    app.register_blueprint(metrics.blp)
