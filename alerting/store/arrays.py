"""PostgreSQL array constants for the statements that move thousands of rows at once.

Owns their spelling; knows no table. As text they cost a fifth of what the driver takes for a list. Invariant: what `quoted`
makes is read as the same texts, but for U+0000, which PostgreSQL cannot hold.
"""

from __future__ import annotations

from collections.abc import Iterable


def array(values: Iterable[object]) -> str:
    """Numbers, booleans or words that need no quotes."""
    return "{" + ",".join(map(str, values)) + "}"


def quoted(values: Iterable[str | None]) -> str:
    """Any text; None is NULL."""
    return array(
        "NULL"
        if value is None
        else '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\ufffd") + '"'
        for value in values
    )
