"""Where the data folders are: templates and examples lie at the top of a checkout and inside an installed wheel.

Imports only the standard library. Invariant: the answer exists, or the installation is broken and says so.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder or file `name` ("templates", "examples/flood.cap.xml") of the checkout, else of the wheel.

    Raises FileNotFoundError when neither has it.
    """
    checkout = _PACKAGE.parent / name
    if (_PACKAGE.parent / "pyproject.toml").is_file() and checkout.exists():
        return checkout
    packed = _PACKAGE / "_shipped" / name
    if packed.exists():
        return packed
    raise FileNotFoundError(f"{name} is missing from this installation of alerting: install it again")
