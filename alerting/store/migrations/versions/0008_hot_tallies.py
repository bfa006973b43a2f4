"""Hot tallies: the index on what waits no longer names the number, which every flush changes."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The same rows and those at zero; what asks for them names the dispatch."""
    op.execute("DROP INDEX tally_planned_idx")
    op.execute("CREATE INDEX tally_planned_idx ON tally (dispatch) WHERE status = 'planned'")
