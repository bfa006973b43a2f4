"""Lists of subscribers, however long: good rows are stored, bad ones reported, and a repeated import changes nothing.

Owns its transactions, one for each 5 000 rows, so that a list of a million neither fills the memory nor holds locks long; an
import that broke off is simply repeated. Must not import the web side. Invariant: each row is counted exactly once, as
created, updated, unchanged or refused.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerting.config import Settings
from alerting.store import audit
from alerting.store.addresses import Vault
from alerting.store.engine import transaction
from alerting.store.subscribers import Place
from alerting.subscribing import wishes
from alerting.subscribing.enrol import Conflict, Enrolled, Entry, Silenced, enrol
from alerting.subscribing.errors import FileRefused
from alerting.subscribing.rows import CHANNEL_OF, COLUMNS, Draft, RowFinding, RowReader, heading
from alerting.subscribing.wishes import Regions, Wrong

#: Rows in one transaction.
BATCH = 5000

#: Findings that a report keeps; more of them say that the file is not what it was taken for.
MOST_FINDINGS = 10_000

_COLUMN_OF = {channel: column for column, channel in CHANNEL_OF.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a list. `silent` counts addresses that said STOP and stay stopped, and forgotten ones.

    `findings` are in order of lines, at most 10 000; `left_out` counts those beyond.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    silent: int
    findings: tuple[RowFinding, ...]
    left_out: int


@dataclass(slots=True)
class _Tally:
    """The report while it is counted."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    silent: int = 0
    left_out: int = 0
    findings: list[RowFinding] = field(default_factory=list)

    def refuse(self, findings: Sequence[RowFinding]) -> None:
        self.refused += 1
        room = MOST_FINDINGS - len(self.findings)
        self.findings += findings[:room]
        self.left_out += max(len(findings) - room, 0)

    def note(self, outcome: Enrolled | Silenced) -> None:
        self.silent += outcome.silent
        if isinstance(outcome, Silenced):
            self.unchanged += 1
            return
        self.created += outcome.created
        self.updated += outcome.changed and not outcome.created
        self.unchanged += not outcome.changed

    def report(self) -> Report:
        self.findings.sort(key=lambda f: (f.line, COLUMNS.index(f.column) if f.column else -1))
        return Report(
            rows=self.rows,
            created=self.created,
            updated=self.updated,
            unchanged=self.unchanged,
            refused=self.refused,
            silent=self.silent,
            findings=tuple(self.findings),
            left_out=self.left_out,
        )


