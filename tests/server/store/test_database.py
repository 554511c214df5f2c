"""Opening a database: what is made, what is refused, and in which words."""

import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect

from server.config import Config, ConfigurationError
from server.store.database import IN_MEMORY, connect, open_database, upgrade_database
from server.store.errors import StoreError
from server.store.revisions import newest_revision
from server.store.tables import metadata
from tests.postgresql import PostgresqlServer
from tests.server.store.all_at_once import FILES, PROCESSES
from tests.server.store.processes import all_at_once, python

TABLES = set(metadata.tables)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "deeper" / "store.sqlite3"


def tables(url: str) -> set[str]:
    engine = connect(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def refusal(url: str) -> str:
    with pytest.raises((ConfigurationError, StoreError), match=r"^MYOSITIS_CDS_DATABASE_URL: ") as caught:
        open_database(url)
    return str(caught.value)


# --- SQLite


def test_a_new_sqlite_file_has_all_tables_and_only_its_user_can_read_it(file: Path) -> None:
    before = os.umask(0)
    try:
        engine = open_database(f"sqlite:///{file}")
    finally:
        os.umask(before)
    assert set(inspect(engine).get_table_names()) > TABLES
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
    beside = {path.name.removeprefix(file.name) for path in file.parent.iterdir()}
    assert beside == {"", "-wal", "-shm", "-turn"}, "the write-ahead log, its index and what writers lock are there too"
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.requirement("DB-05")
def test_every_connection_to_sqlite_is_set_up_to_wait_and_to_lose_nothing(file: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "secure_delete")
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names] == ["wal", 2, 2000, 1, 1]


def test_what_is_in_memory_is_built_and_shared_by_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(IN_MEMORY)
    assert set(inspect(engine).get_table_names()) == TABLES


@pytest.mark.requirement("DB-05")
def test_eight_processes_may_make_the_same_sqlite_file_at_once(tmp_path: Path) -> None:
    assert len(all_at_once("open", str(tmp_path))) == PROCESSES * FILES


def test_a_file_that_is_no_database_is_refused(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("not a database at all, and long enough to be looked at " * 50)
    assert refusal(f"sqlite:///{file}").endswith("store.sqlite3 cannot be used: file is not a database")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(f"sqlite:///{tmp_path}/file/store.sqlite3").endswith("file/store.sqlite3 cannot be used: File exists")


OPEN = "import sys; from server.store.database import open_database; open_database(sys.argv[1])"
# Root may write everything, unless it is told not to.
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()


@pytest.mark.requirement("DB-04")
@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_a_database_that_may_only_be_read_is_refused_at_the_start(file: Path, read_only: str) -> None:
    open_database(f"sqlite:///{file}").dispose()
    path = file if read_only == "file" else file.parent
    path.chmod(path.stat().st_mode & ~0o222)
    result = python("-c", OPEN, f"sqlite:///{file}", before=WITHOUT_PRIVILEGE)
    assert "ConfigurationError: MYOSITIS_CDS_DATABASE_URL: SQLite" in result.stderr.splitlines()[-1]
    file.parent.chmod(0o700)


# --- PostgreSQL


def test_postgresql_waits_for_the_administrator(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database()
    remedy = "as a user who may create tables, run: myositis-cds db upgrade"
    assert refusal(url).endswith(f"is at revision none, this version needs {newest_revision()}; {remedy}")
    assert tables(url) == set()
    upgrade_database(url)
    open_database(url).dispose()
    assert tables(url) > TABLES


def test_postgresql_may_be_named_in_short(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database().replace("postgresql+psycopg:", "postgresql:")
    upgrade_database(url)
    engine = open_database(url)
    assert engine.url.drivername == "postgresql+psycopg"
    engine.dispose()


def test_without_psycopg_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'myositis-cds[postgres]'" in refusal("postgresql+psycopg://somebody@127.0.0.1/store")


@pytest.mark.requirement("DB-01", "PR-06")
@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://somebody:secret@127.0.0.1:1/store",
        "postgresql+psycopg://somebody@127.0.0.1:1/store?password=secret",
        "postgresql+psycopg://somebody:secret@127.0.0.1:1/store?unheard_of=1",
        "postgresql+asyncpg://somebody:secret@127.0.0.1:1/store",
        "postgresql+psycopg://somebody:secret@127.0.0.1:secret/store",
        "mysql://somebody:secret@127.0.0.1/store",
        "postgresql+psycopg:/somebody:secret@127.0.0.1/store",
        "secret",
        "",
    ],
)
def test_what_cannot_be_reached_is_refused_without_telling_the_password(url: str) -> None:
    assert "secret" not in refusal(url)


@pytest.mark.requirement("PR-06")
def test_the_settings_do_not_show_the_password() -> None:
    assert "secret" not in repr(Config(database_url="postgresql+psycopg://somebody:secret@127.0.0.1/store"))


# --- both


def test_a_database_of_newer_software_is_refused(database_url: str) -> None:
    engine = connect(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    assert "at revision 9999, which this version does not know: newer software made it" in refusal(database_url)
    with pytest.raises(ConfigurationError, match="newer software made it"):
        upgrade_database(database_url)


@pytest.mark.requirement("DB-06")
def test_an_upgrade_that_fails_changes_nothing(empty_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(exist_ok=True)
    engine = connect(empty_database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE snoozes (theirs INTEGER)")
    engine.dispose()
    with pytest.raises(ConfigurationError, match=r"snoozes.* already exists"):
        upgrade_database(empty_database_url)
    assert tables(empty_database_url) == {"snoozes"}


KILLED_WITHIN_UPGRADE = """
import os, signal, sys
from sqlalchemy import Engine, event
from server.store.database import upgrade_database

@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, parameters, context, many):
    if "CREATE TABLE snoozes" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade_database(sys.argv[1])
"""


@pytest.mark.requirement("DB-06")
def test_an_upgrade_that_is_killed_can_be_done_again(empty_database_url: str) -> None:
    assert python("-c", KILLED_WITHIN_UPGRADE, empty_database_url).returncode == -signal.SIGKILL
    assert tables(empty_database_url) == set()
    upgrade_database(empty_database_url)
    assert tables(empty_database_url) > TABLES
