"""Signed documents: what is issued may carry the authority's signature, made at that moment, and the public gets that."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the state of an alert room for the signed document, and the public view that one where there is one."""
    op.execute("ALTER TABLE alert_state ADD COLUMN signed_xml BYTEA")
    op.execute("""
        CREATE OR REPLACE VIEW public_alert AS
        SELECT alert.id, alert.seq, alert.slug, alert.sender, alert.identifier, alert.sent, alert.msg_type, alert.cap,
               COALESCE(alert_state.signed_xml, alert.cap_xml) AS cap_xml, alert.received_at, alert.omit,
               alert_state.state, alert_state.issued_at, alert_state.ended_at, alert_state.expires
        FROM alert JOIN alert_state ON alert_state.alert = alert.id
        WHERE workspace = 'live' AND status = 'Actual' AND scope = 'Public'
          AND msg_type IN ('Alert', 'Update', 'Cancel', 'Error') AND alert_state.issued_at IS NOT NULL
    """)
