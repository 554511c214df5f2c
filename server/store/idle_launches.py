"""Launches that nobody uses any more: what they hold is deleted, whether or not anybody comes back (SM-13)."""

from sqlalchemy import Connection, select, update

from server.store.tables import smart_launches

IDLE_SECONDS = 15 * 60


def empty_idle(connection: Connection, now: int, most: int) -> int:
    """Delete what idle launches hold; those that another process is just writing are left to it.

    Args:
        connection: within a transaction.
        now: seconds since 1970.
        most: how many at most.

    Returns:
        How many held something.
    """
    table = smart_launches
    idle = select(table.c.id).where(table.c.used_at <= now - IDLE_SECONDS, table.c.sealed != "")
    chosen = idle.order_by(table.c.used_at).limit(most).with_for_update(skip_locked=True)
    return connection.execute(update(table).where(table.c.id.in_(chosen)).values(sealed="", state=None)).rowcount
