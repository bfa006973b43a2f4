"""Sorted elements as a CAP 1.2 value: what is missing is filled where a sensible value exists, and said.

Owns the alert, its infos, areas and resources. Imports the model and the readers. Invariant: a value that comes out can
be written, and the strict reader takes it back; the public is never warned on a guess: a message that does not say that
it is Actual is a Draft, and one whose scope is none of CAP's is Restricted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerting.cap import model, values
from alerting.cap.findings import ERROR, Document, Finding, Place
from alerting.cap.schema import ALERT, INFO
from alerting.cap.tolerant import shapes, texts, times
from alerting.cap.tolerant.elements import Raw, text_of
from alerting.cap.tolerant.mends import Notes
from alerting.cap.tolerant.reading import Leaves, fallback_zone, references, unnamed
from alerting.cap.values import short

_DECIMAL: Final = re.compile(r"([+-]?[0-9]+(?:[.,][0-9]+)?)\s*(m|metres|meters|ft|feet)?\.?", re.IGNORECASE)
_FEET: Final = 3.28084
_LONGEST: Final = 80  # characters of a description that may stand for an event
# What files are by their names' ends: the list of the operating system would be another one on each machine.
_TYPES: Final = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "svg": "image/svg+xml",
    "pdf": "application/pdf", "mp3": "audio/mpeg", "wav": "audio/x-wav", "mp4": "video/mp4", "htm": "text/html",
    "html": "text/html", "txt": "text/plain", "xml": "application/xml", "kml": "application/vnd.google-earth.kml+xml",
    "json": "application/json", "zip": "application/zip",
}  # fmt: skip
_UNTYPED: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an alert is read with beside its elements; `around` is when its wrapper was sent, as written."""

    now: datetime | None
    old: bool
    source: bytes
    notes: Notes
    points: int
    around: str = ""


def alert(raw: Raw, case: Circumstances) -> Document:
    """The alert; None, with findings, when the time of sending cannot be told or its shapes are too many."""
    if _too_many_points(raw, case.points):
        message = f"the polygons have more than {case.points} points: simplify them"
        return Document(None, (Finding("G-10", ERROR, ("info",), message),))
    top = Leaves(raw, (), case.notes, case.now, fallback_zone(raw), case.old)
    sent = _sent(top, raw, case)
    if sent is None:
        message = "sent is missing or no time, and nothing in the message tells it: it cannot be placed"
        return Document(None, (Finding("A-03", ERROR, ("sent",), message),))
    top.sent = sent
    identifier = top.text("identifier") or top.filled(
        "identifier", unnamed(case.source), "the digest of the file was taken"
    )
    sender = top.text("sender") or _sender(top, raw)
    made = model.Alert(
        identifier=identifier,
        sender=sender,
        sent=sent,
        status=_status(top),
        msg_type=top.word(ALERT.by_name["msgType"]),
        source=top.text("source"),
        scope=_scope(top),
        restriction=top.text("restriction"),
        addresses=_items(top, "addresses"),
        code=top.many("code"),
        note=top.text("note"),
        references=references(top, sender, identifier),
        incidents=_items(top, "incidents"),
        info=tuple(_info(each, ("info", n), top) for n, each in enumerate(raw.nested.get("info", []))),
    )
    return Document(made)


