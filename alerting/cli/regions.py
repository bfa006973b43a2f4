"""`alerting regions`: import region files, list the tree, show one region.

Works on the database itself, as the environment or the private servers that run here name it. Imports the use cases when a
command runs. Invariant: exit status 0 of an import means that all of the file is in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final

import click

from alerting.cli.connection import unavailable

if TYPE_CHECKING:
    from alerting.gazetteer.reading import Summary

#: Who did it, in the audit.
ACTOR: Final = "command line"

#: Problems that are printed of a file that is refused.
_SHOWN: Final = 50


@contextmanager
def _connected() -> Iterator[None]:
    """The database of the environment, else of the servers that run here."""
    from alerting import embedded
    from alerting.gazetteer import GazetteerError, Refused
    from alerting.store import engine

    environ = dict(os.environ)
    if not environ.get("DATABASE_URL"):
        servers = embedded.attach(None, environ)
        if servers is None:
            raise click.ClickException(
                "no database: set DATABASE_URL, or start the service with `alerting up`"
            )
        environ = servers.environment(environ)
    try:
        engine.configure(
            environ["DATABASE_URL"], pgbouncer=environ.get("PGBOUNCER", "") in {"1", "true", "yes"}
        )
        yield
    except Refused as error:
        lines = [f"{each.pointer}: {each.message}" for each in error.problems[:_SHOWN]]
        more = len(error.problems) - len(lines)
        lines += [f"and {more} more"] if more else []
        raise click.ClickException("nothing was imported\n" + "\n".join(lines)) from error
    except GazetteerError as error:
        raise click.ClickException(f"nothing was imported: {error}") from error
    except engine.DatabaseError as error:
        raise click.ClickException(unavailable(error)) from error
    finally:
        engine.dispose()


def _pairs(
    ctx: click.Context, option: click.Parameter, written: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition("=") for each in written]
    if not all(left.strip() and right.strip() for left, _, right in pairs):
        raise click.BadParameter(f"write it as {option.make_metavar(ctx)}")
    return tuple((left.strip(), right.strip()) for left, _, right in pairs)


@click.group()
def regions() -> None:
    """Import, list and show regions."""


@regions.command("import")
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--builtin", is_flag=True, help="Import the file that comes with the service instead.")
@click.option(
    "--code", default="code", show_default=True, metavar="PROPERTY", help="Holds the region's code."
)
@click.option(
    "--parent",
    default="parent",
    show_default=True,
    metavar="PROPERTY",
    help="Holds the code of the region above.",
)
@click.option("--under", metavar="CODE", help="The region above those that name none.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="LANGUAGE=PROPERTY",
    callback=_pairs,
    help="Holds a name [default: `names`, an object by language, else `name` in English].",
)
@click.option(
    "--geocode",
    "geocodes",
    multiple=True,
    metavar="SCHEME=PROPERTY",
    callback=_pairs,
    help="Holds a code of a scheme, as a CAP geocode's valueName writes it.",
)
@click.option(
    "--time-zone", default="time_zone", show_default=True, metavar="PROPERTY", help="Holds an IANA time zone."
)
@click.option(
    "--replace",
    "replace_all",
    is_flag=True,
    help="Remove all regions that the file does not hold; refused while one is followed.",
)
def import_(
    file: IO[bytes] | None,
    builtin: bool,
    code: str,
    parent: str,
    under: str | None,
    names: tuple[tuple[str, str], ...],
    geocodes: tuple[tuple[str, str], ...],
    time_zone: str,
    replace_all: bool,
) -> None:
    """Import a TopoJSON or GeoJSON FILE ("-": standard input), gzipped or not: whole, or not at all."""
    from alerting import gazetteer

    if builtin == (file is not None):
        raise click.UsageError("give a FILE or --builtin")
    now = datetime.now(UTC)
    with _connected():
        if file is None:
            done = gazetteer.import_builtin(actor=ACTOR, now=now, replace_all=replace_all)
        else:
            mapping = gazetteer.Mapping(code, parent, under, names, time_zone, geocodes)
            done = gazetteer.import_regions(
                file.read(),
                mapping=mapping,
                actor=ACTOR,
                now=now,
                source=os.path.basename(str(file.name)),  # noqa: PTH119 - a stream has a name, not always a path
                replace_all=replace_all,
            )
    unchanged = done.regions - done.created - done.changed
    click.echo(
        f"{done.regions} regions: {done.created} new, {done.changed} changed, {unchanged} as they were"
    )
    if done.removed:
        click.echo(f"{done.removed} removed")


@regions.command("list")
@click.argument("parent", required=False)
@click.option("--language", default="en", show_default=True, help="Of the names.")
@click.option(
    "--search", metavar="LETTERS", help="Only those whose code, or name in any language, begins so."
)
def list_(parent: str | None, language: str, search: str | None) -> None:
    """List all regions, or those below PARENT: code, the code above, name."""
    from alerting.gazetteer import reading

    with _connected():
        if search is not None:
            for row in reading.search(search, limit=100).rows:
                _line(row, language)
            return
        after: str | None = ""
        while after is not None:
            page = reading.listing(parent=parent, after=after, limit=500)
            if page is None:
                raise click.ClickException(f"there is no region {parent}: try --search")
            for row in page.rows:
                _line(row, language)
            after = page.next


@regions.command("show")
@click.argument("code")
def show(code: str) -> None:
    """Show one region: its names, its codes in every scheme, its box."""
    from alerting.gazetteer import reading

    with _connected():
        found = reading.detail(code)
    if found is None:
        raise click.ClickException(f"there is no region {code}: try `alerting regions list --search`")
    click.echo(f"code       {found.region.code}")
    click.echo(f"parent     {found.region.parent or '-'}")
    for language, name in found.region.names.items():
        click.echo(f"name       {language}: {name}")
    for scheme, value in found.geocodes:
        click.echo(f"geocode    {scheme}: {value}")
    if found.region.time_zone:
        click.echo(f"time zone  {found.region.time_zone}")
    if found.region.box:
        west, south, east, north = found.region.box
        click.echo(f"box        {south:.3f},{west:.3f} to {north:.3f},{east:.3f} (latitude,longitude)")
    if not found.has_geometry:
        click.echo("ground     that of the regions below")


def _line(row: Summary, language: str) -> None:
    name = row.names.get(language) or row.names.get("en") or next(iter(row.names.values()), "")
    click.echo(f"{row.code:<12}{row.parent or '-':<12}{name}")
