"""One term of an event vocabulary, as a value.

Owns what a search answers: a code with its names, its CAP categories, the response types that we propose and, where a
public source allows it, suggested instructions. Imports the CAP model alone. Invariant: an instruction names its
language, the public page that it follows and the terms under which that page may be used.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerting.cap.model import Category, ResponseType, Severity


@dataclass(frozen=True, slots=True)
class Instruction:
    """A suggested text for info.instruction, in words of our own; `source` is the page whose advice it follows."""

    language: str
    text: str
    source: str
    publisher: str
    licence: str


@dataclass(frozen=True, slots=True)
class Term:
    """One event of one vocabulary.

    `value_name` is what a CAP eventCode calls the vocabulary (3.2.2), None where the codes are no event codes. `names`
    are (BCP 47 tag, name) with the preferred one of a language first; `keywords` are found by a search and never shown
    as names. `groups` are the source's own. `oet` is the closest OASIS event term, in our reading unless it is the term
    itself. `severity` is set for grades alone.
    """

    scheme: str
    code: str
    value_name: str | None
    names: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    categories: tuple[Category, ...]
    response_types: tuple[ResponseType, ...]
    oet: str | None = None
    keywords: tuple[str, ...] = ()
    severity: Severity | None = None
    instructions: tuple[Instruction, ...] = ()
