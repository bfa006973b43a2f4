"""First light: every table of the first release."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, the public view, the refusing triggers and the rows that must exist."""
    # The driver's own cursor: this text holds colons and percent signs that SQLAlchemy would read as parameters.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration has no open connection")
    connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
