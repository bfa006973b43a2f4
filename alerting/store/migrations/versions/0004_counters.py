"""Counters: what sends came to stands in their batch until the sweep moves it; queues know since when a batch waits."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Batches of before count for nothing; they have waited since this moment."""
    op.execute("""
        ALTER TABLE batch ADD COLUMN ready_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                          ADD COLUMN results JSONB,
                          ADD COLUMN counted BOOLEAN NOT NULL DEFAULT false
    """)
    op.execute("""
        CREATE INDEX batch_uncounted_idx ON batch (id) WHERE state = 'done' AND NOT counted AND results IS NOT NULL
    """)
    op.execute("CREATE INDEX dispatch_held_idx ON dispatch (channel) WHERE state = 'held'")
    op.execute("""
        CREATE TABLE metric (name TEXT NOT NULL, labels TEXT[] NOT NULL, n BIGINT NOT NULL,
                             CONSTRAINT metric_pkey PRIMARY KEY (name, labels)) WITH (fillfactor = 50)
    """)
