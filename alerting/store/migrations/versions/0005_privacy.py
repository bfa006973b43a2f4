"""Privacy: deliveries without a recipient, receipts that are emptied, macs that stay silent, and what a restore has touched."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let what is old be forgotten, in these ways and no other, and remember how far that has come."""
    op.execute("ALTER TABLE delivery DROP CONSTRAINT delivery_to_check")
    op.execute("""
        ALTER TABLE delivery ADD CONSTRAINT delivery_to_check CHECK (
            num_nonnulls(address, feed) = 1 OR (num_nonnulls(address, feed) = 0 AND status <> 'planned'))
    """)
    op.execute("""
        ALTER TABLE dispatch ADD COLUMN forgotten_to BIGINT NOT NULL DEFAULT 0, ADD COLUMN forgotten_at TIMESTAMPTZ,
            ADD COLUMN restored_from TEXT,
            ADD CONSTRAINT dispatch_restored_from_check CHECK (restored_from IN ('planning', 'open', 'held'))
    """)
    op.execute("""
        CREATE INDEX dispatch_kept_idx ON dispatch (expires)
        WHERE state IN ('done', 'withdrawn') AND forgotten_at IS NULL
    """)
    op.execute("""
        CREATE TABLE suppression (
            channel TEXT NOT NULL, mac BYTEA NOT NULL, since TIMESTAMPTZ NOT NULL,
            CONSTRAINT suppression_pkey PRIMARY KEY (channel, mac)
        )
    """)
    op.execute("UPDATE address SET stopped_at = now() WHERE state <> 'active' AND stopped_at IS NULL")
    op.execute("CREATE INDEX address_closed_idx ON address (stopped_at) WHERE state <> 'active'")
    # A change that empties a row is let through; every other is refused as before.
    op.execute("DROP TRIGGER receipt_never_updated ON receipt")
    op.execute("""
        CREATE TRIGGER receipt_never_updated BEFORE UPDATE ON receipt FOR EACH ROW WHEN (NOT (
            NEW.reference IS NULL AND NEW.n IS NULL AND NEW.raw = '{}'
            AND NEW.event_id = 'sha256:' || encode(sha256(convert_to(OLD.event_id, 'UTF8')), 'hex')
            AND NEW.id = OLD.id AND NEW.provider = OLD.provider AND NEW.dispatch IS NOT DISTINCT FROM OLD.dispatch
            AND NEW.status = OLD.status AND NEW.reason IS NOT DISTINCT FROM OLD.reason
            AND NEW.received_at = OLD.received_at
        )) EXECUTE FUNCTION refuse_change()
    """)
    op.execute("DROP TRIGGER notice_never_updated ON notice")
    op.execute("""
        CREATE TRIGGER notice_never_updated BEFORE UPDATE ON notice FOR EACH ROW WHEN (NOT (
            NEW.subject IS NULL AND NEW.text = '' AND NEW.html IS NULL
            AND NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.language = OLD.language
            AND NEW.segments = OLD.segments AND NEW.sha256 = OLD.sha256 AND NEW.created_at = OLD.created_at
        )) EXECUTE FUNCTION refuse_change()
    """)
