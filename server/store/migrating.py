"""Bringing the tables of a database up to date or back, by Alembic, which is imported only where tables are to change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from server.observing.logs import logger
from server.store.building import build, is_new
from server.store.revisions import newest_revision, revision_over

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

_log = logger("store")

OURS = 0x6D796F73
"""Spells "myos": which of PostgreSQL's advisory locks is ours, and whose file an SQLite file is."""

BASE = "base"
"""The revision without any table of ours."""

_PATIENCE_SECONDS = 10  # who starts while others write without a pause waits longer than a hook call could


def upgrade(engine: Engine, revision: str, keep: Callable[[str], None]) -> None:
    """Bring the tables up to date: all of it or, on any trouble, nothing (DB-06).

    Args:
        engine: the database; upgrades that others began are waited for.
        revision: how far; `head` for the newest.
        keep: is told the revision of a database that has tables and is about to change, while nobody else can write to it.
    """
    with _alone(engine) as connection:
        before = after = revision_over(connection)
        if revision == "head" and is_new(connection):
            build(connection)
            after = newest_revision()
        elif before != (newest_revision() if revision == "head" else revision):
            from alembic import command

            if before is not None:
                keep(before)
            command.upgrade(_configuration(connection), revision)
            after = revision_over(connection)
    if after != before:
        _log.info("database_upgraded", database=engine.dialect.name, before=before or "none", after=after)


def downgrade(engine: Engine, revision: str, keep: Callable[[str], None]) -> None:
    """Bring the tables back to what older software needs: all of it or, on any trouble, nothing. What only newer tables hold is
    lost.

    Args:
        engine: the database.
        revision: an older one, or `BASE`.
        keep: as for `upgrade`.
    """
    with _alone(engine) as connection:
        before = revision_over(connection)
        if before is not None and before != revision:
            from alembic import command

            keep(before)
            command.downgrade(_configuration(connection), revision)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that is the only one to change tables."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Changing a table there means to copy and drop it, which would delete what refers to its rows.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_SECONDS * 1000}")
            connection.commit()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(f"PRAGMA application_id = {OURS}")  # a file that may only be read is noticed here
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({OURS})")
        yield connection
        connection.commit()
        connection.invalidate()  # with its settings


def _configuration(connection: Connection) -> "AlembicConfig":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "server.store:migrations")
    config.attributes["connection"] = connection
    return config
