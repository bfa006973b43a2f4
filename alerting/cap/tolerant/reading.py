"""The texts of one block's elements as values: words, times, pairs and references, each mend noted at its place.

Imports the model and the readers of single texts; `blocks` puts what is read together. Invariant: nothing raises, and
what cannot be read is left out or has the default that `_DEFAULTS` names, both noted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from lxml import etree

from alerting.cap import model, values
from alerting.cap.findings import ERROR, Finding, Place
from alerting.cap.schema import Field
from alerting.cap.tolerant import texts, times
from alerting.cap.tolerant.elements import Raw, text_of
from alerting.cap.tolerant.mends import Notes
from alerting.cap.values import BLANK, short

_JOINED: Final = frozenset({"description", "instruction", "note", "contact"})
_TIMES: Final = ("sent", "effective", "onset", "expires")
# What stands for a word that is missing or none of its vocabulary; those not named are left out.
_DEFAULTS: Final = {"urgency": "Unknown", "severity": "Unknown", "certainty": "Unknown", "msgType": "Alert"}
_TOKENS: Final = frozenset({"identifier", "sender"})  # no blank may stand in them, not even around
_REFERENCES: Final = 5_000
_OLD_REFERENCE: Final = re.compile(r"([^/,\s]+)/([^,\s]+)")


@dataclass(slots=True)
class Leaves:
    """The texts of one block: each asked for by CAP's name, mends noted at its place."""

    raw: Raw
    place: Place
    notes: Notes
    now: datetime | None
    zone: tzinfo | None = None
    old: bool = False
    sent: datetime | None = field(default=None)

    def at(self, name: str, n: int | None = None) -> Place:
        """The place of an element of this block."""
        return (*self.place, name) if n is None else (*self.place, name, n)

    def elements(self, name: str) -> list[etree._Element]:
        """The elements of that name as they stood."""
        return self.raw.leaves.get(name, [])

    def bare(self, name: str, element: etree._Element, n: int | None = None) -> str:
        """The text of one element; elements in it count as text, unless they are all that CAP has there."""
        if next(element.iterchildren("*"), None) is not None:
            self.notes.add("T-03", self.at(name, n), f"elements stand inside {name}: their text was taken")
        return text_of(element).strip(BLANK)

    def one(self, name: str) -> str:
        """The text of an element that may stand once, the empty string for none."""
        found = [text for text in (self.bare(name, each) for each in self.elements(name)) if text]
        distinct = list(dict.fromkeys(found))
        if len(self.elements(name)) > 1:
            told = "joined" if name in _JOINED and len(distinct) > 1 else "the first was kept"
            self.notes.add("T-03", self.at(name), f"{name} stands more than once: {told}")
        if not distinct:
            if self.elements(name) and not self.raw.block.by_name[name].required and name != "language":
                self.notes.add("T-06", self.at(name), f"{name} is empty: it was left out")
            return ""
        return "\n\n".join(distinct) if name in _JOINED else distinct[0]

    def text(self, name: str) -> str | None:
        """A plain text, None for none."""
        if name in _TOKENS:
            self._unblanked(self.elements(name)[:1], self.at(name))
        return self._plain(self.one(name), self.at(name)) or None

    def many(self, name: str) -> tuple[str, ...]:
        """The texts of an element that may stand often, empty ones left out."""
        written = [self.bare(name, each, n) for n, each in enumerate(self.elements(name))]
        if not all(written):
            self.notes.add("T-06", self.at(name), f"{name} is empty: it was left out")
        return tuple(text for text in written if text)

    def _plain(self, text: str, at: Place) -> str:
        made = texts.plain(text)
        if made != text:
            self.notes.add("T-16", at, "HTML was made plain text")
        return made

    def plain(self, text: str, name: str) -> str:
        """A text without HTML, noted at an element of this block."""
        return self._plain(text, self.at(name))

    def word(self, field: Field) -> Any:
        """One word of a vocabulary; its default, or None, where there is none that can be read."""
        text = self.one(field.name)
        value = field.words.get(text)
        if value is not None:
            self._unblanked(self.elements(field.name)[:1], self.at(field.name))
        return value if value is not None else self._odd_word(text, field, self.at(field.name))

    def words(self, field: Field) -> tuple[Any, ...]:
        """The words of an element that may stand often, each once."""
        found: list[Any] = []
        for n, element in enumerate(self.elements(field.name)):
            text = self.bare(field.name, element, n)
            value = field.words.get(text)
            if value is not None:
                self._unblanked([element], self.at(field.name, n))
            if not text:
                self.notes.add("T-06", self.at(field.name, n), f"{field.name} is empty: it was left out")
            elif value is None:  # several in one element, or written otherwise
                parts = re.split(r"[,;/]|\s{2,}", text) if texts.word(text, field) is None else [text]
                made = [self._odd_word(part, field, self.at(field.name, n)) for part in parts]
                found += [each for each in made if each is not None]
            else:
                found.append(value)
        return tuple(dict.fromkeys(found))

    def _unblanked(self, elements: list[etree._Element], at: Place) -> None:
        if any((element.text or "") != (element.text or "").strip(BLANK) for element in elements):
            self.notes.add("T-03", at, "blanks around the word were left out")

    def _odd_word(self, text: str, field: Field, at: Place) -> Any:
        value = texts.word(text, field)
        if value is not None:
            rule = "T-02" if text == "Very Likely" else "T-03"
            self.notes.add(rule, at, f"{short(text)} was read as {value}")
            return value
        default = _DEFAULTS.get(field.name)
        if default is not None:
            rule = "T-15" if default == "Unknown" else "T-23"
            said = f"{short(text)} is no {field.name}" if text else f"{field.name} is missing"
            self.notes.add(rule, at, f"{said}: {default} was taken")
            return field.words[default]
        if text and not field.required:
            self.notes.add("T-03", at, f"{short(text)} is no {field.name}: it was left out")
        return None

    def time(self, name: str) -> datetime | None:
        """A time; left out, and noted, where it cannot be told."""
        text = self.one(name)
        if not text:
            return None
        moment = times.read(text, now=self.now, zone=self.zone, ends=name == "expires")
        if moment is None:
            self.notes.add("T-21", self.at(name), f"{short(text)} is no time, or two: it was left out")
            return None
        for rule, said in moment.said:
            self.notes.add(rule, self.at(name), said)
        return moment.time

    def language(self) -> str | None:
        """The language's tag in canonical form."""
        text = self.one("language")
        made = texts.language(text)
        if made != text and self.elements("language"):
            told = f"{short(text)} was written {made}" if made else "the language is empty: it was left out"
            self.notes.add("T-14", self.at("language"), told)
        return made

    def pairs(self, name: str) -> tuple[model.NamedValue, ...]:
        """valueName and value of eventCode, parameter or geocode; what has only one of them is left out."""
        made: list[model.NamedValue] = []
        for element in self.elements(name):
            n = len(made)
            found = _named(element)
            if not found:
                self.notes.add(
                    "T-23", self.at(name, n), f"{name} has no valueName and value: it was left out"
                )
            elif not len(element):
                self.notes.add("T-02", self.at(name, n), f"{name} is written name=value, as in CAP 1.0")
            elif len(found) > 1:
                self.notes.add("T-23", self.at(name, n), f"{name} holds several values: one was made of each")
            for pair in found:
                value = self.plain(pair.value, name) if name == "parameter" else pair.value
                made += [model.NamedValue(pair.value_name, each) for each in self._codes(name, value, n)]
        return tuple(made)

    def _codes(self, name: str, value: str, n: int) -> list[str]:
        """A list of codes in one geocode (FIPS6, UGC) as codes."""
        codes = value.split()
        alike = len(codes) > 1 and len({len(code) for code in codes}) == 1 and len(codes[0]) >= 5
        if (
            name != "geocode"
            or not alike
            or not all(re.fullmatch(r"[A-Z]{0,3}[0-9]+", code) for code in codes)
        ):
            return [value]
        self.notes.add("T-23", self.at(name, n), "one geocode holds a list of codes: one was made of each")
        return codes

    def value(self, name: str, read: Callable[[str], Any], rule: str, told: str) -> Any:
        """A value read by `read`, which returns None for what is none: left out, and noted."""
        text = self.one(name)
        if not text:
            return None
        made = read(text)
        if made is None or made != text:
            said = f"{short(text)} {told}: it was left out" if made is None else f"{name} was rewritten"
            self.notes.add(rule, self.at(name), said)
        return made

    def filled(self, name: str, text: str, told: str) -> str:
        """A required text that is missing, filled."""
        rule = "T-02" if self.old and name == "mimeType" else "T-23"
        self.notes.add(rule, self.at(name), f"{name} is missing: {told}")
        return text


