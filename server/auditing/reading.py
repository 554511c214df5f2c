"""Reading the trail: one moment of it, however long that takes, and never more than a few records at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.exc import SQLAlchemyError

from server.auditing.appending import Head
from server.store.errors import StoreError
from server.store.tables import audit_chains, audit_events

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """Which records.

    Args:
        since: milliseconds since 1970; None from the beginning.
        before: milliseconds since 1970; None to the end.
        client: of this registered client only.
    """

    since: int | None = None
    before: int | None = None
    client: str | None = None


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """The database as it is at one moment; the service goes on writing meanwhile.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # the driver begins no transaction for reading
                yield connection
            else:
                yield connection.execution_options(isolation_level="REPEATABLE READ")
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be used now ({type(error).__name__})") from error


def records(connection: Connection, period: Period) -> Iterator["Row[Any]"]:
    """The rows of `audit_events`, by client, in their order."""
    table = audit_events
    wanted = select(table).order_by(table.c.client, table.c.sequence)
    if period.client is not None:
        wanted = wanted.where(table.c.client == period.client)
    if period.since is not None:
        wanted = wanted.where(table.c.recorded_at >= period.since)
    if period.before is not None:
        wanted = wanted.where(table.c.recorded_at < period.before)
    yield from connection.execution_options(yield_per=_AT_ONCE).execute(wanted)


def clients_of(connection: Connection) -> list[str]:
    """Every client that has records, or a head."""
    names = select(audit_chains.c.client).union(select(audit_events.c.client))
    return sorted(connection.scalars(names))


def heads(connection: Connection) -> list[Head]:
    """The newest record of every client, by its name."""
    rows = connection.execute(select(audit_chains).order_by(audit_chains.c.client))
    return [Head(row.client, row.sequence, row.chain) for row in rows]
