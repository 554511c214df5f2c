"""The tables. Nothing clinical is in them: identifiers of cards and statements, and a patient only as a keyed hash."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

# Every constraint has a name, so that a later revision can change it.
metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_once",
        "ix": "%(table_name)s_%(column_0_N_name)s",
    }
)

used_tokens = Table(
    "used_tokens",
    metadata,
    Column("issuer", String(512), nullable=False),
    Column("jti", String(64), nullable=False),  # its SHA-256, hexadecimal: any text, of any length, fits the key
    Column("expires_at", BigInteger, nullable=False),  # seconds since 1970; from then on the row may go
    PrimaryKeyConstraint("issuer", "jti"),
    Index("used_tokens_expires_at", "expires_at"),
)

cards_shown = Table(
    "cards_shown",
    metadata,
    Column("client", String(64), nullable=False),
    Column("card", String(36), nullable=False),  # Card.uuid
    Column("service", String(64), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("recommendations", JSON, nullable=False),  # list of recommendation ids
    Column("knowledge_version", String(64), nullable=False),
    Column("patient", String(64), nullable=False),  # keyed hash, hexadecimal
    Column("shown_at", BigInteger, nullable=False),  # seconds since 1970
    Column("encounter", String(64)),  # keyed hash of a visit and its reader; none where the EHR named no visit
    Column("is_shadow", Boolean, nullable=False, server_default=false()),  # recorded, and not shown to anybody
    Column("marks", JSON),  # list of keyed hashes of what it said; none where the EHR named no visit
    PrimaryKeyConstraint("client", "card"),
    Index("cards_shown_patient", "client", "patient"),
    Index("cards_shown_shown_at", "shown_at"),
)

shadow_calls = Table(
    "shadow_calls",
    metadata,
    Column("client", String(64), nullable=False),
    Column(
        "call", String(64), nullable=False
    ),  # keyed hash of service, patient and hook instance: a call that is repeated counts once
    Column("service", String(64), nullable=False),
    Column("patient", String(64), nullable=False),  # keyed hash
    Column("called_at", BigInteger, nullable=False),  # seconds since 1970
    Column("cards", Integer, nullable=False),  # that would have been shown
    Column("left_out", JSON, nullable=False),  # how many cards, by the reason why they would not (cards.choosing.LeftOut)
    PrimaryKeyConstraint("client", "call"),
    Index("shadow_calls_called_at", "called_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("card", String(256), nullable=False),  # as sent; not every EHR sends the uuid
    Column("outcome", String(16), nullable=False),
    Column("outcome_at", String(40), nullable=False),  # outcomeTimestamp in UTC, ISO 8601
    Column("suggestions", JSON, nullable=False),  # list of ids of accepted suggestions
    Column("reason_system", String(512)),
    Column("reason_code", String(128)),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("client", "service", "card", "outcome", "outcome_at", name="feedback_once"),
    Index("feedback_received_at", "received_at"),
)

feedback_comments = Table(
    "feedback_comments",
    metadata,
    Column("feedback", Integer, ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("comment", Text, nullable=False),  # a clinician's words: may name a patient, never logged, purged first
    Column("is_cut", Boolean, nullable=False),
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("client", String(64), nullable=False),
    Column("patient", String(64), nullable=False),  # keyed hash
    Column("recommendation", String(128), nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("client", "patient", "recommendation"),
    Index("snoozes_until", "until"),
)

smart_launches = Table(
    "smart_launches",
    metadata,
    Column("id", String(32), nullable=False),  # ours, in the path of every page
    Column("client", String(64), nullable=False),
    Column("browser", String(64), nullable=False),  # SHA-256 of the launch's cookie, hexadecimal
    Column("state", String(64)),  # SHA-256 of the OAuth state; none once it was used
    Column("is_standalone", Boolean, nullable=False),
    Column("sealed", Text, nullable=False),  # encrypted: what was asked, then what was granted; empty once the launch has ended
    Column("used_at", BigInteger, nullable=False),  # seconds since 1970
    Column("ends_at", BigInteger, nullable=False),
    Column("refreshing_until", BigInteger, nullable=False),  # so long one process alone may use the refresh token
    PrimaryKeyConstraint("id"),
    UniqueConstraint("state", name="smart_launches_state_once"),
    Index("smart_launches_ends_at", "ends_at"),
    Index("smart_launches_used_at", "used_at"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("client", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),  # 1, 2, 3 … without a gap
    Column("recorded_at", BigInteger, nullable=False),  # milliseconds since 1970
    Column("entry", Text, nullable=False),  # what happened, as canonical JSON: exactly the text that the chain is made over
    Column("chain", String(64), nullable=False),  # hexadecimal, over the chain of the record before and this entry
    PrimaryKeyConstraint("client", "sequence"),
    Index("audit_events_recorded_at", "recorded_at"),
)

audit_chains = Table(
    "audit_chains",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),  # of the newest record
    Column("chain", String(64), nullable=False),  # of the newest record
    Column("purged_sequence", BigInteger, nullable=False),  # of the newest record that retention has deleted; 0 for none
    Column("purged_chain", String(64), nullable=False),  # of that record: the chain goes on from here
)

installation = Table(
    "installation",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
