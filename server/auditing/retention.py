"""Deleting records whose time is over: the oldest of a chain, so that the rest can still be verified.

That it is done is a record itself, written together with the first deletion: else whoever deletes the beginning of a chain could
say that it was retention.
"""

import time
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, select, update

from server.auditing.appending import Line, append, locked_head
from server.auditing.entry import PURGE, AuditEntry, text_of
from server.store.tables import audit_chains, audit_events
from server.store.transactions import reading, transaction

_BATCH = 500


def purge_audit(engine: Engine, key: bytes, before: int) -> int:
    """Delete what is older than it should become.

    Args:
        engine: the database; its user may delete from `audit_events`, which the service need not.
        key: of the chains.
        before: milliseconds since 1970; of each client go the oldest records up to, and without, the first that is not older.

    Returns:
        How many were deleted.

    Raises:
        StoreError: the database cannot be used; what was deleted so far stays deleted, and the next time goes on from there.
    """
    with reading(engine) as connection:
        clients = list(connection.scalars(select(audit_chains.c.client).order_by(audit_chains.c.client)))
    return sum(_purge_client(engine, key, client, before) for client in clients)


def _purge_client(engine: Engine, key: bytes, client: str, before: int) -> int:
    with transaction(engine) as connection:
        through = _oldest_through(connection, client, before)
        if not through:
            return 0
        append(connection, key, [_witness(client, through)])
        some = deleted = _delete_some(connection, client, through)
    while some == _BATCH:
        with transaction(engine) as connection:
            some = _delete_some(connection, client, through)
        deleted += some
    return deleted


def _oldest_through(connection: Connection, client: str, before: int) -> int:
    """Sequence of the last of the oldest records that may go; 0 for none."""
    table = audit_events
    of_client = select(table.c.sequence).where(table.c.client == client)
    in_order, backwards = (of_client.order_by(order).limit(1) for order in (table.c.sequence, table.c.sequence.desc()))
    first_kept = connection.scalar(in_order.where(table.c.recorded_at >= before))
    through = connection.scalar(backwards) if first_kept is None else first_kept - 1
    oldest = connection.scalar(in_order)
    return through if oldest is not None and through is not None and oldest <= through else 0


def _delete_some(connection: Connection, client: str, through: int) -> int:
    locked_head(connection, client)
    table = audit_events
    oldest = (
        select(table.c.sequence, table.c.chain)
        .where(table.c.client == client, table.c.sequence <= through)
        .order_by(table.c.sequence)
        .limit(_BATCH)
    )
    rows = connection.execute(oldest).all()
    if rows:
        last = rows[-1]
        moved = update(audit_chains).where(audit_chains.c.client == client)
        connection.execute(moved.values(purged_sequence=last.sequence, purged_chain=last.chain))
        connection.execute(delete(table).where(table.c.client == client, table.c.sequence <= last.sequence))
    return len(rows)


def _witness(client: str, through: int) -> Line:
    now = time.time_ns() // 1_000_000
    entry = AuditEntry(str(uuid4()), now, client, "retention", PURGE, "purged", purged_through=through)
    return Line(client, now, text_of(entry))
