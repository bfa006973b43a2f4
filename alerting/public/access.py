"""Says of a view that everybody may call it, in the way that the API's check reads it.

Imports nothing of the service. Invariant: a view of this package that does not say it is found by a test of the routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that everybody may call."""
    view.access = "public"  # type: ignore[attr-defined] # functools.wraps carries it through every decorator above
    return view
