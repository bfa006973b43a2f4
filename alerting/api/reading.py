"""How requests are read: strictly. JSON has no double keys, queries no unknown names, bodies the type that they claim.

Owns the blueprint class of the API, whose @arguments reads JSON and queries in this way. Invariant: nothing that a caller
sent is ignored; what is not understood is refused with its place.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import marshmallow
from flask import Request, request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from alerting.api.problems import Fault, Problem, Refused

JSON: Final = "application/json"

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def wrong_type(*accepted: str) -> Refused:
    """415 that names what would be taken."""
    given = request.mimetype or "none"
    detail = f"Content-Type is {given}; this address takes {', '.join(accepted)}"
    return Refused(Problem(415, detail, headers={"Accept-Post": ", ".join(accepted)}))


def read_body() -> bytes:
    """All bytes of the body; 413 for one sent in chunks beyond the limit, which reading alone cuts off unsaid."""
    data = request.get_data(cache=False)
    request.stream.read(1)  # raises at the limit, and is empty at the end
    return data


def read_json() -> Any:
    """The body as JSON values; 415 for another type, 400 where it is not JSON or says one thing twice."""
    if request.mimetype != JSON:
        raise wrong_type(JSON)
    doubles: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            doubles.extend(sorted({name for name in names if names.count(name) > 1}))
        return found

    try:
        text = read_body().decode("utf-8")
        found = json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _not_json(f"the body is not UTF-8 (at byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise _not_json(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise _not_json("the body is nested too deeply") from error
    except ValueError as error:  # Python turns no more than some thousand digits into a number
        raise _not_json("the body holds a number with too many digits") from error
    if _unstorable(found):
        raise _not_json("a text in the body holds U+0000 or half a surrogate pair, which nothing can store")
    if doubles:
        raise _not_json(f"the body says twice: {', '.join(dict.fromkeys(doubles))}")
    return found


def has_body() -> bool:
    """Whether the request brings a body at all."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _unstorable(found: Any) -> bool:
    left = [found]
    while left:
        value = left.pop()
        if isinstance(value, str):
            if _UNSTORABLE.search(value):
                return True
        elif isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
    return False


def refuse_unstorable() -> None:
    """400 for an address with U+0000 in it, which PostgreSQL has no text for."""
    if "\0" in request.path or any("\0" in text for pair in request.args.items(multi=True) for text in pair):
        raise Refused(Problem(400, "the address holds U+0000: take the character out"))


def _no_constant(name: str) -> NoReturn:
    raise _not_json(f"{name} is not a JSON number")


def _not_json(detail: str) -> Refused:
    return Refused(Problem(400, detail, "not-json", [Fault(detail, "")]))


class StrictParser(FlaskParser):
    """Refuses unknown names in queries too, and reads JSON by `read_json`."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = dict.fromkeys(
        ["json", "query", "querystring", "form", "path", "view_args"], marshmallow.RAISE
    )

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002 - webargs' signature
        return read_json()


class ApiBlueprint(Blueprint):
    """A blueprint of /api/v1."""

    ARGUMENTS_PARSER = StrictParser()
