"""`alerting cap events`: find the code and the words for what a warning is about, without the service.

Owns the command `events`, which the group `cap` mounts. Must not import flask, sqlalchemy or the store. Invariant: exit
status 0 says that something was found, 1 that nothing was, 2 that the question was wrong.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from alerting.cap.vocabulary import Term


@click.command()
@click.argument("query", default="")
@click.option("--scheme", metavar="S", help="Only this vocabulary, by its name or its CAP valueName.")
@click.option(
    "--language", metavar="L", help="Only terms that have a name in this language, such as en or zh-Hans."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write terms."
)
def events(query: str, scheme: str | None, language: str | None, limit: int, form: str) -> None:
    """Find event terms by code or by words; without QUERY, list them.

    A line for each: scheme, code, name, categories, proposed response types. Exit status: 0 found, 1 nothing found.
    """
    from alerting.cap.vocabulary import search

    try:
        found = search(query, scheme=scheme, language=language, limit=limit)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if form == "json":
        click.echo(json.dumps([_plain(term) for term in found], ensure_ascii=False, indent=2))
    else:
        for term in found:
            click.echo(_line(term))
        if not found:
            click.echo("nothing matches: try fewer letters, or another --scheme or --language", err=True)
    sys.exit(int(not found))


def _plain(term: Term) -> dict[str, object]:
    return {
        **asdict(term),
        "names": [{"language": language, "name": name} for language, name in term.names],
    }


def _line(term: Term) -> str:
    names = " / ".join(name for _, name in term.names)
    categories = ",".join(term.categories) or "-"
    return f"{term.scheme:<9} {term.code:<17} {names} [{categories}] {','.join(term.response_types) or '-'}"
