"""The table of errors: which exception of a use case is which problem.

Imports the use cases' exceptions and nothing that raises them. Invariant: a text in an answer comes from an exception that
was written to be read by a caller; everything else is a 500 without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask

from alerting import subscribing
from alerting.api import documents, problems
from alerting.api.problems import Fault, Mapper, Problem
from alerting.authoring import errors as authoring
from alerting.authoring import keys
from alerting.cap.findings import ERROR
from alerting.tracking import receipts
from channels.base import BadSignature


def register(app: Flask, unavailable: Sequence[type[Exception]]) -> None:
    problems.register(app, {**TABLE, **dict.fromkeys(unavailable, _unavailable)})


def _is(status: int, kind: str) -> Mapper:
    """The exception's own text under this status."""
    return lambda error: Problem(status, str(error), kind)


def _warning_refused(error: authoring.Refused) -> Problem:
    wrong = [each for each in error.findings if each.severity == ERROR]
    warned = [each for each in error.findings if each.severity != ERROR]
    return replace(
        problems.invalid(documents.faults(wrong), what="the warning").problem,
        warnings=documents.faults(warned),
    )


def _contradicted(error: authoring.Contradicted) -> Problem:
    return Problem(409, str(error), "contradiction", documents.faults(error.findings))


def _conflict(error: authoring.Conflict) -> Problem:
    existing = f"/api/v1/alerts/{error.existing}"
    return Problem(409, str(error), "conflict", members={"existing": existing})


def _subscribing_refused(error: subscribing.Refused) -> Problem:
    faults = [Fault(f"{each.problem}: {each.mend}", each.pointer) for each in error.findings]
    return problems.invalid(faults, what="the subscription").problem


def _file_refused(error: subscribing.FileRefused) -> Problem:
    return problems.invalid([Fault(each, line=1) for each in error.problems], what="the file").problem


def _unavailable(_: Exception) -> Problem:
    detail = "the database does not answer; nothing was changed that this answer does not say: try again"
    return Problem(503, detail, "unavailable", headers={"Retry-After": "2"})


TABLE: Mapping[type[Exception], Any] = {
    keys.NotFirst: _is(409, "not-first"),
    keys.NotAllowed: _is(403, "not-allowed"),
    keys.NameTaken: _is(409, "name-taken"),
    keys.BadName: lambda error: problems.invalid([Fault(str(error), "/name")]).problem,
    keys.NoSuchKey: _is(404, "not-found"),
    keys.LastOne: _is(409, "last-administrator"),
    authoring.Refused: _warning_refused,
    authoring.Conflict: _conflict,
    authoring.Contradicted: _contradicted,
    authoring.NotFound: _is(404, "not-found"),
    authoring.SamePerson: _is(403, "same-person"),
    authoring.NotSigned: _is(503, "not-signed"),
    authoring.WrongState: _is(409, "wrong-state"),
    subscribing.Refused: _subscribing_refused,
    subscribing.FileRefused: _file_refused,
    receipts.Busy: lambda _: Problem(
        503,
        "more is said than can be written at the moment: say it again",
        "busy",
        headers={"Retry-After": "2"},
    ),
    BadSignature: lambda _: Problem(403, "the request is not signed by the provider", "bad-signature"),
}
