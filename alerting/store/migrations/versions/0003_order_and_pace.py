"""Order and pace: whose warning a dispatch is, indexes for the claim, and whose turn it is at a sender."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name the authority of each dispatch; divide ready batches into those that may go at once and those that wait."""
    op.execute("ALTER TABLE dispatch ADD COLUMN authority TEXT NOT NULL DEFAULT ''")
    op.execute("UPDATE dispatch SET authority = alert.sender FROM alert WHERE alert.id = dispatch.alert")
    op.execute("DROP INDEX dispatch_work_idx")
    op.execute("""
        CREATE INDEX dispatch_work_idx ON dispatch (channel, priority, authority, id)
        WHERE state IN ('planning', 'open')
    """)
    op.execute(
        "CREATE INDEX dispatch_planning_idx ON dispatch (priority, authority) WHERE state = 'planning'"
    )
    op.execute("DROP INDEX batch_ready_idx")
    op.execute("""
        CREATE INDEX batch_ready_idx ON batch (dispatch, n_from) WHERE state = 'ready' AND not_before IS NULL
    """)
    op.execute("""
        CREATE INDEX batch_due_idx ON batch (dispatch, not_before) WHERE state = 'ready' AND not_before IS NOT NULL
    """)
    op.execute("CREATE INDEX batch_done_idx ON batch (done_at) WHERE state = 'done'")
    op.execute("ALTER TABLE sender ADD COLUMN turn SMALLINT, ADD COLUMN turn_until TIMESTAMPTZ")
    # Whole batches were reserved ahead: half an hour at a slow sender.
    op.execute("UPDATE sender SET next_free = now() WHERE next_free > now()")
