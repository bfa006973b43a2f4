"""What stands in a feed: every segment in force, once, in the best language for its readers.

Reads within the caller's transaction and returns values; renders nothing. Invariant: every segment in force that has a text
on the channel is an entry, however many there are, and an entry keeps its id through a chain of updates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.feeds.address import FeedAddress
from alerting.store import publications
from alerting.store.publications import Chosen, InForce, Told
from alerting.store.regions import Region
from alerting.wording.language import MUL, choose, closest
from alerting.wording.phrases import phrases
from channels.base import Entry, Publication

# GeoRSS of more characters than this would outweigh the warnings themselves: the CAP document has it.
_MOST_POLYGON = 10_000


@dataclass(frozen=True, slots=True)
class Contents:
    """A feed as values; `next_change` is when it will be another by itself, None when no time is known."""

    publication: Publication
    next_change: datetime | None


def contents(
    session: Session,
    address: FeedAddress,
    region: Region | None,
    channel: str,
    settings: Settings,
    now: datetime,
) -> Contents:
    """The feed of an address on "rss" or "web"; `self_url` is left to whoever knows the medium."""
    language = address.language or settings.default_language
    at = region.id if region else None
    changes = publications.changes(session, now, at)
    found = publications.in_force(session, now, at)
    wanted = {(each.alert, each.n): _choose(each, language, settings) for each in found}
    told = publications.told(session, channel, list(wanted.values()))
    entries = _entries(found, told, language, settings)
    say = phrases(language)
    title = f"{settings.authority_name}: {say.say('Warnings in force')}"
    name = _name(region.names, region.code, language) if region else ""
    publication = Publication(
        feed=address.key,
        title=f"{title} – {name}" if name else title,
        subtitle=name or say.say("Warnings in force"),
        language=language,
        home=f"{settings.public_base_url}/",
        self_url="",
        alternate=f"{settings.public_base_url}/?lang={language}",
        updated=changes.last or publications.head(session).changed_at,
        entries=entries,
    )
    return Contents(publication, changes.next)


def entry_id(root: UUID, n: int, language: str) -> str:
    """An id that stays while a warning is updated: of the first alert of its chain, the segment, the feed's language."""
    return uuid5(root, f"{n}/{language}").urn


def _choose(each: InForce, language: str, settings: Settings) -> Chosen:
    chosen = choose(language, each.languages, settings.default_language)
    at = 0 if chosen == MUL else each.languages.index(chosen)
    return Chosen(each.alert, each.n, chosen, each.infos[at] if at < len(each.infos) else 0)


def _entries(
    found: list[InForce], told: Mapping[tuple[UUID, int], Told], language: str, settings: Settings
) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    used: set[str] = set()
    for each in found:
        text = told.get((each.alert, each.n))
        if text is None:
            continue  # the channel was left out for this warning, with a reason that is on record
        # Two updates of one alert that do not know of each other: both are in force, and the first keeps the id.
        names = (entry_id(root, each.n, language) for root in (each.root, each.alert))
        name = next(name for name in names if name not in used)
        used.add(name)
        entries.append(_entry(each, text, name, settings))
    return tuple(entries)


def _entry(each: InForce, text: Told, name: str, settings: Settings) -> Entry:
    base = settings.public_base_url
    return Entry(
        id=name,
        title=text.title,
        summary=text.text,
        language=text.language,
        link=f"{base}/w/{each.slug}",
        cap=f"{base}/cap/{each.alert}.xml",
        author=text.sender_name or settings.authority_name,
        categories=each.categories,
        published=each.published,
        updated=each.updated,
        expires=each.expires,
        areas=text.areas,
        polygons=text.polygons if sum(map(len, text.polygons)) <= _MOST_POLYGON else (),
    )


def _name(names: Mapping[str, str], code: str, language: str) -> str:
    best = closest(language, tuple(names))
    return names[best] if best else names.get("en") or next(iter(names.values()), code)
