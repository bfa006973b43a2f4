"""Which of the old belongs to which of the new: by keys, the surest first.

Imports only the standard library. Invariant: nobody is matched twice, and the work grows with the number of blocks,
never with the number of pairs: a document holds thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")


def matched(
    old: Sequence[T], new: Sequence[T], keys: Sequence[Callable[[T], Hashable]]
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of indices in the order of the new, then the indices left of the old and of the new.

    Those with an equal key are a pair, in order where several are equal; a key of None matches nothing. What is left
    alone on either side is a pair too.
    """
    pairs: list[tuple[int, int]] = []
    gone, come = list(range(len(old))), list(range(len(new)))
    for key in keys:
        if not gone or not come:
            break
        waiting: dict[Hashable, list[int]] = {}
        for b in reversed(gone):
            waiting.setdefault(key(old[b]), []).append(b)
        waiting.pop(None, None)
        rest: list[int] = []
        for a in come:
            equals = waiting.get(key(new[a]))
            if equals:
                pairs.append((equals.pop(), a))
            else:
                rest.append(a)
        taken = {b for b, _ in pairs}
        gone, come = [b for b in gone if b not in taken], rest
    if len(gone) == len(come) == 1:
        pairs.append((gone.pop(), come.pop()))
    return sorted(pairs, key=lambda pair: pair[1]), gone, come
