"""The tables come to be by migrations, and are then exactly those that the code knows; on both databases."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from server.config import ConfigurationError
from server.store import migrations
from server.store.database import connect, downgrade_database, upgrade_database
from server.store.migrating import BASE
from server.store.revisions import known_revisions, newest_revision, revision_of
from server.store.sqlite import file_of, turn_file
from server.store.sqlite_backup import revision_in
from server.store.tables import cards_shown, feedback, feedback_comments, metadata, smart_launches, snoozes, used_tokens
from tests.server.store.processes import python
from tests.server.store.rows import add, column, count

STEPS = sorted(known_revisions())
OLDER_REVISIONS = [None, *sorted(known_revisions() - {newest_revision()})]


def differences(engine: Engine) -> Any:
    """What Alembic would change to make the database be as the code says; it takes its time, within one transaction."""
    patient = connect(engine.url.render_as_string(hide_password=False), hurried=False)
    try:
        with patient.connect() as connection:
            return compare_metadata(MigrationContext.configure(connection), metadata)
    finally:
        patient.dispose()


def described(engine: Engine) -> dict[str, Any]:
    """Every table with all that the database knows about it, names of constraints too."""
    inspector = inspect(engine)
    kinds = {
        "primary key": inspector.get_multi_pk_constraint(),
        "foreign keys": inspector.get_multi_foreign_keys(),
        "unique": inspector.get_multi_unique_constraints(),
        "checks": inspector.get_multi_check_constraints(),
    }
    indexes, counting = inspector.get_multi_indexes(), counting_on(engine)
    return {
        place[1]: {
            "columns": [{**column, "type": str(column["type"])} for column in columns],  # with their defaults
            "indexes": sorted(str(index) for index in indexes[place]),
            "counts on": place[1] in counting,
        }
        | {kind: found[place] for kind, found in kinds.items()}
        for place, columns in inspector.get_multi_columns().items()
        if place[1] != "alembic_version"
    }


def counting_on(engine: Engine) -> set[str]:
    """Tables of SQLite that give no number a second time, of which the inspector says nothing; for PostgreSQL it says it."""
    if engine.dialect.name != "sqlite":
        return set()
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        return set(found.scalars())


@pytest.mark.parametrize(
    "other",
    ["id INTEGER PRIMARY KEY, n INTEGER DEFAULT 2", "id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER DEFAULT 1"],
    ids=["another default", "numbers that are never given twice"],
)
def test_tables_that_differ_are_described_differently(other: str) -> None:
    engines = [create_engine("sqlite://") for _ in range(2)]
    for engine, columns in zip(engines, ("id INTEGER PRIMARY KEY, n INTEGER DEFAULT 1", other), strict=True):
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE numbers ({columns})")
    one, two = (described(engine) for engine in engines)
    assert one["numbers"] != two["numbers"]
    for engine in engines:
        engine.dispose()


@pytest.fixture
def migrated(empty_database_url: str) -> Iterator[Engine]:
    """An empty database that went every step."""
    for revision in STEPS:
        upgrade_database(empty_database_url, revision)
    engine = connect(empty_database_url)
    yield engine
    engine.dispose()


def test_migrating_an_empty_database_gives_exactly_the_tables_of_the_code(migrated: Engine) -> None:
    assert differences(migrated) == []
    assert set(described(migrated)) == set(metadata.tables)


def test_a_migrated_database_is_as_one_that_was_built_at_once(migrated: Engine) -> None:
    by_steps = described(migrated)
    metadata.drop_all(migrated)
    metadata.create_all(migrated)
    assert described(migrated) == by_steps


def alembics_table(engine: Engine) -> Any:
    inspector = inspect(engine)
    columns = [(one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns("alembic_version")]
    return columns, inspector.get_pk_constraint("alembic_version")


def test_a_new_sqlite_file_is_built_at_once_and_is_as_one_that_went_every_step(tmp_path: Path) -> None:
    urls = {name: f"sqlite:///{tmp_path}/{name}.sqlite3" for name in ("built", "by steps")}
    for revision in STEPS:
        upgrade_database(urls["by steps"], revision)
    upgrade_database(urls["built"])
    built, by_steps = (connect(url) for url in urls.values())
    assert revision_of(built) == revision_of(by_steps)
    assert described(built) == described(by_steps)
    assert alembics_table(built) == alembics_table(by_steps)
    for engine in (built, by_steps):
        engine.dispose()


def test_a_file_with_tables_of_somebody_else_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/theirs.sqlite3"
    engine = connect(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE snoozes (theirs TEXT)")
    engine.dispose()
    with pytest.raises(ConfigurationError, match="snoozes already exists"):
        upgrade_database(url)


def test_a_difference_would_be_noticed(database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP INDEX feedback_received_at")
        connection.exec_driver_sql("ALTER TABLE snoozes ADD COLUMN why TEXT")
    assert len(differences(database)) == 2


def test_the_files_of_the_migrations_are_what_alembic_finds_in_them() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert {one.revision for one in scripts.walk_revisions()} == known_revisions()
    assert scripts.get_heads() == [newest_revision()]


@pytest.mark.parametrize("revision", OLDER_REVISIONS)
def test_every_older_revision_is_brought_up_to_date(empty_database_url: str, revision: str | None) -> None:
    if revision is not None:
        upgrade_database(empty_database_url, revision)
    upgrade_database(empty_database_url)
    engine = connect(empty_database_url)
    assert revision_of(engine) == newest_revision()
    assert differences(engine) == []
    engine.dispose()


# --- back, with rows in the tables


def filled(url: str) -> Engine:
    """A database with a row in every table that any older revision has; and a card that nobody was shown."""
    engine = connect(url)
    add(engine, cards_shown, {"card": "1", "encounter": "0" * 64}, {"card": "2", "is_shadow": True})
    add(engine, feedback, {"id": 7})
    add(engine, feedback_comments, {"feedback": 7, "comment": "kept"})
    for table in (used_tokens, snoozes, smart_launches):
        add(engine, table, {})
    return engine


def at_revision(engine: Engine) -> tuple[str | None, dict[str, Any]]:
    return revision_of(engine), described(engine)


@pytest.mark.requirement("DB-06")
def test_each_revision_can_be_left_and_come_back_to_with_rows_in_the_tables(empty_database_url: str) -> None:
    url = empty_database_url
    expected = {}
    for revision in STEPS:
        upgrade_database(url, revision)
        engine = connect(url)
        expected[revision] = at_revision(engine)
        engine.dispose()
    engine = filled(url)
    for revision in STEPS[-2::-1]:
        downgrade_database(url, revision)
        assert at_revision(engine) == expected[revision]
    for revision in STEPS[1:]:
        upgrade_database(url, revision)
        assert at_revision(engine) == expected[revision]
    assert column(engine, feedback_comments, "comment") == {"kept"}
    assert column(engine, cards_shown, "card") == {"1"}, "older software would have counted the other as shown"
    assert [count(engine, table) for table in (feedback, used_tokens, snoozes, smart_launches)] == [1, 1, 1, 0]
    downgrade_database(url, BASE)
    assert at_revision(engine) == (None, {})
    engine.dispose()


@pytest.mark.parametrize("revision", ["0003", "9999", "head"])
def test_back_goes_back_only(empty_database_url: str, revision: str) -> None:
    upgrade_database(empty_database_url, "0002")
    with pytest.raises(ConfigurationError, match=r"is at revision 0002; back from there go: 0001$"):
        downgrade_database(empty_database_url, revision)


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from server.store import database

@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, parameters, context, many):
    if "TABLE audit_chains" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

getattr(database, sys.argv[2])(sys.argv[1], sys.argv[3])
"""


