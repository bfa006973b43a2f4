"""How large a CAP document may be: the bounds that are checked before any work whose cost grows faster than reading.

Imports only the standard library. Invariant: every bound is met by all real documents known (the largest has 0.99 MB,
another 6 121 elements, a third a polygon of 41 009 points) and none lets a hostile one cost a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """`size` in bytes of the document; `elements`, `points` and `circles` in the whole document; `findings` reported at most.

    Depth has no knob: the parser stops at 256, a CAP element never lies deeper than 5.
    """

    size: int = 2_000_000
    elements: int = 30_000
    points: int = 60_000
    circles: int = 100
    findings: int = 1_000


LIMITS: Final = Limits()