def _too_many_points(raw: Raw, limit: int) -> bool:
    infos = raw.nested.get("info", [])
    areas = [area for info in infos for area in info.nested.get("area", [])]
    polygons = [each for area in areas for each in area.leaves.get("polygon", [])]
    written = (text_of(each) for each in polygons)
    return sum(max(text.count(","), len(text.split()) // 2) for text in written) > limit


def _sent(top: Leaves, raw: Raw, case: Circumstances) -> datetime | None:
    sent = top.time("sent")
    if sent is not None:
        return sent
    for name in ("effective", "onset"):
        for n, info in enumerate(raw.nested.get("info", [])):
            quiet = Leaves(info, ("info", n), Notes(0), case.now, top.zone)
            if (instead := quiet.time(name)) is not None:
                case.notes.add("T-23", ("sent",), f"sent is missing: {name} was taken")
                return instead
    outside = times.read(case.around, now=case.now, zone=top.zone, ends=False) if case.around else None
    if outside is None:
        return None
    case.notes.add("T-23", ("sent",), "sent is missing: when the wrapper was sent was taken")
    return outside.time


def _sender(top: Leaves, raw: Raw) -> str:
    for info in raw.nested.get("info", []):
        name = Leaves(info, (), Notes(0), None).text("senderName")
        if name:
            return top.filled("sender", " ".join(name.split()), "senderName was taken")
    return top.filled("sender", "unknown", "'unknown' was written")


def _status(top: Leaves) -> model.Status:
    value = top.word(ALERT.by_name["status"])
    if value is None:
        top.notes.add(
            "T-23", ("status",), "no status that CAP knows: Draft was taken, which is never sent out"
        )
        return model.Status.DRAFT
    return model.Status(value)


def _scope(top: Leaves) -> model.Scope:
    value = top.word(ALERT.by_name["scope"])
    if value is not None:
        return model.Scope(value)
    if top.one("scope"):
        top.notes.add("T-23", ("scope",), "no scope that CAP knows: Restricted was taken")
        return model.Scope.RESTRICTED
    top.notes.add("T-23", ("scope",), "scope is missing: Public was taken")
    return model.Scope.PUBLIC


def _items(top: Leaves, name: str) -> tuple[str, ...]:
    text = top.one(name)
    listed, clean = values.items(text)
    if not clean:
        top.notes.add("T-03", (name,), "a quotation mark has no fellow: all were left out")
        listed = tuple(text.replace('"', " ").split())
    return tuple(item for item in (each.replace('"', "") for each in listed) if item)


# ---- info ----


def _info(raw: Raw, place: Place, top: Leaves) -> model.Info:
    own = Leaves(raw, place, top.notes, top.now, top.zone, top.old, top.sent)
    headline, description = own.text("headline"), own.text("description")
    web, contact = _web(own)
    resources = [
        _resource(each, (*place, "resource", n), own) for n, each in enumerate(raw.nested.get("resource", []))
    ]
    areas = [_area(each, (*place, "area", n), own) for n, each in enumerate(raw.nested.get("area", []))]
    return model.Info(
        language=own.language(),
        category=_category(own),
        event=_event(own, headline, description),
        response_type=own.words(INFO.by_name["responseType"]),
        urgency=own.word(INFO.by_name["urgency"]),
        severity=own.word(INFO.by_name["severity"]),
        certainty=own.word(INFO.by_name["certainty"]),
        audience=own.text("audience"),
        event_code=own.pairs("eventCode"),
        effective=own.time("effective"),
        onset=own.time("onset"),
        expires=own.time("expires"),
        sender_name=own.text("senderName"),
        headline=headline,
        description=description,
        instruction=own.text("instruction"),
        web=web,
        contact=contact,
        parameter=own.pairs("parameter"),
        resource=tuple(each for each in resources if each is not None),
        area=tuple(each for each in areas if each is not None),
    )


def _category(own: Leaves) -> tuple[model.Category, ...]:
    found: tuple[model.Category, ...] = own.words(INFO.by_name["category"])
    if found:
        return found
    own.notes.add("T-23", own.at("category"), "no category that CAP knows: Other was taken")
    return (model.Category.OTHER,)


def _event(own: Leaves, headline: str | None, description: str | None) -> str:
    event = own.text("event")
    if event:
        return event
    if headline:
        return own.filled("event", headline, "the headline was taken")
    if description:
        return own.filled(
            "event", description.split("\n")[0][:_LONGEST].strip(), "the description's beginning was taken"
        )
    codes = own.elements("eventCode")
    named = Leaves(own.raw, own.place, Notes(0), own.now).pairs("eventCode") if codes else ()
    return own.filled("event", named[0].value if named else "Unknown", "no text of the info tells it")


def _web(own: Leaves) -> tuple[str | None, str | None]:
    """web and contact: what is no address is shown as text."""
    contact = own.text("contact")
    written = own.one("web")
    if not written:
        return None, contact
    web = texts.web(written)
    if web is None:
        own.notes.add("T-20", own.at("web"), "web is no address: it was put into contact, as text")
        shown = own.plain(written, "web")
        return None, f"{contact}; {shown}" if contact else shown
    if web != written:
        own.notes.add("T-20", own.at("web"), "web has no scheme or is badly written: it was rewritten")
    return web, contact


# ---- area ----


def _area(raw: Raw, place: Place, info: Leaves) -> model.Area | None:
    own = Leaves(raw, place, info.notes, info.now, info.zone, info.old)
    geocode = own.pairs("geocode")
    polygons, circles = _shapes(own)
    description = own.text("areaDesc")
    if not (description or polygons or circles or geocode):
        own.notes.add("T-10", place, "the area has neither text, shape nor code: it was left out")
        return None
    if not description:
        told = shapes.position(polygons, circles)
        codes = ", ".join(f"{code.value_name} {code.value}" for code in geocode[:5])
        description = own.filled("areaDesc", codes or told, "its codes or its position was written")
    if not (polygons or circles or geocode):
        own.notes.add("T-10", place, "the area has neither shape nor code: areaDesc alone says where it is")
    altitude = own.value("altitude", _feet, "T-03", "is no height")
    return model.Area(
        area_desc=description,
        polygon=polygons,
        circle=circles,
        geocode=geocode,
        altitude=altitude,
        ceiling=own.value("ceiling", _feet, "T-03", "is no height"),
    )


def _shapes(own: Leaves) -> tuple[tuple[str, ...], tuple[str, ...]]:
    written = [own.bare("polygon", each, n) for n, each in enumerate(own.elements("polygon"))]
    swap = shapes.swapped(written)
    polygons: list[str] = []
    circles: list[str] = []

    def take(name: str, n: int, shape: shapes.Shape) -> None:
        for rule, said in shape.said:
            own.notes.add(rule, own.at(name, n), said)
        polygons.extend(shape.polygons)
        circles.extend(shape.circles)

    for n, text in enumerate(written):
        take("polygon", n, shapes.polygon(text, swap=swap, mend=not own.notes.many))
    for n, text in enumerate([own.bare("circle", each, n) for n, each in enumerate(own.elements("circle"))]):
        take("circle", n, shapes.circle(text))
    return tuple(polygons), tuple(circles)


def _feet(text: str) -> str | None:
    try:
        return values.decimal(text)
    except values.BadValue:
        match = _DECIMAL.fullmatch(text.strip())
    if match is None or len(match[1]) > 20:
        return None
    number = match[1].replace(",", ".")
    return f"{float(number) * _FEET:.0f}" if (match[2] or "").lower().startswith("m") else number


# ---- resource ----


def _resource(raw: Raw, place: Place, info: Leaves) -> model.Resource | None:
    own = Leaves(raw, place, info.notes, info.now, info.zone, info.old)
    uri = own.value("uri", texts.address, "T-20", "is no address")
    packed = own.one("derefUri") or None
    description, mime = own.text("resourceDesc"), own.text("mimeType")
    if not (uri or packed or description):
        own.notes.add("T-23", place, "the resource holds nothing: it was left out")
        return None
    return model.Resource(
        resource_desc=description
        or own.filled("resourceDesc", _name(uri) or "Resource", "its address's end was taken"),
        mime_type=mime or own.filled("mimeType", _type(uri), "what the address's end says was taken"),
        size=_size(own),
        uri=uri,
        deref_uri=packed,
        digest=_digest(own, packed),
    )


def _name(uri: str | None) -> str:
    return (uri or "").partition("?")[0].rstrip("/").rpartition("/")[2][:_LONGEST]


def _type(uri: str | None) -> str:
    return _TYPES.get(_name(uri).rpartition(".")[2].lower(), _UNTYPED)


def _size(own: Leaves) -> int | None:
    text = own.one("size")
    if not text:
        return None
    try:
        size = values.integer(text)
    except values.BadValue:
        size = -1
    if size < 0:
        own.notes.add("T-18", own.at("size"), f"{short(text)} is no size in bytes: it was left out")
        return None
    return size


def _digest(own: Leaves, packed: str | None) -> str | None:
    text = own.one("digest")
    if not text:
        return None
    made = texts.digest(text)
    if made != text:
        own.notes.add(
            "T-18", own.at("digest"), "the digest was written otherwise than in hexadecimal: it was rewritten"
        )
    if packed and hashlib.sha1(packed.encode(), usedforsecurity=False).hexdigest() == made.lower():
        try:
            raw = base64.b64decode(packed, validate=False)
        except (binascii.Error, ValueError):
            return made
        own.notes.add(
            "T-18", own.at("digest"), "the digest is that of the base-64 text: that of the file was written"
        )
        return hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    return made
