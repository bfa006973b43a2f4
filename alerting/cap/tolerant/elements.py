"""The elements of an alert sorted into CAP's blocks: any order, any namespace of CAP, and what stands in the wrong block.

Owns names and places of elements; their texts are read by `reading`. Imports lxml and the schema. Invariant: each element
of CAP that an alert holds ends up in one block (or in each of several infos, where it stood outside all of them), and
whatever is left out is noted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from alerting.cap.findings import Place
from alerting.cap.model import NamedValue
from alerting.cap.schema import ALERT, AREA, INFO, RESOURCE, SIGNATURE_NAMESPACE, Block, Field
from alerting.cap.tolerant.mends import Notes
from alerting.cap.values import BLANK, short

_BLOCKS: Final = (ALERT, INFO, AREA, RESOURCE)
_KEYS: Final[dict[str, dict[str, Field]]] = {
    block.name: {each.name.lower(): each for each in block.fields} for block in _BLOCKS
}
_HOMES: Final[dict[str, tuple[Block, Field]]] = {
    each.name.lower(): (block, each) for block in reversed(_BLOCKS) for each in block.fields
}
_BLOCK_OF: Final = {block.name: block for block in _BLOCKS}
# Other spellings met in feeds and in other versions of CAP.
_ALIASES: Final = {
    "messagetype": "msgtype",
    "reference": "references",
    "incident": "incidents",
    "address": "addresses",
}
_INLINE: Final = frozenset({"a", "b", "em", "font", "i", "span", "strong", "u"})
_COPIES: Final = 10_000
_MOST: Final = 50  # levels of grouping elements that are looked through


def local(element: etree._Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: etree._Element) -> str:
    """The namespace, the empty string for none."""
    return namespace_of(str(element.tag))


def namespace_of(name: str) -> str:
    """The namespace of a name as lxml writes it."""
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def is_cap(name: str) -> bool:
    """Whether a namespace is one of CAP's versions or a profile's that is used like one (Luxembourg's)."""
    name = name.lower()
    return name.startswith("urn:oasis:names:tc:emergency:cap") or ("/cap/1." in name and "incident" in name)


def key_of(element: etree._Element) -> str:
    """The name as it is looked up: in small letters, without underscores and hyphens."""
    key = local(element).lower().replace("_", "").replace("-", "")
    return _ALIASES.get(key, key)


def known(key: str) -> str | None:
    """CAP's own spelling of a name; None for a stranger."""
    home = _HOMES.get(key)
    return home[1].name if home else None


def text_of(element: etree._Element) -> str:
    """The text of an element and of everything in it; comments are no text."""
    pieces = [str(piece) for piece in element.itertext()]
    if not len(element) or next(element.iterchildren("*"), None) is None:
        return "".join(pieces)
    inline = all(local(each).lower() in _INLINE for each in element.iterdescendants("*"))
    return (" " if inline else "\n").join(text for text in map(str.strip, pieces) if text)


@dataclass(slots=True)
class Raw:
    """One block as found: its elements by CAP's names, nested blocks sorted in turn."""

    block: Block
    leaves: dict[str, list[etree._Element]] = field(default_factory=dict)
    nested: dict[str, list[Raw]] = field(default_factory=dict)
    strays: list[Stray] = field(default_factory=list)
    last: int = -1

    def has(self, each: Field) -> bool:
        """Whether anything stands under that name."""
        return each.name in self.leaves or each.name in self.nested


Stray = tuple[Block, Field, "etree._Element | Raw"]  # noqa: SLF001 - lxml has no public name of it
"""Where an element belongs, as what, and the element (or the block sorted from it)."""


def sort(alert: etree._Element, notes: Notes) -> tuple[Raw, int]:
    """The alert's elements in their blocks, and how many signatures were passed over."""
    sorting = _Sorting(notes, namespace(alert))
    sorting.attributes(alert, ())
    raw = sorting.block(alert, ALERT, ())
    sorting.settle(raw)
    return raw, sorting.signatures


class _Sorting:
    __slots__ = ("_home", "_notes", "signatures")

    def __init__(self, notes: Notes, home: str) -> None:
        self._notes = notes
        self._home = home
        self.signatures = 0

    def block(self, element: etree._Element, block: Block, place: Place) -> Raw:
        raw = Raw(block)
        self._children(element, raw, place, 0)
        return raw

    def attributes(self, element: etree._Element, place: Place) -> None:
        """CAP has none; hints at a schema's place are no news."""
        if any("chemaLocation" not in str(name) for name in element.attrib):
            self._notes.add("T-03", place, "CAP has no attributes: they were left out")

    def _children(self, element: etree._Element, raw: Raw, place: Place, depth: int) -> None:
        if (element.text or "").strip(BLANK) or any((child.tail or "").strip(BLANK) for child in element):
            self._notes.add("T-03", place, "text stands between the elements: it was left out")
        for child in element.iterchildren("*"):
            self._child(child, raw, place, depth)

    def _child(self, child: etree._Element, raw: Raw, place: Place, depth: int) -> None:
        space = namespace(child)
        if space == SIGNATURE_NAMESPACE:
            self.signatures += 1
            if raw.block is not ALERT:
                self._notes.add("T-03", place, "a signature stands inside a block: it was passed over")
            return
        key = key_of(child)
        ours = not space or is_cap(space) or space == self._home
        own = _KEYS[raw.block.name].get(key) if ours else None
        if own is not None:
            self._own(child, own, raw, place)
        elif ours and key in _HOMES and key != raw.block.name:
            home, each = _HOMES[key]
            self._notes.add(
                "T-03",
                (*place, each.name),
                f"{each.name} stands in {raw.block.name}: it was read as {home.name}'s",
            )
            nested = each.block is not None and each.block.make is not NamedValue
            raw.strays.append((home, each, self._inner(child, each, raw, place) if nested else child))
        elif ours and key == "password" and raw.block is ALERT:
            self._notes.add(
                "T-02", (*place, "password"), "password was dropped after CAP 1.0: it was left out"
            )
        elif ours and depth < _MOST and any(key_of(each) in _HOMES for each in child.iterchildren("*")):
            self._notes.add(
                "T-03", place, f"{short(local(child))} is no element of CAP: what is in it was read"
            )
            self._children(child, raw, place, depth + 1)
        else:
            self._notes.add("T-03", place, f"{short(local(child))} is no element of CAP: it was left out")

    def _own(self, child: etree._Element, own: Field, raw: Raw, place: Place) -> None:
        at: Place = (*place, own.name)
        if own.many:
            at = (*at, len(raw.leaves.get(own.name) or raw.nested.get(own.name) or ()))
        if own.rank < raw.last:
            self._notes.add("T-03", at, f"{own.name} stands too late: it was put in the schema's order")
        raw.last = max(raw.last, own.rank)
        if local(child) != own.name:
            self._notes.add("T-03", at, f"{short(local(child))} was read as {own.name}")
        self.attributes(child, at)
        if own.block is not None and own.block.make is not NamedValue:
            raw.nested.setdefault(own.name, []).append(self._inner(child, own, raw, at))
        else:
            raw.leaves.setdefault(own.name, []).append(child)

    def _inner(self, child: etree._Element, own: Field, raw: Raw, place: Place) -> Raw:
        """The nested block; what strayed into it and belongs to none below it comes up to this one."""
        assert own.block is not None  # noqa: S101 - asked by the callers
        inner = self.block(child, own.block, place)
        if own.block is not INFO:
            raw.strays += inner.strays
            inner.strays = []
        return inner

    # ---- what stood in the wrong block ----

    def settle(self, alert: Raw) -> None:
        """Bring strays home: from an area up to its info, from the alert down to its infos."""
        for info in alert.nested.get("info", []):
            alert.strays += _down(info)
        rest = _down(alert)
        for home, each, _ in rest:
            self._notes.add("T-03", (each.name,), f"no {home.name} to put {each.name} into: it was left out")


def _down(raw: Raw) -> list[Stray]:
    """Place the strays that belong in this block or below it; those that belong above come back."""
    above: list[Stray] = []
    below: dict[str, list[Stray]] = {}
    for home, each, element in raw.strays:
        if home is raw.block:
            _put(raw, [(home, each, element)])
        elif (child := _towards(raw.block, home)) is None:
            above.append((home, each, element))
        else:
            below.setdefault(child.name, []).append((home, each, element))
    raw.strays = []
    for name, strays in below.items():
        _hand_down(raw, name, strays)
    return above


def _towards(block: Block, home: Block) -> Block | None:
    """The block below this one that leads to another; None when it lies above."""
    if block is ALERT:
        return INFO
    return home if block is INFO and (home is AREA or home is RESOURCE) else None


def _hand_down(raw: Raw, name: str, strays: list[Stray]) -> None:
    """To each nested block that lacks them; to a new one where there is none (or, beside areas, a shape stands alone)."""
    blocks = raw.nested.setdefault(name, [])
    if not blocks or (
        name != INFO.name and any(each.name in {"areaDesc", "resourceDesc"} for _, each, _ in strays)
    ):
        blocks.append(Raw(_BLOCK_OF[name]))
    most = blocks if len(blocks) * len(strays) <= _COPIES else blocks[:1]  # more is an attack
    for each in most if name == INFO.name else blocks[-1:]:
        _put(each, strays)
        _down(each)


def _put(raw: Raw, strays: list[Stray]) -> None:
    there = {each.name for _, each, _ in strays if raw.has(each)}
    for home, each, element in strays:
        if home is not raw.block:
            raw.strays.append((home, each, element))
        elif each.name in there:
            continue
        elif isinstance(element, Raw):
            raw.nested.setdefault(each.name, []).append(element)
        else:
            raw.leaves.setdefault(each.name, []).append(element)
