"""How a view is documented beyond its answer: its problems, its CAP body.

Decorators over flask-smorest's blueprint; documentation only, nothing here runs in a request. Invariant: every problem is
documented as application/problem+json, which flask-smorest's own default is not.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from alerting.api.answers import ProblemAnswer
from alerting.api.problems import MEDIA_TYPE
from alerting.api.reading import ApiBlueprint

View = TypeVar("View", bound=Callable[..., Any])


def refuses(blp: ApiBlueprint, *statuses: int) -> Callable[[View], View]:
    """Document these problems, and those that every view with a key may answer."""

    def decorator(view: View) -> View:
        documented: Any = view
        for status in sorted({401, 403, 422, 429, 503, *statuses}):
            documented = blp.alt_response(
                status,
                schema=ProblemAnswer,
                content_type=MEDIA_TYPE,
                description=HTTPStatus(status).phrase,
            )(documented)
        found: View = documented
        return found

    return decorator
