"""What the public pages say: one warning in its languages, and the list of what is in force.

Reads in transactions of its own and returns values with every text in words; no HTML, no framework. Must not show what has
not passed the gate. Invariant: a page of a warning that is no longer the newest word on its matter says so, in each language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from alerting.cap import xml
from alerting.cap.segment import segments
from alerting.config import Settings
from alerting.store import alerts, publications
from alerting.store.engine import transaction
from alerting.store.publications import Chosen, PublicAlert
from alerting.store.states import NO_SEGMENT, AlertState
from alerting.wording.language import MUL, choose, closest
from alerting.wording.phrases import CATALOGUES, Phrases, phrases
from alerting.wording.rendered import Issuer
from alerting.wording.words import Words, words

#: The channel whose frozen texts the pages show.
CHANNEL = "web"

_BANNERS = {
    AlertState.CANCELLED: "This warning has been cancelled.",
    AlertState.SUPERSEDED: "This warning has been replaced by a newer message.",
    AlertState.EXPIRED: "This warning has expired.",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """One segment in one language. `facts` are (label, value); `banner` is "" while the segment is in force."""

    banner: str
    title: str
    colour: str  # blue | yellow | orange | red | grey
    facts: tuple[tuple[str, str], ...]
    action_label: str
    action: str
    description: str
    web: str  # an http(s) address or ""
    web_label: str


@dataclass(frozen=True, slots=True)
class Part:
    """All of a warning that is written in one language; `banner` is what has become of the whole warning."""

    language: str
    direction: str
    name: str  # of the language, in itself
    banner: str
    newest_label: str
    tellings: tuple[Telling, ...]


@dataclass(frozen=True, slots=True)
class WarningPage:
    """The page of one warning; the first part is in the reader's language if the warning is written in it."""

    title: str
    parts: tuple[Part, ...]
    newest: str | None  # absolute address of the page that counts now
    cap: str  # absolute address
    cap_label: str
    languages_label: str
    home: str
    home_label: str


