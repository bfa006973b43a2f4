"""Held by a restore: what `alerting resume` may release is no longer guessed from where the dispatch came from."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what is on hold now, that which came so from a restore and has no surplus of people to look at."""
    op.execute("ALTER TABLE dispatch ADD COLUMN held_by_restore BOOLEAN NOT NULL DEFAULT false")
    op.execute(
        """
        UPDATE dispatch SET held_by_restore = true
        WHERE state = 'held' AND restored_from IN ('planning', 'open') AND (approved IS NULL OR planned <= approved)
        """
    )
