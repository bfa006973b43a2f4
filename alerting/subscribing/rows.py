"""One row of a list of subscribers: the columns, and what is wrong with a row, everything at once.

Pure: no database; what only the database knows (region codes, who is whom) is checked in `importing`. Columns are described in
docs/subscribers.md. Invariant: a finding names line and column and never repeats an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from alerting.store import addresses
from alerting.store.addresses import AddressError
from alerting.store.states import Floor
from alerting.subscribing import wishes
from alerting.subscribing.errors import FileRefused
from alerting.subscribing.subscribe import AHEAD, AUDIENCES
from alerting.subscribing.wishes import Wrong

T = TypeVar("T")

COLUMNS = (
    "external_id",
    "phone",
    "email",
    "language",
    "regions",
    "lat",
    "lon",
    "floor",
    "hazards",
    "audience",
    "consent_at",
    "source",
    "stopped",
)

#: The channel of each column that holds an address.
CHANNEL_OF = {"phone": "sms", "email": "email"}

_LIST = re.compile(r"[\s;,]+")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
#: What no UTF-8 holds, were it an octet or written as half a pair in JSON, and what PostgreSQL keeps in no text.
_NOT_UTF8 = re.compile("[\ud800-\udfff\x00]")


@dataclass(frozen=True, slots=True)
class RowFinding:
    """What is wrong in one row: `line` counts from 1 as an editor does; `column` is empty when it is the whole row."""

    line: int
    column: str
    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A row as it was read; `findings` is what is wrong with it, but for region codes, which are not looked up yet.

    `point` is (lat, lon).
    """

    line: int
    findings: tuple[RowFinding, ...] = ()
    external_id: str | None = None
    language: str | None = None
    addresses: tuple[tuple[str, str], ...] = ()
    codes: tuple[str, ...] = ()
    point: tuple[float, float] | None = None
    floor: Floor = Floor.ANY
    hazards: tuple[str, ...] | None = None
    audience: str | None = None
    consent_at: datetime | None = None
    source: str | None = None
    stopped: frozenset[str] = frozenset()


def heading(cells: Sequence[str]) -> list[str]:
    """The columns of a file in order; raises FileRefused with everything that is wrong with its first line."""
    if _NOT_UTF8.search("".join(cells)):
        raise FileRefused(["the file is not UTF-8: save it as CSV UTF-8"])
    names = [cell.strip().casefold() for cell in cells]
    problems = [
        f"column {number} has a heading that is not known: use {', '.join(COLUMNS)}"
        for number, name in enumerate(names, 1)
        if name not in COLUMNS
    ]
    problems += [f"column {name!r} comes twice: leave one out" for name in COLUMNS if names.count(name) > 1]
    if not CHANNEL_OF.keys() & set(names):
        problems.append("no column holds addresses: name one phone or email")
    if "regions" not in names and not {"lat", "lon"} <= set(names):
        problems.append("no column says where: name one regions, or two lat and lon")
    if problems:
        raise FileRefused(problems)
    return names


