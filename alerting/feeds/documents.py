"""The documents of feeds: served when asked for, made ready by the web lane, the same bytes either way.

Owns the read transactions of serving and the short write of publishing. Must not import a framework. Invariant: a document
is served only if its version is the one in force at the moment of the question and no entry of it has expired.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy.orm import Session

from alerting.config import Settings
from alerting.feeds import address
from alerting.feeds.address import FeedAddress
from alerting.feeds.entries import contents
from alerting.store import publications, regions
from alerting.store.engine import DatabaseError, transaction
from alerting.store.publications import Stored
from alerting.store.regions import Region
from channels.base import Publication
from channels.rss import Atom, Rss
from channels.web import JsonFeed

log = structlog.get_logger(__name__)


class _Renderer(Protocol):
    @property
    def media_type(self) -> str: ...

    def render(self, publication: Publication) -> bytes: ...


#: Medium (the end of the address) -> the channel whose texts it carries, and its renderer.
MEDIA: Final[dict[str, tuple[str, _Renderer]]] = {
    "rss": ("rss", Rss()),
    "atom": ("rss", Atom()),
    "json": ("web", JsonFeed()),
}

# A document without a known next change is looked at again all the same.
_LONGEST_GOOD = timedelta(days=1)
_ASKED_EACH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Served:
    """A document as it is answered. `etag` is strong and quoted; valid while `version` is current and before `good_until`."""

    body: bytes
    etag: str
    media_type: str
    last_modified: datetime
    version: int
    good_until: datetime


def document(key: str, media: str, *, settings: Settings, now: datetime) -> Served | None:
    """The feed `key` (all, all/fr, CN-AH, CN-AH/fr) as "rss", "atom" or "json"; None when there is no such feed.

    What the web lane stored, if it is current, else rendered here and not stored.
    """
    wanted = address.read(key)
    if wanted is None or media not in MEDIA:
        return None
    channel, renderer = MEDIA[media]
    with transaction() as session:
        found = _found(session, wanted)
        if found is None:
            return None
        wanted, region = found
        version = publications.head(session).version
        kept = publications.stored(session, channel, wanted.key, media)
        if kept is None or kept.version != version or not kept.built_at <= now < kept.good_until:
            kept = _rendered(session, wanted, region, media, settings, now)
    _note_asked(channel, wanted, region, now)
    return Served(
        body=kept.body,
        etag=kept.etag,
        media_type=f"{renderer.media_type}; charset=utf-8",
        last_modified=kept.built_at,
        version=kept.version,
        good_until=kept.good_until,
    )


def current_version() -> int:
    """The version of all feeds at this moment: what is in force has not changed while it stays the same."""
    with transaction() as session:
        return publications.head(session).version


def publish(feed_id: int, *, settings: Settings, now: datetime) -> None:
    """Render and store the documents of one feed; one that is gone, or whose region is gone, is left as it is."""
    with transaction() as session:
        feed = publications.feed(session, feed_id)
        found = feed and _found(session, address.read(feed.key))
        if feed is None or not found:
            return
        wanted, region = found
        for media, (channel, _) in MEDIA.items():
            if channel == feed.channel:
                publications.keep(
                    session, feed.id, media, _rendered(session, wanted, region, media, settings, now)
                )


def _found(session: Session, wanted: FeedAddress | None) -> tuple[FeedAddress, Region | None] | None:
    """The address with the region's code as the gazetteer writes it; None when there is no such region."""
    if wanted is None:
        return None
    if wanted.region is None:
        return wanted, None
    region = regions.by_code(session, wanted.region)
    return None if region is None else (replace(wanted, region=region.code), region)


def _rendered(
    session: Session,
    wanted: FeedAddress,
    region: Region | None,
    media: str,
    settings: Settings,
    now: datetime,
) -> Stored:
    # The version before the rows: an issue in between makes the content newer than its version, never older.
    version = publications.head(session).version
    channel, renderer = MEDIA[media]
    made = contents(session, wanted, region, channel, settings, now)
    self_url = f"{settings.public_base_url}/feeds/{wanted.key}.{media}"
    body = renderer.render(replace(made.publication, self_url=self_url))
    good_until = min(made.next_change or now + _LONGEST_GOOD, now + _LONGEST_GOOD)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Stored(version, etag, body, made.publication.updated.astimezone(UTC), good_until)


_asked: dict[tuple[str, str], datetime] = {}
_asked_lock = threading.Lock()
_MOST_ASKED = 10_000


def _note_asked(channel: str, wanted: FeedAddress, region: Region | None, now: datetime) -> None:
    """Remember that the feed is read, each few minutes at most; a failure to write never breaks the answer."""
    with _asked_lock:
        last = _asked.get((channel, wanted.key))
        if last is not None and abs(now - last) < _ASKED_EACH:
            return
        if len(_asked) >= _MOST_ASKED:
            _asked.clear()
        _asked[channel, wanted.key] = now
    try:
        with transaction() as session:
            publications.note_asked(
                session,
                channel=channel,
                key=wanted.key,
                region=region.id if region else None,
                language=wanted.language,
                now=now,
            )
    except DatabaseError as error:
        log.warning("asked_not_noted", feed=wanted.key, kind=type(error).__name__)
