"""The database: SQLite in a file by default, PostgreSQL by URL."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

from server.store.tables import metadata

IN_MEMORY = "sqlite://"
"""Forgets everything at the end; for tests and for `assess`."""


def open_database(url: str) -> Engine:
    """Open the database and bring its tables up to date.

    Args:
        url: an SQLAlchemy URL: `sqlite:///path/to/file` or `postgresql+psycopg://user@host/name`.
    """
    file = make_url(url).database
    if url == IN_MEMORY:
        # One connection, that threads take in turns: each connection to memory would be a database of its own.
        engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    else:
        if make_url(url).get_backend_name() == "sqlite" and file:
            Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    metadata.create_all(engine)
    return engine


def _set_up_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=2000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
