"""Numbered, forward-only migrations, run by Alembic from inside the package: an installed wheel can upgrade.

Must not import tables: a migration is history and says itself what it makes. Invariant: `upgrade` on a database of any
earlier version, with rows in it, ends at `head()`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from alerting.store.engine import normalise_url


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = normalise_url(url)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; two at once wait for each other."""
    command.upgrade(_config(url), revision)


def head() -> str:
    """The newest revision that this installation knows."""
    found = ScriptDirectory.from_config(_config("")).get_current_head()
    if found is None:
        raise RuntimeError("no migrations in this installation of alerting: install it again")
    return found


def revisions() -> list[str]:
    """Every revision, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions()][::-1]
