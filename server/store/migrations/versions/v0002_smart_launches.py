"""The launches of the SMART app."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "smart_launches",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64)),
        sa.Column("is_standalone", sa.Boolean, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("refreshing_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="smart_launches_pk"),
        sa.UniqueConstraint("state", name="smart_launches_state_once"),
    )
    op.create_index("smart_launches_ends_at", "smart_launches", ["ends_at"])


def downgrade() -> None:
    """Delete the table: whoever has the app open has to open it again."""
    op.drop_table("smart_launches")
