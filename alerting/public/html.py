"""The HTML of the public pages: templates without scripts, one style sheet inside the page, and the headers for it.

Knows Jinja and no route. Invariant: every value is escaped, and the policy of each page allows its own style and nothing
else, so that a text that slipped through as HTML could still load and run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alerting.shipped import shipped

#: For every answer of this package.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def page(template: str, *, language: str, direction: str, **values: object) -> str:
    """The page of a template below templates/public, with its style sheet."""
    text: str = (
        _environment()
        .get_template(template)
        .render(language=language, direction=direction, style=Markup(_style()), **values)  # noqa: S704 - our own file
    )
    return text


@cache
def policy() -> str:
    """Content-Security-Policy of a page: no script, no image, no frame; the one style by its hash."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    return (shipped("templates") / "public" / "page.css").read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(shipped("templates") / "public", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
