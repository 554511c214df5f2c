"""Inserting what may be there already."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves a row that is there already as it is, and then returns none.

    Args:
        connection: to SQLite or PostgreSQL; both know `ON CONFLICT DO NOTHING`, each through a construct of its own.
        table: where to.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
