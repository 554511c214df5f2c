"""Databases for tests: everything that stores something is tried on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from server.store.database import open_database, upgrade_database
from tests.postgresql import PostgresqlServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables: a file that is not there yet, or a new PostgreSQL database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state' / 'myositis-cds.sqlite3'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    if "database_url" in request.fixturenames:  # which needs one with tables: this one, copied at once
        url = server.new_database(template=request.getfixturevalue("migrated_postgresql"))
    else:
        url = server.new_database()
    yield url
    server.drop(url)


@pytest.fixture
def database_url(empty_database_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables and no rows: a copy of one that was migrated, which takes longer than most tests."""
    kind, _, file = empty_database_url.partition(":///")
    if kind == "sqlite":
        Path(file).parent.mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("migrated_file"), file)
    return empty_database_url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows."""
    file = tmp_path_factory.mktemp("migrated") / "myositis-cds.sqlite3"
    upgrade_database(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgresqlServer) -> str:
    """The name of a PostgreSQL database with all tables and no rows."""
    url = postgresql.new_database()
    upgrade_database(url)
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An open database with all tables and no rows."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
