"""The whole database in one file, and a service from such a file: `pg_dump`, `pg_restore`, and what makes the result safe.

    BackupError
    ├── NoTools         no client programs of PostgreSQL, or too old ones
    ├── Failed          one of them failed; the text ends with its own words
    ├── NotEmpty        the target holds something, or somebody works in it
    └── NotABackup      the file is none, or was made by a newer release than this one

A file never holds keys: addresses in it stay sealed. Must not import a use case. Invariant: nothing that a backup had
begun to send leaves a restored database unmarked, or before somebody has said so.
"""

from __future__ import annotations

from alerting.backup.dump import Backup, back_up
from alerting.backup.errors import BackupError, Failed, NotABackup, NotEmpty, NoTools
from alerting.backup.restore import Restored, finish, restore, resume

__all__ = [
    "Backup",
    "BackupError",
    "Failed",
    "NoTools",
    "NotABackup",
    "NotEmpty",
    "Restored",
    "back_up",
    "finish",
    "restore",
    "resume",
]
