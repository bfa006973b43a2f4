"""Values made through their slots: how the readers and the rules build frozen dataclasses by the thousand.

Imports only the standard library. The generated __init__ of a frozen dataclass sets each field by name through
object.__setattr__, which takes up to six times as long. Invariant: every field is given, in the order that `builder`
was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def builder(make: type[T], names: Sequence[str] | None = None) -> Callable[[Iterable[Any]], T]:
    """A function from the values of all fields, in the order of `names` (default: as declared), to an instance.

    Raises TypeError when `names` are not the fields of the class. The instance is filled as a twin of the class that
    is not frozen, and then becomes one of the class: Python allows it between classes of the same slots.
    """
    declared = [each.name for each in fields(make)]  # type: ignore[arg-type]  # a dataclass, or this raises TypeError
    wanted = declared if names is None else list(names)
    if sorted(wanted) != sorted(declared):
        raise TypeError(f"{make.__name__} has other fields than {', '.join(wanted)}")
    twin = make_dataclass(f"{make.__name__}BeingMade", wanted, slots=True, eq=False, repr=False)

    def build(parts: Iterable[Any]) -> T:
        value: Any = twin(*parts)
        value.__class__ = make
        return value  # type: ignore[no-any-return]  # it is one now

    return build
