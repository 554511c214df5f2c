"""The audit trail; and of cards shown, in which visit, and whether anybody saw them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables and the columns."""
    op.create_table(
        "audit_events",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("client", "sequence", name="audit_events_pk"),
    )
    op.create_index("audit_events_recorded_at", "audit_events", ["recorded_at"])
    op.create_table(
        "audit_chains",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("purged_sequence", sa.BigInteger, nullable=False),
        sa.Column("purged_chain", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("client", name="audit_chains_pk"),
    )
    op.add_column("cards_shown", sa.Column("encounter", sa.String(64)))
    op.add_column("cards_shown", sa.Column("is_shadow", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Delete the tables and the columns; and cards that nobody was shown, since older software would count them as shown."""
    op.execute("DELETE FROM cards_shown WHERE is_shadow")
    op.drop_column("cards_shown", "is_shadow")
    op.drop_column("cards_shown", "encounter")
    op.drop_table("audit_chains")
    op.drop_table("audit_events")
