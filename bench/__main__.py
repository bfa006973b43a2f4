"""`python -m bench [NAME]`: run the row NAME, or those whose name begins with it, print a table, write build/bench.json.

A row is {name, value, unit, reference, goal, samples}: medians in one unit; with a reference the goal is the least ratio of
the two rates, without one it is the most seconds (unit s), the most memory (MB), the most people lost or the least rate.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: The modules of each family of names. A module has `rows()`, or `NAMES` and `rows(wanted)`.
MODULES: dict[str, tuple[str, ...]] = {
    "cap": ("bench.cap",),
    "sms": ("bench.sms",),
    "email": ("bench.email",),
    "sandbox": ("bench.sandbox",),
    "fanout": ("bench.fanout", "bench.million", "bench.pace"),
    "expand": ("bench.expand",),
    "drain": ("bench.drain",),
    "receipts": ("bench.receipts",),
    "chaos": ("bench.kills",),
}

OUT = Path(__file__).resolve().parents[1] / "build" / "bench.json"


def met(row: dict[str, Any]) -> bool | None:
    """Whether the goal is reached; None for a void row."""
    if row["value"] is None:
        return None
    if row["reference"] is not None:
        return bool(row["value"] / row["reference"] >= row["goal"])
    least = row["unit"] not in {"s", "MB", "people"}
    return bool(row["value"] >= row["goal"] if least else row["value"] <= row["goal"])


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [f"{'name':<26}{'value':>12} {'unit':<14}{'reference':>12}{'ratio':>9}{'goal':>9}  met"]
    for row in rows:
        value, reference = row["value"], row["reference"]
        ratio = f"{value / reference:.2f}x" if value is not None and reference else ""
        verdict = {True: "yes", False: "NO", None: "void"}[met(row)]
        lines.append(
            f"{row['name']:<26}{_number(value):>12} {row['unit']:<14}{_number(reference):>12}{ratio:>9}{row['goal']:>9}  {verdict}"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"


def main(arguments: list[str]) -> int:
    """Exit 0 when every row ran; goals are reported, not enforced: machines are noisy."""
    prefix = arguments[0] if arguments else ""
    modules = [
        importlib.import_module(name)
        for family, names in MODULES.items()
        if family.startswith(prefix.partition(".")[0]) or prefix.startswith(family)
        for name in names
    ]
    whole = any(prefix in getattr(module, "NAMES", ()) for module in modules)
    wanted: Callable[[str], bool] = lambda name: name == prefix or (not whole and name.startswith(prefix))  # noqa: E731
    rows: list[dict[str, Any]] = []
    for module in modules:
        if inspect.signature(module.rows).parameters:
            rows += module.rows(wanted)
        else:
            rows += [row for row in module.rows() if wanted(row["name"])]
    if not rows:
        print(f"no row is named {prefix}*", file=sys.stderr)
        return 2
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