@pytest.mark.requirement("DB-06")
@pytest.mark.parametrize(("way", "begin", "end"), [("upgrade_database", "0003", "0004"), ("downgrade_database", "0004", "0003")])
def test_a_process_that_is_killed_half_way_leaves_everything_as_it_was(database_url: str, way: str, begin: str, end: str) -> None:
    engine = filled(database_url)
    downgrade_database(database_url, begin)
    expected = at_revision(engine), count(engine, cards_shown)
    assert python("-c", KILLED, database_url, way, end).returncode == -signal.SIGKILL
    assert (at_revision(engine), count(engine, cards_shown)) == expected
    if file := file_of(engine.url) if engine.dialect.name == "sqlite" else None:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert revision_in(Path(f"{file}.revision-{begin}")) == begin
    {"upgrade_database": upgrade_database, "downgrade_database": downgrade_database}[way](database_url, end)
    assert revision_of(engine) == end
    engine.dispose()


@pytest.mark.requirement("DB-06")
def test_before_an_sqlite_file_changes_a_backup_is_left_beside_it(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/store.sqlite3", tmp_path / "store.sqlite3"
    upgrade_database(url, "0001")
    assert {path.name for path in tmp_path.iterdir()} == {file.name, turn_file(file).name}, "there was nothing to keep"
    engine = connect(url)
    add(engine, used_tokens, {"jti": "kept"})
    engine.dispose()
    for _ in range(2):
        upgrade_database(url)
    beside = {path.name.removeprefix(file.name) for path in tmp_path.iterdir()}
    assert beside == {"", "-turn", ".revision-0001"}
    kept = tmp_path / "store.sqlite3.revision-0001"
    assert (revision_in(kept), revision_in(file)) == ("0001", newest_revision())
    assert kept.stat().st_mode & 0o777 == 0o600
    assert column(connect(f"sqlite:///{kept}"), used_tokens, "jti") == {"kept"}
