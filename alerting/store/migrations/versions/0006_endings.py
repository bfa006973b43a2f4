"""Endings: indexes by which the sweep finds what ends, and a mark on dispatches that it need not meet again."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is closed already is looked at once more, and settled then."""
    op.execute("ALTER TABLE dispatch ADD COLUMN settled BOOLEAN NOT NULL DEFAULT false")
    op.execute("""
        CREATE INDEX dispatch_expires_idx ON dispatch (expires) WHERE state IN ('planning', 'open', 'held')
    """)
    op.execute(
        "CREATE INDEX dispatch_withdrawn_idx ON dispatch (id) WHERE state = 'withdrawn' AND NOT settled"
    )
    op.execute("""
        CREATE INDEX dispatch_unsettled_idx ON dispatch (closed_at) WHERE state IN ('done', 'withdrawn') AND NOT settled
    """)
