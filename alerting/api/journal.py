"""The log of the web side: one JSON line for a request, found by its request id.

Owns structlog's configuration for the web process and the request id (taken from X-Request-Id if it is harmless, else
made). Invariant: a line names the route, never the address, query, headers or body: tokens and people stand in those.
"""

from __future__ import annotations

import logging
import re
import time
import traceback
import uuid
from pathlib import Path
from typing import Final

import structlog
from flask import Flask, Response, g, has_request_context, request

_HARMLESS: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ROOT: Final = str(Path(__file__).resolve().parents[2])

log = structlog.get_logger("alerting.web")


def configure(level: str) -> None:
    """JSON lines on standard output, from `level` upward."""
    number = logging.getLevelNamesMapping().get(level, logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(),
    )


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The id of the current request, "" outside of one."""
    return str(g.get("request_id", "")) if has_request_context() else ""


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _HARMLESS.fullmatch(given) else uuid.uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    key = g.get("key")
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.began) * 1000, 1),
        key=None if key is None else key.name,
    )
    return response


def failed(error: Exception) -> None:
    """Log an unforeseen error: its class and where it arose. Its text may quote a row or an address, so it stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.removeprefix(_ROOT)}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    causes: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(causes) < 5:
        causes.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    log.error("failed", error=causes, where=where)