def _named(element: etree._Element) -> list[model.NamedValue]:
    children = list(element.iterchildren("*"))
    if not children:
        name, equals, value = text_of(element).strip(BLANK).partition("=")
        return (
            [model.NamedValue(name.strip(), value.strip())]
            if equals and name.strip() and value.strip()
            else []
        )
    found: list[model.NamedValue] = []
    name = ""
    for child in children:
        kind = str(child.tag).rpartition("}")[2].lower()
        text = text_of(child).strip(BLANK)
        if kind == "valuename":
            name = text
        elif kind == "value" and name and text:
            found.append(model.NamedValue(name, text))
    if not found and len(children) >= 2 and (swapped := _value_first(children)) is not None:
        return [swapped]
    return found


def _value_first(children: list[etree._Element]) -> model.NamedValue | None:
    by_name = {str(child.tag).rpartition("}")[2].lower(): text_of(child).strip(BLANK) for child in children}
    name, value = by_name.get("valuename"), by_name.get("value")
    return model.NamedValue(name, value) if name and value else None


def fallback_zone(raw: Raw) -> tzinfo | None:
    """The zone of a message's times: sent's own, else the one that all others name."""
    infos = raw.nested.get("info", [])
    first = [text_of(each).strip(BLANK) for each in raw.leaves.get("sent", [])]
    others = [
        text_of(each).strip(BLANK) for info in infos for name in _TIMES for each in info.leaves.get(name, [])
    ]
    return times.zone_of(first) or times.zone_of(others)


