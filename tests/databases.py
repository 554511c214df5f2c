"""Databases for tests: everything that stores something is tried on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from server.store.database import open_database, upgrade_database
from tests.postgresql import PostgresqlServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables: a file that is not there yet, or a new PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'myositis-cds.sqlite3'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL of a database with all tables and no rows."""
    upgrade_database(empty_database_url)
    return empty_database_url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An open database with all tables and no rows."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
