"""Values made through their slots: how the readers and the rules build frozen dataclasses by the thousand.

Imports only the standard library. The generated __init__ of a frozen dataclass sets each field by name through
object.__setattr__, which takes four times as long. Invariant: every field is given, in the order that `builder` was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def builder(make: type[T], names: Sequence[str] | None = None) -> Callable[[Iterable[Any]], T]:
    """A function from the values of all fields, in the order of `names` (default: as declared), to an instance.

    Raises TypeError when `names` are not the fields of the class.
    """
    declared = [each.name for each in fields(make)]  # type: ignore[arg-type]  # a dataclass, or this raises TypeError
    wanted = declared if names is None else list(names)
    if sorted(wanted) != sorted(declared):
        raise TypeError(f"{make.__name__} has other fields than {', '.join(wanted)}")
    new: Callable[[type[T]], T] = object.__new__
    setters = tuple(getattr(make, name).__set__ for name in wanted)

    def build(parts: Iterable[Any]) -> T:
        value = new(make)
        for put, part in zip(setters, parts, strict=True):
            put(value, part)
        return value

    return build
