"""Room on a page for the second life of its rows: a delivery grows by the provider's reference when it is accepted."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Pages that are written from now on; those of old deliveries are not written anew."""
    op.execute("ALTER TABLE delivery SET (fillfactor = 35)")
