"""First tables: used tokens, cards shown, feedback and its comments, snoozes, what belongs to this installation."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "used_tokens",
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti", name="used_tokens_pk"),
    )
    op.create_index("used_tokens_expires_at", "used_tokens", ["expires_at"])
    op.create_table(
        "cards_shown",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("indicator", sa.String(16), nullable=False),
        sa.Column("recommendations", sa.JSON, nullable=False),
        sa.Column("knowledge_version", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("shown_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("client", "card", name="cards_shown_pk"),
    )
    op.create_index("cards_shown_patient", "cards_shown", ["client", "patient"])
    op.create_index("cards_shown_shown_at", "cards_shown", ["shown_at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("card", sa.String(256), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("outcome_at", sa.String(40), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("reason_system", sa.String(512)),
        sa.Column("reason_code", sa.String(128)),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="feedback_pk"),
        sa.UniqueConstraint("client", "service", "card", "outcome", "outcome_at", name="feedback_once"),
    )
    op.create_index("feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "feedback_comments",
        sa.Column("feedback", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("is_cut", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("feedback", name="feedback_comments_pk"),
        sa.ForeignKeyConstraint(["feedback"], ["feedback.id"], name="feedback_comments_feedback_fk", ondelete="CASCADE"),
    )
    op.create_table(
        "snoozes",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(64), nullable=False),
        sa.Column("recommendation", sa.String(128), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("client", "patient", "recommendation", name="snoozes_pk"),
    )
    op.create_index("snoozes_until", "snoozes", ["until"])
    op.create_table(
        "installation",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="installation_pk"),
    )


def downgrade() -> None:
    """Delete the tables with everything in them; what refers to another goes first."""
    for table in ("feedback_comments", "feedback", "used_tokens", "cards_shown", "snoozes", "installation"):
        op.drop_table(table)
