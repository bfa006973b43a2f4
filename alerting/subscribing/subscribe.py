"""One subscription, and its end by the link in a mail.

Owns the transaction of each. Pointers in findings are those of the API's JSON: {"language", "addresses": [{"channel", "address"}],
"follows": [{"region"} or {"lat", "lon"}, "floor", "hazards"], "consent_at", "external_id"}. Must not import the web side.
Invariant: a refused subscription has stored nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from alerting.config import Settings
from alerting.store import addresses
from alerting.store.addresses import AddressError, Vault
from alerting.store.engine import transaction
from alerting.store.subscribers import Place
from alerting.subscribing import wishes
from alerting.subscribing.enrol import Conflict, Entry, Silenced, enrol
from alerting.subscribing.errors import Finding, Refused
from alerting.subscribing.wishes import Follow, NewAddress, RegionFollow, Regions, Wrong

#: Clocks of those who collect consents may be ahead of ours by so much.
AHEAD = timedelta(minutes=5)

T = TypeVar("T")

AUDIENCES = ("public", "exercise")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Whom a subscription became. `silent`: how many of its addresses said STOP and stay stopped."""

    id: int
    created: bool
    silent: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The subscriber of an unsubscribe link, and how many addresses were stopped just now (0: they were already)."""

    subscriber: int
    addresses: int


def subscribe(
    *,
    language: str | None,
    follows: Sequence[Follow],
    addresses: Sequence[NewAddress],
    consent_at: datetime,
    source: str,
    settings: Settings,
    now: datetime,
    external_id: str | None = None,
    audience: str = "public",
) -> Subscribed:
    """Store one subscription; an address that is known makes it an addition to what that subscriber follows.

    `language` is a BCP 47 tag; None leaves the known one, or takes the authority's. `consent_at` is when the person
    agreed, aware. Raises Refused with every finding. A stopped address stays stopped: only its owner can wake it, by START or JOIN.
    """
    findings: list[Finding] = []
    with transaction() as session:
        entry = Entry(
            language=_language(language, findings),
            addresses=_addresses(addresses, settings, findings),
            places=_places(follows, Regions(session), findings),
            consent_at=_consent(consent_at, now, findings),
            source=source,
            external_id=_external_id(external_id, findings),
            audience=_audience(audience, findings),
        )
        if findings:
            raise Refused(findings)
        (outcome,) = enrol(
            session, [entry], vault=Vault(settings), default_language=settings.default_language, now=now
        )
        if isinstance(outcome, Conflict):
            raise Refused([Finding(_pointer(outcome.field, addresses), outcome.problem, outcome.mend)])
        if isinstance(outcome, Silenced):
            problem = "its owner has asked to be forgotten"
            raise Refused(
                [
                    Finding(
                        "/addresses/0/address", problem, "only the owner comes back: see docs/subscribers.md"
                    )
                ]
            )
    return Subscribed(outcome.subscriber, outcome.created, outcome.silent)


def examine(
    *,
    language: str | None,
    follows: Sequence[Follow | None],
    addresses: Sequence[NewAddress | None],
    consent_at: datetime | None,
    settings: Settings,
    now: datetime,
    external_id: str | None = None,
) -> tuple[Finding, ...]:
    """What would be wrong with the parts of a subscription whose form is refused already; stores nothing.

    None stands for a part that could not be read, in its place among the others: nothing is said of it.
    """
    findings: list[Finding] = []
    _language(language, findings)
    if addresses:
        _addresses(addresses, settings, findings)
    if follows:
        with transaction() as session:
            _places(follows, Regions(session), findings)
    if consent_at is not None:
        _consent(consent_at, now, findings)
    _external_id(external_id, findings)
    return tuple(findings)


def stop(token: str, *, now: datetime, channel: str = "email") -> Stopped | None:
    """Stop a subscriber's addresses of a channel by the token of an unsubscribe link (RFC 8058); None if it is unknown.

    A mail's link stops mail alone: a telephone is stopped by a text from it. Repeating it is harmless.
    """
    with transaction() as session:
        found = addresses.stop_by_token(session, token, channel, now=now)
    return None if found is None else Stopped(*found)


def _language(written: str | None, findings: list[Finding]) -> str | None:
    try:
        return wishes.language_of(written) if written else None
    except Wrong as wrong:
        findings.append(Finding("/language", wrong.problem, wrong.mend))
        return None


def _addresses(
    given: Sequence[NewAddress | None], settings: Settings, findings: list[Finding]
) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for n, new in enumerate(given):
        if new is None:
            continue
        where = "address" if new.channel in addresses.ADDRESSED else "channel"
        try:
            found[new.channel, addresses.normalise(new.channel, new.written, settings.default_country)] = None
        except AddressError as error:
            findings.append(Finding(f"/addresses/{n}/{where}", error.problem, error.mend))
    if not given:
        findings.append(Finding("/addresses", "there is no address", "give a telephone number or a mailbox"))
    return tuple(found)


def _places(follows: Sequence[Follow | None], regions: Regions, findings: list[Finding]) -> tuple[Place, ...]:
    found: dict[Place, None] = {}
    if not 0 < len(follows) <= wishes.MOST_FOLLOWS:
        mend = f"give a region or a point, at most {wishes.MOST_FOLLOWS} in all"
        findings.append(Finding("/follows", f"there are {len(follows)} follows", mend))
    for n, follow in enumerate(follows[: wishes.MOST_FOLLOWS]):
        place = None if follow is None else _place(f"/follows/{n}", follow, regions, findings)
        if place is not None:
            found[place] = None
    return tuple(found)


def _place(pointer: str, follow: Follow, regions: Regions, findings: list[Finding]) -> Place | None:
    before = len(findings)

    def checked(field: str, check: Callable[[], T], default: T) -> T:
        try:
            return check()
        except Wrong as wrong:
            findings.append(Finding(f"{pointer}/{field}", wrong.problem, wrong.mend))
            return default

    hazards = checked("hazards", partial(wishes.hazards_of, follow.hazards or ()), None)
    if isinstance(follow, RegionFollow):
        region = checked("region", partial(regions.id_of, follow.region), 0)
        place = Place(region, floor=follow.floor, hazards=hazards)
    else:
        lat = checked("lat", partial(wishes.latitude_of, follow.lat), 0.0)
        lon = checked("lon", partial(wishes.longitude_of, follow.lon), 0.0)
        place = wishes.place_at(lat, lon, regions.around([(lat, lon)])[0], follow.floor, hazards)
    return place if len(findings) == before else None


def _consent(at: datetime, now: datetime, findings: list[Finding]) -> datetime:
    if at.tzinfo is None:
        findings.append(
            Finding("/consent_at", "the time has no offset", "write it as 2026-11-02T08:00:00+01:00")
        )
    elif at > now + AHEAD:
        findings.append(
            Finding("/consent_at", "the consent lies in the future", "give the time when the person agreed")
        )
    return at


def _external_id(written: str | None, findings: list[Finding]) -> str | None:
    try:
        return wishes.external_id_of(written)
    except Wrong as wrong:
        findings.append(Finding("/external_id", wrong.problem, wrong.mend))
        return None


def _audience(written: str, findings: list[Finding]) -> str:
    if written not in AUDIENCES:
        findings.append(Finding("/audience", "there is no such list", f"use {' or '.join(AUDIENCES)}"))
    return written


def _pointer(field: str, given: Sequence[NewAddress]) -> str:
    """Where in the request a conflict's field is."""
    if field in addresses.ADDRESSED:
        return f"/addresses/{next(n for n, new in enumerate(given) if new.channel == field)}/address"
    return f"/{field}"
