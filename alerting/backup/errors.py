"""What keeps a backup from being made or restored; the tree is drawn in the package.

Imports nothing. Invariant: no text holds a password, a key or an address.
"""

from __future__ import annotations


class BackupError(Exception):
    """Root of this package's errors; the text says what to do."""


class NoTools(BackupError):
    """The client programs of PostgreSQL are missing or older than the server."""


class Failed(BackupError):
    """A client program failed; nothing was changed."""


class NotEmpty(BackupError):
    """The target is not an empty database that nobody works in."""


class NotABackup(BackupError):
    """The file cannot be restored by this release."""