class RowReader:
    """Reads rows under one heading."""

    def __init__(self, columns: Sequence[str], *, default_country: str, now: datetime) -> None:
        self._columns = tuple(columns)
        self._country = default_country
        self._now = now

    def read(self, line: int, cells: Sequence[str]) -> Draft:
        """The row with everything that is wrong with it."""
        whole: list[RowFinding] = []
        if len(cells) > len(self._columns):
            problem = "the row has more values than the first line has columns"
            whole.append(RowFinding(line, "", problem, "put values that hold the separator in double quotes"))
        if _NOT_UTF8.search("".join(cells)):
            whole.append(RowFinding(line, "", "the row is not UTF-8", "save the file as CSV UTF-8"))
        if whole:  # what stands in which column is not known
            return Draft(line, tuple(whole))
        return self._draft(line, dict(zip(self._columns, (cell.strip() for cell in cells), strict=False)))

    def _draft(self, line: int, row: Mapping[str, str]) -> Draft:
        findings: list[RowFinding] = []

        def checked(column: str, check: Callable[[str], T], default: T) -> T:
            try:
                return check(row[column]) if row.get(column) else default
            except Wrong as wrong:
                findings.append(RowFinding(line, column, wrong.problem, wrong.mend))
                return default

        draft = Draft(
            line=line,
            external_id=checked("external_id", wishes.external_id_of, None),
            language=checked("language", wishes.language_of, None),
            addresses=self._addresses(line, row, findings),
            codes=_codes(line, row, findings),
            point=_point(line, row, findings),
            floor=checked("floor", wishes.floor_of, Floor.ANY),
            hazards=checked("hazards", lambda written: wishes.hazards_of(_words(written)), None),
            audience=_audience(line, row, findings),
            consent_at=self._consent(line, row, findings),
            source=_source(line, row, findings),
            stopped=_stopped(line, row, findings),
        )
        return replace(draft, findings=tuple(findings)) if findings else draft

    def _addresses(
        self, line: int, row: Mapping[str, str], findings: list[RowFinding]
    ) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        empty = True
        for column, channel in CHANNEL_OF.items():
            written = row.get(column)
            if not written:
                continue
            empty = False
            try:
                found.append((channel, addresses.normalise(channel, written, self._country)))
            except AddressError as error:
                findings.append(RowFinding(line, column, error.problem, error.mend))
        if empty:
            column = next(name for name in self._columns if name in CHANNEL_OF)
            findings.append(
                RowFinding(line, column, "the row has no address", "fill in phone, email or both")
            )
        return tuple(found)

    def _consent(self, line: int, row: Mapping[str, str], findings: list[RowFinding]) -> datetime | None:
        written = row.get("consent_at")
        if not written:
            return None
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            mend = "write it as 2026-11-02T08:00:00+01:00"
            findings.append(
                RowFinding(line, "consent_at", "this is not a time with its offset from UTC", mend)
            )
        elif at > self._now + AHEAD:
            mend = "give the time when the person agreed"
            findings.append(RowFinding(line, "consent_at", "the consent lies in the future", mend))
        return at


def _words(written: str | None) -> list[str]:
    return [word for word in _LIST.split(written) if word] if written else []


def _codes(line: int, row: Mapping[str, str], findings: list[RowFinding]) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(_words(row.get("regions"))))
    if len(codes) > wishes.MOST_FOLLOWS:
        mend = f"give at most {wishes.MOST_FOLLOWS}, or a region above them"
        findings.append(RowFinding(line, "regions", f"the row names {len(codes)} regions", mend))
        return ()
    if not codes and not row.get("lat") and not row.get("lon"):
        column = "regions" if "regions" in row else "lat"
        findings.append(RowFinding(line, column, "the row says no place", "fill in regions, or lat and lon"))
    return codes


def _point(line: int, row: Mapping[str, str], findings: list[RowFinding]) -> tuple[float, float] | None:
    written = [(column, row.get(column, "")) for column in ("lat", "lon")]
    if not any(value for _, value in written):
        return None
    found = []
    for (column, value), check in zip(written, (wishes.latitude_of, wishes.longitude_of), strict=True):
        try:
            found.append(check(float(value)))
        except Wrong as wrong:
            findings.append(RowFinding(line, column, wrong.problem, wrong.mend))
        except ValueError:
            problem = "this is not a number" if value else "a point needs both lat and lon"
            findings.append(
                RowFinding(line, column, problem, "write degrees with a decimal point, such as 31.86")
            )
    return (found[0], found[1]) if len(found) == 2 else None


def _audience(line: int, row: Mapping[str, str], findings: list[RowFinding]) -> str | None:
    written = row.get("audience", "").casefold()
    if written and written not in AUDIENCES:
        findings.append(
            RowFinding(line, "audience", "there is no such list", f"use {' or '.join(AUDIENCES)}")
        )
    return written or None


def _source(line: int, row: Mapping[str, str], findings: list[RowFinding]) -> str | None:
    written = row.get("source", "")
    if written and not _SOURCE.fullmatch(written):
        mend = "name the way in which the consent came in one word, such as import, api, sms or form-7"
        findings.append(RowFinding(line, "source", "this is no source", mend))
        return None
    return written or None


def _stopped(line: int, row: Mapping[str, str], findings: list[RowFinding]) -> frozenset[str]:
    words = [word.casefold() for word in _words(row.get("stopped"))]
    if any(word not in CHANNEL_OF for word in words):
        mend = "name the columns whose address was stopped: phone, email or both"
        findings.append(RowFinding(line, "stopped", "this names no column of addresses", mend))
    return frozenset(CHANNEL_OF[word] for word in words if word in CHANNEL_OF)
