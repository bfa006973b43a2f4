"""Says of a view that everybody may call it, in the way that the API's check reads it.

Imports nothing of the service. Invariant: a view of this package that does not say it is found by a test of the routes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def public(view: Callable[P, R]) -> Callable[P, R]:
    """The same view, marked as one that everybody may call; a bound method cannot carry the mark itself."""

    @wraps(view)
    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs)

    marked.access = "public"  # type: ignore[attr-defined] # functools.wraps carries it through every decorator above
    return marked
