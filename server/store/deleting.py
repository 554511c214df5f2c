"""Deleting many rows a few at a time, so that nobody waits for long."""

from sqlalchemy import ColumnElement, Connection, Table, delete, select, tuple_


def delete_some(connection: Connection, table: Table, condition: ColumnElement[bool], most: int) -> int:
    """Delete rows that meet a condition; those that another process is just deleting are left to it.

    Args:
        connection: within a transaction.
        table: where.
        condition: which.
        most: how many at most.

    Returns:
        How many were deleted.
    """
    key = table.primary_key.columns
    chosen = select(*key).where(condition).limit(most).with_for_update(skip_locked=True)
    return connection.execute(delete(table).where(tuple_(*key).in_(chosen))).rowcount
