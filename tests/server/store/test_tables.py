"""What may be written down at all: a new column is put on a list here, and its reviewer asks what could get into it."""

import pytest
from sqlalchemy import JSON, Column, String

from server.store.tables import metadata

# Comments are a clinician's own words. They have a table of their own, are purged first, and are nowhere else.
WORDS_OF_PEOPLE = {"feedback_comments.comment"}

# Patients, only as keyed hashes of 64 digits.
PATIENTS = {"cards_shown.encounter", "cards_shown.patient", "shadow_calls.patient", "snoozes.patient"}

# Names of registered clients and services, ids and codes of our knowledge, hashes.
OURS = {
    "used_tokens.issuer", "used_tokens.jti",
    "cards_shown.client", "cards_shown.card", "cards_shown.service", "cards_shown.topic", "cards_shown.indicator",
    "cards_shown.recommendations", "cards_shown.knowledge_version", "cards_shown.marks",
    "shadow_calls.client", "shadow_calls.call", "shadow_calls.service", "shadow_calls.left_out",
    "feedback.client", "feedback.service",
    "snoozes.client", "snoozes.recommendation",
    "installation.name", "installation.value",
    "smart_launches.id", "smart_launches.client", "smart_launches.browser", "smart_launches.state",
    "audit_events.client", "audit_events.entry", "audit_events.chain",
    "audit_chains.client", "audit_chains.chain", "audit_chains.purged_chain",
}  # fmt: skip

# What a launch holds, tokens and the patient's id too; AES-GCM with a key that is not in the database.
SEALED = {"smart_launches.sealed"}

# Identifiers and codes that the EHR sends, of bounded length: which card, what became of it, and the coded reason.
CODES_OF_THE_EHR = {
    "feedback.card", "feedback.outcome", "feedback.outcome_at", "feedback.suggestions",
    "feedback.reason_system", "feedback.reason_code",
}  # fmt: skip


def columns() -> dict[str, Column[object]]:
    return {str(column): column for table in metadata.tables.values() for column in table.columns}


def holds_text(column: Column[object]) -> bool:
    return isinstance(column.type, String | JSON)


@pytest.mark.requirement("LOG-07")
def test_every_column_that_can_hold_text_is_known() -> None:
    assert {
        name for name, column in columns().items() if holds_text(column)
    } == WORDS_OF_PEOPLE | PATIENTS | OURS | SEALED | CODES_OF_THE_EHR


@pytest.mark.requirement("LOG-07")
def test_only_comments_and_our_own_values_have_no_longest_length() -> None:
    endless = {name for name, column in columns().items() if isinstance(column.type, String) and column.type.length is None}
    assert endless == {"feedback_comments.comment", "installation.value", "audit_events.entry"} | SEALED


def test_other_columns_are_numbers_and_truth_values() -> None:
    others = {type(column.type).__name__ for column in columns().values() if not holds_text(column)}
    assert others <= {"BigInteger", "Integer", "Boolean"}


@pytest.mark.requirement("LOG-02")
def test_a_patients_column_has_room_for_a_hash_only() -> None:
    assert {columns()[name].type.length for name in PATIENTS} == {64}  # type: ignore[attr-defined]
