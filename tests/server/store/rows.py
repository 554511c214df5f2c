"""Rows for tests, with what does not matter filled in."""

from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Table, delete, func, insert, select

from server.store.tables import (
    cards_shown,
    feedback,
    feedback_comments,
    metadata,
    shadow_calls,
    smart_launches,
    snoozes,
    used_tokens,
)

_DEFAULTS: dict[Table, dict[str, Any]] = {
    used_tokens: {"issuer": "https://ehr.example", "jti": "1", "expires_at": 0},
    snoozes: {"client": "ehr", "patient": "0" * 64, "recommendation": "1", "until": 0},
    cards_shown: {
        "client": "ehr", "card": "1", "service": "myositis-patient-view", "topic": "lungFunction", "indicator": "info",
        "recommendations": [], "knowledge_version": "1", "patient": "0" * 64, "shown_at": 0,
    },
    shadow_calls: {
        "client": "ehr", "call": "1", "service": "myositis-patient-view", "patient": "0" * 64, "called_at": 0, "cards": 0,
        "left_out": {},
    },
    feedback: {
        "id": 1, "client": "ehr", "service": "myositis-patient-view", "card": "1", "outcome": "accepted",
        "outcome_at": "2026-11-22T12:00:00Z", "suggestions": [], "received_at": 0,
    },
    feedback_comments: {"feedback": 1, "comment": "", "is_cut": False},
    smart_launches: {
        "id": "1", "client": "ehr", "browser": "0" * 64, "state": None, "is_standalone": False, "sealed": "", "used_at": 0,
        "ends_at": 0, "refreshing_until": 0,
    },
}  # fmt: skip


def add(engine: Engine, table: Table, *rows: dict[str, Any]) -> None:
    """Write rows; those next to each other that have the same columns, in one statement."""
    whole = [_DEFAULTS[table] | row for row in rows]
    with engine.begin() as connection:
        for _, same in groupby(whole, key=sorted):
            connection.execute(insert(table), list(same))


def emptied(engine: Engine) -> Engine:
    """The same database without a row: that takes less time than to make another one."""
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    return engine


def column(engine: Engine, table: Table, name: str) -> set[Any]:
    """All values in a column."""
    with engine.connect() as connection:
        return set(connection.execute(select(table.c[name])).scalars())


def count(engine: Engine, table: Table) -> int:
    """How many rows a table has."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()
