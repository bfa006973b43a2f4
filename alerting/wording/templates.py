"""The Jinja environments of the wordings: plain text is not escaped, HTML always is.

Texts of CAP and of citizens are values of a template, never templates. Invariant: a template that names an unknown value
fails when it is rendered in a test, not silently before the public.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape

from alerting.shipped import shipped


def template(name: str) -> Template:
    """A template below `templates/`, by path ("sms/warning.txt"). Those that end in .html escape their values."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped("templates"), encoding="utf-8"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["lines"] = lines
    return environment


def lines(text: str) -> Markup:
    """The text escaped, its line ends as <br>: mail programs drop white-space styles."""
    return Markup("<br>\n").join(escape(line) for line in text.split("\n"))
