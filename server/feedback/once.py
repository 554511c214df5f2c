"""Inserting what may be there already."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

Row = dict[str, Any]
"""What is to be inserted, by column."""


def insert_once(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves a row that is there already as it is, and then returns none.

    Args:
        connection: to SQLite or PostgreSQL; both know `ON CONFLICT DO NOTHING`, each through a construct of its own.
        table: where to.
    """
    return _insert_once(connection.dialect.name, table)


@cache
def _insert_once(dialect: str, table: Table) -> Any:
    """Built once: every call writes with it. SQLAlchemy's dialects are large, and the one in use was loaded with the database."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table).on_conflict_do_nothing()
