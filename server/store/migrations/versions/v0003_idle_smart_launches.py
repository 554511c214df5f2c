"""Idle launches of the SMART app are found without reading all."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index."""
    op.create_index("smart_launches_used_at", "smart_launches", ["used_at"])


def downgrade() -> None:
    """Delete the index."""
    op.drop_index("smart_launches_used_at", "smart_launches")
