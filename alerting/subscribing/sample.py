"""Made-up subscribers for a demo: a list as `import_csv` takes it, the same for the same seed.

Telephone numbers are those that the North American Numbering Plan keeps for fiction (555-0100 to 555-0199 in each area
code), mailboxes those of RFC 2606 (example.org, example.com, example.net): they are valid, and they are nobody's.
Pure. Invariant: no row names an address twice, and none can reach a person.
"""

from __future__ import annotations

import csv
import io
import itertools
import random
from collections.abc import Iterator, Sequence

LANGUAGES = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")

COLUMNS = ("external_id", "phone", "email", "language", "regions", "lat", "lon", "floor", "hazards")

#: Area codes as the plan allows them: first digit 2-9, second 0-8, never ending in 11.
AREA_CODES = tuple(
    100 * a + 10 * b + c for a in range(2, 10) for b in range(9) for c in range(10) if (b, c) != (1, 1)
)

#: Telephones that there are: a hundred in each area code.
MOST = 100 * len(AREA_CODES)

_DOMAINS = ("example.org", "example.com", "example.net")

#: One in so many wants to hear of severe things alone, or of the weather alone; one in so many has both addresses.
_PICKY, _WEATHER, _BOTH = 10, 12, 8


def fictional_phone(n: int) -> str:
    """The n-th telephone number for fiction, E.164, n from 0 to MOST - 1; raises IndexError beyond."""
    if not 0 <= n < MOST:
        raise IndexError(f"there are {MOST} fictional telephone numbers")
    # Counted through the area codes first: neighbours look as different as people's numbers do.
    return f"+1{AREA_CODES[n % len(AREA_CODES)]}55501{n // len(AREA_CODES):02d}"


def sample_rows(
    n: int,
    *,
    seed: int,
    regions: Sequence[str],
    box: tuple[float, float, float, float],
    following_regions: float = 0.6,
) -> Iterator[str]:
    """`n` subscribers as lines of CSV, the heading first; at most MOST of them, because each may have a telephone.

    `regions` are codes to choose from, `box` (west, south, east, north, degrees) holds the points of those who follow
    none. Half have a telephone, half a mailbox, some both; the languages come equally often.
    """
    if n > MOST:
        raise ValueError(
            f"a sample has at most {MOST} subscribers: there are no more fictional telephone numbers"
        )
    chance = random.Random(seed)  # noqa: S311 - a demo, not a secret
    languages = itertools.cycle(LANGUAGES)
    phones = chance.sample(range(MOST), n)
    yield _line(COLUMNS)
    for number in range(n):
        name = f"person{number + 1:06d}"
        both = chance.randrange(_BOTH) == 0
        by_phone = number % 2 == 0
        place = _place(chance, regions, box, by_region=bool(regions) and chance.random() < following_regions)
        yield _line(
            (
                f"demo-{number + 1}",
                fictional_phone(phones[number]) if by_phone or both else "",
                f"{name}@{chance.choice(_DOMAINS)}" if not by_phone or both else "",
                next(languages),
                *place,
                "severe" if chance.randrange(_PICKY) == 0 else "",
                "Met" if chance.randrange(_WEATHER) == 0 else "",
            )
        )


def _place(
    chance: random.Random, regions: Sequence[str], box: tuple[float, float, float, float], *, by_region: bool
) -> tuple[str, str, str]:
    """The columns regions, lat, lon of one row."""
    if by_region:
        return " ".join(chance.sample(regions, min(len(regions), 1 + (chance.randrange(5) == 0)))), "", ""
    west, south, east, north = box
    return "", f"{chance.uniform(south, north):.5f}", f"{chance.uniform(west, east):.5f}"


def _line(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()
