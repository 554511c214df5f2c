"""Calls of clients in shadow mode; and of cards shown, marks of what they said, so that one visit hears it once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "shadow_calls",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("call", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("called_at", sa.BigInteger, nullable=False),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.Column("left_out", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("client", "call", name="shadow_calls_pk"),
    )
    op.create_index("shadow_calls_called_at", "shadow_calls", ["called_at"])
    op.add_column("cards_shown", sa.Column("marks", sa.JSON))


def downgrade() -> None:
    """Take them away again; what they hold is lost."""
    op.drop_column("cards_shown", "marks")
    op.drop_table("shadow_calls")