def lines_of(stream: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file opened in binary, for `import_csv`; lines that are not UTF-8 become findings there."""
    return (line.decode("utf-8", "surrogateescape") for line in stream)


def import_csv(
    lines: Iterable[str],
    *,
    actor: str,
    settings: Settings,
    now: datetime,
    source: str = "import",
    audience: str = "public",
    consent_at: datetime | None = None,
    replace: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Store a list of subscribers; the columns are those of docs/subscribers.md, separated by comma, semicolon or tab, or
    members of JSON objects, one a line.

    `lines` may be a stream of any length. Rows are known again by external id, else by address, and add to what their
    subscriber follows; with `replace` the first row of an external id takes the place of what that subscriber
    followed, by own wish too, and of the addresses of the channels that it fills in. `consent_at` holds for rows without one
    (default now). `progress` is told the rows done after each transaction. Raises FileRefused for an unusable heading.
    """
    tally = _Tally()
    terms = _Terms(source=source, audience=audience, consent_at=consent_at or now, replace=replace)
    batches = _Batches(tally, terms, settings=settings, now=now)
    reading = _drafts(lines, default_country=settings.default_country, now=now)
    while drafts := list(itertools.islice(reading, BATCH)):
        batches.store(drafts)
        if progress is not None:
            progress(tally.rows)
    report = tally.report()
    counts = {
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "refused": report.refused,
    }
    with transaction() as session:
        audit.append(
            session, actor=actor, act="subscribers.imported", subject="subscribers", detail=counts, now=now
        )
    return report


def _drafts(lines: Iterable[str], *, default_country: str, now: datetime) -> Iterator[Draft]:
    """The rows of a file under its heading."""
    lines = iter(lines)
    first = next(lines, "").removeprefix("\ufeff")
    if first.lstrip().startswith("{"):
        yield from _objects(itertools.chain([first], lines), default_country=default_country, now=now)
        return
    separator = max(",;\t", key=first.count)
    reader = csv.reader(itertools.chain([first], lines), delimiter=separator)
    try:
        columns = heading(next(reader, []))
    except csv.Error:
        raise FileRefused(["the first line is not CSV: save the file as CSV UTF-8"]) from None
    rows = RowReader(columns, default_country=default_country, now=now)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that is never closed takes in line after line until the field is too long.
            mend = "close the double quotes that open in this row, and write one row a line"
            yield Draft(line, (RowFinding(line, "", "the row is not CSV", mend),))
            continue
        if any(cells):
            yield rows.read(line, cells)


def _objects(lines: Iterable[str], *, default_country: str, now: datetime) -> Iterator[Draft]:
    """The rows of a file of JSON objects, one a line, whose members are the columns, as text or lists of text."""
    rows = RowReader(COLUMNS, default_country=default_country, now=now)
    for number, line in enumerate(lines, 1):
        if line.strip():
            cells = _cells(line)
            if isinstance(cells, str):
                mend = "write one object a line, with members as docs/subscribers.md names the columns"
                yield Draft(number, (RowFinding(number, "", cells, mend),))
            else:
                yield rows.read(number, cells)


def _cells(line: str) -> list[str] | str:
    """The values of an object in the order of the columns, or what is wrong with it."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return "the line is not JSON"
    if not isinstance(found, dict):
        return "the line is not an object"
    if unknown := found.keys() - set(COLUMNS):
        return f"the object has {len(unknown)} members that are no column"
    for name, value in found.items():
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            found[name] = " ".join(value)
        elif isinstance(value, bool) or not isinstance(value, str | int | float | None):
            return f"the member {name!r} is neither text nor a number nor a list of texts"
    return ["" if found.get(name) is None else str(found[name]) for name in COLUMNS]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for every row that does not say otherwise."""

    source: str
    audience: str
    consent_at: datetime
    replace: bool


class _Batches:
    """Stores drafts, a transaction for each call, and remembers what later ones need to know."""

    def __init__(self, tally: _Tally, terms: _Terms, *, settings: Settings, now: datetime) -> None:
        self._tally, self._terms, self._vault, self._now = tally, terms, Vault(settings), now
        self._language = settings.default_language
        self._regions: Regions | None = None
        self._renewed: set[int] = set()

    def store(self, drafts: Sequence[Draft]) -> None:
        with transaction() as session:
            regions = self._regions = Regions(session) if self._regions is None else self._regions.on(session)
            regions.learn([code for draft in drafts for code in draft.codes])
            around = iter(regions.around([draft.point for draft in drafts if draft.point is not None]))
            entries: list[Entry] = []
            lines: list[int] = []
            refused: list[Sequence[RowFinding]] = []
            for draft in drafts:
                region = next(around) if draft.point is not None else None
                entry = self._entry(draft, region, regions)
                if isinstance(entry, Entry):
                    entries.append(entry)
                    lines.append(draft.line)
                else:
                    refused.append(entry)
            outcomes = enrol(
                session,
                entries,
                vault=self._vault,
                default_language=self._language,
                now=self._now,
                renewed=self._renewed,
            )
        self._tally.rows += len(drafts)
        for findings in refused:
            self._tally.refuse(findings)
        for line, outcome in zip(lines, outcomes, strict=True):
            if isinstance(outcome, Conflict):
                column = _COLUMN_OF.get(outcome.field, outcome.field)
                self._tally.refuse([RowFinding(line, column, outcome.problem, outcome.mend)])
            else:
                self._tally.note(outcome)

    def _entry(self, draft: Draft, region: int | None, regions: Regions) -> Entry | list[RowFinding]:
        places: list[Place] = []
        findings = list(draft.findings)
        for code in draft.codes:
            try:
                places.append(Place(regions.id_of(code), floor=draft.floor, hazards=draft.hazards))
            except Wrong as wrong:
                findings.append(RowFinding(draft.line, "regions", wrong.problem, wrong.mend))
        if findings:
            return findings
        if draft.point is not None:
            places.append(wishes.place_at(*draft.point, region, draft.floor, draft.hazards))
        return Entry(
            language=draft.language,
            addresses=draft.addresses,
            places=tuple(places),
            consent_at=draft.consent_at or self._terms.consent_at,
            source=draft.source or self._terms.source,
            external_id=draft.external_id,
            audience=draft.audience or self._terms.audience,
            replaces=self._terms.replace and draft.external_id is not None,
            stopped=draft.stopped,
        )
