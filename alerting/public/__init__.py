"""What everybody may read: pages, feeds, CAP documents, and the way out of a subscription.

Imports the feeds, subscribing and Flask; no store, no words. Owns no transaction. `register` joins it to the application.
Invariant: nothing here asks who is there, and nothing here shows what has not passed the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from alerting.config import Settings


def register(app: Flask, settings: Settings) -> None:
    """Add the public routes."""
    from alerting.public import views

    app.register_blueprint(views.blueprint(settings))
