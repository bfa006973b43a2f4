"""What a caller is told when something is wrong: problem+json (RFC 9457), from one table of exceptions.

Owns the shape of an error answer: `errors` has every finding with its JSON pointer, `request_id` finds it in the log. Must
not know a view. Invariant: no text of an exception that is not in the table, and no traceback, reaches a caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from alerting.api import journal

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where it stands and, where a rule says so, which rule.

    `pointer` is a JSON pointer into the body ("" is the whole body), `path` an XPath into an XML body, `parameter` a name
    in the query, `line` a line of a CSV file, from 1.
    """

    detail: str
    pointer: str | None = None
    rule: str | None = None
    path: str | None = None
    parameter: str | None = None
    line: int | None = None

    def as_json(self) -> dict[str, str | int]:
        written = {
            "rule": self.rule,
            "detail": self.detail,
            "pointer": self.pointer,
            "path": self.path,
            "parameter": self.parameter,
            "line": self.line,
        }
        return {name: value for name, value in written.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error answer; `kind` ends its type URI, None for a plain HTTP error."""

    status: int
    detail: str
    kind: str | None = None
    errors: Sequence[Fault] = ()
    warnings: Sequence[Fault] = ()
    members: Mapping[str, object] | None = (
        None  # further members of the document, as RFC 9457 section 3.2 allows
    )
    headers: Mapping[str, str] | None = None


class Refused(Exception):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def invalid(faults: Sequence[Fault], *, what: str = "the request") -> Refused:
    """422 with every fault."""
    count = "1 error" if len(faults) == 1 else f"{len(faults)} errors"
    return Refused(Problem(422, f"{what} has {count}", "invalid", faults))


def answer(problem: Problem) -> Response:
    """The problem as a response: JSON, or a short page where a browser asks outside the API."""
    phrase = HTTPStatus(problem.status).phrase
    if _wants_page():
        page = _PAGE.format(
            title=escape(phrase), detail=escape(problem.detail), id=escape(journal.request_id())
        )
        response = Response(page, problem.status, mimetype="text/html")
    else:
        body: dict[str, object] = {
            "type": f"urn:alerting:problem:{problem.kind}" if problem.kind else "about:blank",
            "title": phrase,
            "status": problem.status,
            "detail": problem.detail,
            "request_id": journal.request_id(),
        }
        if problem.errors:
            body["errors"] = [fault.as_json() for fault in problem.errors]
        if problem.warnings:
            body["warnings"] = [fault.as_json() for fault in problem.warnings]
        body.update(problem.members or {})
        response = Response(json.dumps(body, ensure_ascii=False), problem.status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    for name, value in (problem.headers or {}).items():
        response.headers[name] = value
    return response


_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><h1>{title}</h1><p>{detail}</p><p><small>{id}</small></p></html>\n"
)


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/webhooks/")):
        return False
    accepted = request.accept_mimetypes
    return accepted["text/html"] > max(accepted[MEDIA_TYPE], accepted["application/json"])


# ------------------------------------------------------------------------------------------------ the one table

Mapper = Callable[[Any], Problem]


def register(app: Flask, table: Mapping[type[Exception], Mapper]) -> None:
    """Answer each exception of the table, each HTTP error and, with 500, everything else."""

    def handler(mapper: Mapper) -> Callable[[Exception], Response]:
        return lambda error: answer(mapper(error))

    for kind, mapper in table.items():
        app.register_error_handler(kind, handler(mapper))
    app.register_error_handler(Refused, lambda error: answer(error.problem))
    app.register_error_handler(HTTPException, lambda error: answer(_of_http(error)))
    app.register_error_handler(Exception, _unforeseen)


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    messages = data.get("messages")
    if messages:  # marshmallow's, by location, through webargs
        return invalid(_faults_of_locations(messages)).problem
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return Problem(status, _DETAILS.get(status) or error.description or "", headers=headers)


#: Texts of our own where werkzeug's speak to somebody who typed an address.
_DETAILS = {
    404: "there is nothing at this address",
    413: "the body is larger than this address takes",
    429: "too many requests with this key or from this address: wait as Retry-After says",
}


def _unforeseen(error: Exception) -> Response:
    journal.failed(error)
    return answer(Problem(500, "the service failed; the request id finds the reason in its log", "failure"))


def _faults_of_locations(messages: Mapping[str, object]) -> list[Fault]:
    found: list[Fault] = []
    for location, tree in messages.items():
        for pointer, detail in flatten(tree):
            if location == "json":
                found.append(Fault(detail, pointer))
            else:
                found.append(Fault(detail, parameter=pointer.split("/")[1] if pointer else None))
    return found


def flatten(messages: object, pointer: str = "") -> list[tuple[str, str]]:
    """marshmallow's tree of messages as (JSON pointer, text) pairs, RFC 6901 escaped."""
    if isinstance(messages, Mapping):
        pairs = []
        for key, value in messages.items():
            step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            pairs += flatten(value, pointer + step)
        return pairs
    if isinstance(messages, str):
        return [(pointer, messages)]
    if isinstance(messages, Sequence):
        return [pair for message in messages for pair in flatten(message, pointer)]
    return [(pointer, str(messages))]
