"""docs/cap-rules.md, made from the registers: `python -m alerting.cap.rules.page` prints it.

Owns the page alone. Walks the register of the core, those of the profiles, and the lists of what readers and feeds are
judged by. Invariant: the page says nothing that the code does not; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from alerting.cap.findings import ERROR, WARNING, Level
from alerting.cap.profiles import PROFILES
from alerting.cap.rules import rules
from alerting.cap.rules.feed import BY_FEEDS
from alerting.cap.rules.reading import BY_NOTHING, BY_READERS
from alerting.cap.rules.registry import Rule

_GROUPS: Final = (
    ("X", "The document as such"),
    ("A", "alert"),
    ("I", "info"),
    ("R", "resource"),
    ("G", "area"),
    ("S", "Signatures"),
)
_HEAD: Final = """\
# The rules

Made from the code by `make docs`; do not edit. `rules.check` gives all findings at once, each with the id below, a
severity, the place as XPath and as JSON pointer, and a sentence that says how to mend it. What a rule depends on beside
the document is passed in as a `Context`: the time, reading or publishing, the known messages, profiles.

An **error** refuses a message, a **warning** lets it pass. Where two severities stand in one field the demand says which
breach is the milder. Judged by: the reader (`xml.read`, `jsonform.from_json`) on the form, a function of
`alerting.cap.rules` on the content, which has nothing to say where an element that it goes by could not be read
(silent without). Clauses are those of CAP 1.2 (OASIS, 1 July 2010); many a rule is stricter than the
words of its clause where every validator or broadcaster is: [the peers](cap-peers.md).
"""


def page() -> str:
    """The whole page, with a line feed at its end."""
    return "\n".join([_HEAD, *_core(), *_kept(), *_profiled(), *_feeds()]).rstrip() + "\n"


def _core() -> Iterator[str]:
    for letter, title in _GROUPS:
        yield f"## {letter}: {title}\n"
        yield "| id | clause | on reading | on publishing | judged by | silent without | demand |\n|---|---|---|---|---|---|---|"
        rows: list[tuple[str, ...]] = [
            (judged.id, judged.clause, _severities(judged.severities), "", "reader", "", judged.demand)
            for judged in BY_READERS
        ]
        rows += [_row(entry) for entry in rules()]
        for row in sorted((row for row in rows if row[0].startswith(letter)), key=lambda row: row[0]):
            yield f"| {' | '.join(row)} |"
        yield ""


def _row(entry: Rule) -> tuple[str, ...]:
    publish = entry.publish.value if entry.publish is not entry.severity else ""
    judge, needs = f"`{entry.test.__name__}`", ", ".join(sorted(entry.needs))
    return entry.id, entry.clause, entry.severity.value, publish, judge, needs, _demand(entry)


def _demand(entry: Rule) -> str:
    said = (entry.test.__doc__ or entry.test.__name__.replace("_", " ").capitalize() + ".").strip()
    return " ".join(said.split("\n\n")[0].split()).replace("|", "\\|")


def _severities(levels: Iterable[Level]) -> str:
    given = set(levels)
    return " or ".join(level.value for level in (ERROR, WARNING) if level in given)


def _kept() -> Iterator[str]:
    yield "## Rules that nothing can break\n"
    yield "| id | clause | kept by |\n|---|---|---|"
    for kept in BY_NOTHING:
        yield f"| {kept.id} | {kept.clause} | {kept.kept} |"
    yield ""


def _profiled() -> Iterator[str]:
    yield "## Profiles\n"
    yield "They run where an alert's `code` announces the profile, or where the context or the command names it.\n"
    for name in sorted(PROFILES):
        yield f"### {name}\n"
        yield "| id | source | on reading | on publishing | silent without | demand |\n|---|---|---|---|---|---|"
        for row in sorted(map(_row, rules(profile=name)), key=lambda row: row[0]):
            yield f"| {' | '.join((*row[:4], *row[5:]))} |"
        yield ""


def _feeds() -> Iterator[str]:
    yield "## F: feeds and envelopes\n"
    yield "What `rules.feed.check_feed` says about Atom, RSS and EDXL-DE as carriers of CAP messages.\n"
    yield "| id | clause | severity | demand |\n|---|---|---|---|"
    for judged in BY_FEEDS:
        yield f"| {judged.id} | {judged.clause} | {_severities(judged.severities)} | {judged.demand} |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