@dataclass(frozen=True, slots=True)
class Item:
    """One segment in the list of what is in force."""

    title: str
    language: str
    direction: str
    lines: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The front page."""

    language: str
    direction: str
    title: str
    count: str
    items: tuple[Item, ...]
    feeds_label: str
    feeds: tuple[tuple[str, str, str], ...]  # label, media type, absolute address


@dataclass(frozen=True, slots=True)
class CapDocument:
    """A CAP document as received or written, byte for byte; it never changes."""

    body: bytes
    etag: str
    last_modified: datetime


def warning(slug: str, reader: Sequence[str], *, settings: Settings, now: datetime) -> WarningPage | None:
    """The page of a warning for a reader of these languages, the best first; None when the public may not see it."""
    with transaction() as session:
        found = publications.by_slug(session, slug)
        if found is None:
            return None
        newest = publications.newest(session, found.id)
        parts = _parts(session, found, settings, now)
    if not parts:
        return None
    first = _best(reader, [part.language for part in parts], settings)
    ordered = sorted(parts, key=lambda part: part.language != first)
    say = phrases(first)
    base = settings.public_base_url
    return WarningPage(
        title=ordered[0].tellings[0].title,
        parts=tuple(ordered),
        newest=None if newest is None else f"{base}/w/{newest}",
        cap=f"{base}/cap/{found.id}.xml",
        cap_label=say.say("CAP document"),
        languages_label=say.say("Languages"),
        home=f"{base}/",
        home_label=say.say("Warnings in force"),
    )


def overview(reader: Sequence[str], *, settings: Settings, now: datetime) -> Overview:
    """The front page for a reader of these languages: every segment in force, the most urgent first."""
    language = _best(reader, _offered(settings), settings)
    with transaction() as session:
        found = publications.in_force(session, now)
        found.sort(key=lambda each: each.rank)
        wanted = [
            Chosen(each.alert, each.n, choose(language, each.languages, settings.default_language), 0)
            for each in found
        ]
        told = publications.told(session, CHANNEL, wanted)
    say = phrases(language)
    base = settings.public_base_url
    items = []
    for each in found:
        text = told.get((each.alert, each.n))
        if text is not None:
            shown = phrases(text.language).language if text.language != MUL else each.languages[0]
            items.append(
                Item(
                    text.title,
                    shown,
                    phrases(shown).direction,
                    tuple(text.text.split("\n")),
                    f"{base}/w/{each.slug}",
                )
            )
    return Overview(
        language=language,
        direction=say.direction,
        title=f"{settings.authority_name}: {say.say('Warnings in force')}",
        count=_count(say, len(items)),
        items=tuple(items),
        feeds_label=say.say("Feeds"),
        feeds=(
            ("RSS", "application/rss+xml", f"{base}/feeds/all/{language}.rss"),
            ("Atom", "application/atom+xml", f"{base}/feeds/all/{language}.atom"),
            ("JSON Feed", "application/feed+json", f"{base}/feeds/all/{language}.json"),
        ),
    )


def cap_document(alert: UUID) -> CapDocument | None:
    """The document of an alert that has passed the gate."""
    with transaction() as session:
        found = publications.public_cap(session, alert)
    if found is None:
        return None
    body, issued_at = found
    return CapDocument(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', issued_at)


def saying(reader: Sequence[str], settings: Settings) -> Phrases:
    """The phrases for a page that is about no warning, in the best language for a reader."""
    return phrases(_best(reader, _offered(settings), settings))


def _offered(settings: Settings) -> list[str]:
    return list(dict.fromkeys([settings.default_language, *CATALOGUES]))


def _best(reader: Sequence[str], available: Sequence[str], settings: Settings) -> str:
    for wanted in (*reader, settings.default_language):
        found = closest(wanted, available)
        if found is not None:
            return found
    return available[0]


def _count(say: Phrases, n: int) -> str:
    if not n:
        return say.say("No warning is in force.")
    return say.count("%(n)d warning is in force.", "%(n)d warnings are in force.", n)


def _parts(session: Session, found: PublicAlert, settings: Settings, now: datetime) -> list[Part]:
    """The languages of a warning in the order of the document; a Cancel without info shows its frozen texts."""
    alert = xml.read(found.cap_xml).alert
    tellings: dict[str, list[Telling]] = {}
    spans = {each.n: (each.effective, each.expires) for each in alerts.segments_of(session, found.id)}
    in_force = found.state == AlertState.ISSUED
    if alert is not None and alert.info:
        issuer = Issuer(
            settings.authority_name, settings.default_language, settings.time_zone, settings.public_base_url
        )
        for segment in segments(alert):
            for language in segment.languages:
                said = words(alert, segment, language, issuer)
                span = spans.get(segment.n) if in_force else None
                tellings.setdefault(language, []).append(
                    _telling(said, _segment_banner(said.phrases, span, now))
                )
    else:
        frozen = [text for text in alerts.renderings_of(session, found.id, CHANNEL) if text.language != MUL]
        # Written for everybody whom the warning had reached, it says what those of single segments say.
        whole = [text for text in frozen if text.segment == NO_SEGMENT]
        for text in whole or frozen:
            tellings.setdefault(text.language, []).append(_plain_telling(text.subject or "", text.text))
    return [_part(language, told, found) for language, told in tellings.items()]


def _part(language: str, told: list[Telling], found: PublicAlert) -> Part:
    say = phrases(language)
    banner = _BANNERS.get(AlertState(found.state), "")
    if not banner and found.msg_type in {"Cancel", "Error"}:
        banner = "This message ends an earlier warning."
    return Part(
        language=language,
        direction=say.direction,
        name=say.name,
        banner=say.say(banner) if banner else "",
        newest_label=say.say("Show the newest message"),
        tellings=tuple(told),
    )


def _segment_banner(say: Phrases, span: tuple[datetime, datetime] | None, now: datetime) -> str:
    if span is None or span[0] <= now < span[1]:
        return ""
    return say.say("This warning is not yet in effect." if now < span[0] else "This warning has expired.")


def _telling(said: Words, banner: str) -> Telling:
    facts = (
        ("Place", said.place),
        ("Time", said.full_time),
        ("Severity", said.severity),
        ("Urgency", said.urgency),
        ("Certainty", said.certainty),
        ("Issued by", f"{said.issuer}, {said.issued}"),
        ("Contact", said.contact),
        ("Note", said.note),
    )
    return Telling(
        banner=banner,
        title=said.title,
        colour=said.colour,
        facts=tuple((said.say(label), value) for label, value in facts if value),
        action_label=said.say("What to do"),
        action=said.action,
        description=said.description,
        web=said.web,
        web_label=said.say("Website"),
    )


def _plain_telling(title: str, text: str) -> Telling:
    return Telling("", title, "grey", (), "", "", text, "", "")