def references(leaves: Leaves, sender: str, identifier: str) -> tuple[model.Reference, ...]:
    """The references that can be told; one to the message itself, and what is none, left out."""
    at = leaves.at("references")
    text = " ".join(leaves.bare("references", each) for each in leaves.elements("references")).strip()
    if leaves.elements("references") and not text:
        leaves.notes.add("T-06", at, "references is empty: it was left out")
    made: list[model.Reference] = []
    parts = _triples(text)
    if len(parts) > _REFERENCES:
        leaves.notes.add("T-07", at, f"more than {_REFERENCES} references: those after them were left out")
    for part in parts[:_REFERENCES]:
        triple = _reference(part, leaves)
        if triple is None:
            leaves.notes.add("T-07", at, f"{short(part)} is no reference: it was left out")
        elif (triple.sender, triple.identifier) == (sender, identifier):
            leaves.notes.add("T-07", at, "the message refers to itself: that reference was left out")
        else:
            made.append(triple)
    return tuple(dict.fromkeys(made))


def _triples(text: str) -> list[str]:
    parts = re.sub(r"(?<!\s)\s*+,\s*+", ",", text).split()
    made: list[str] = []
    for part in parts:
        fields = part.split(",")
        if len(fields) % 3:
            made.append(part)
        else:  # also a list with commas alone: a,b,c,d,e,f
            made += [",".join(fields[n : n + 3]) for n in range(0, len(fields), 3)]
    return made


def _reference(part: str, leaves: Leaves) -> model.Reference | None:
    try:
        return values.reference(part)
    except values.BadValue:
        pass
    fields = part.split(",")
    at = leaves.at("references")
    if len(fields) == 3 and fields[0] and fields[1]:
        moment = times.read(fields[2], now=leaves.now, zone=leaves.zone, ends=False)
        for rule, said in moment.said if moment else ():
            leaves.notes.add(rule, at, said)
        return _dated(fields[0], fields[1], moment.time if moment else None, leaves)
    if len(fields) == 2 and all(fields):
        return _dated(fields[0], fields[1], None, leaves)
    if old := _OLD_REFERENCE.fullmatch(part):  # CAP 1.0: identifier/sender
        return _dated(old[2], old[1], None, leaves)
    return None


def _dated(sender: str, identifier: str, sent: datetime | None, leaves: Leaves) -> model.Reference | None:
    if sent is None:
        leaves.notes.add(
            "T-07",
            leaves.at("references"),
            "a reference does not say when its message was sent: this message's own time was put there",
        )
        sent = leaves.sent
    return None if sent is None else model.Reference(sender, identifier, sent)


def unnamed(source: bytes) -> str:
    """An identifier for a message without one: the same for the same bytes."""
    return f"unnamed-{hashlib.sha256(source).hexdigest()[:24]}"


def missing(place: Place, name: str) -> Finding:
    """Why a message is not handed out at all."""
    return Finding("A-03", ERROR, place, f"{name} is missing or no time, and nothing in the message tells it")
