"""What can go wrong with the embedded servers; the tree is drawn in `alerting.embedded`.

Imports nothing. Invariant: each text says what to do, and holds no password.
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Root of the package."""


class InUse(EmbeddedError):
    """Another process holds the data folder."""


class PortTaken(EmbeddedError):
    """Somebody else listens on a port that was asked for by name."""


class Unavailable(EmbeddedError):
    """There is no server to start, or it cannot run under this account."""
