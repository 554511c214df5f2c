"""The tables come to be by migrations, and are then exactly those that the code knows; on both databases."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from server.store.database import connect, upgrade_database
from server.store.migrating import known_revisions, newest_revision, revision_of
from server.store.tables import metadata

OLDER_REVISIONS = [None, *sorted(known_revisions() - {newest_revision()})]


def differences(engine: Engine) -> Any:
    """What Alembic would change to make the database be as the code says."""
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def described(engine: Engine) -> dict[str, Any]:
    """Every table with all that the database knows about it, names of constraints too."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": inspector.get_foreign_keys(table),
            "unique": inspector.get_unique_constraints(table),
            "indexes": sorted(str(index) for index in inspector.get_indexes(table)),
            "checks": inspector.get_check_constraints(table),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_migrating_an_empty_database_gives_exactly_the_tables_of_the_code(database: Engine) -> None:
    assert differences(database) == []
    assert set(described(database)) == set(metadata.tables)


def test_a_migrated_database_is_as_one_that_was_built_at_once(empty_database_url: str, database: Engine) -> None:
    migrated = described(database)
    metadata.drop_all(database)
    metadata.create_all(database)
    assert described(database) == migrated


def test_a_difference_would_be_noticed(database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP INDEX feedback_received_at")
        connection.exec_driver_sql("ALTER TABLE snoozes ADD COLUMN why TEXT")
    assert len(differences(database)) == 2


@pytest.mark.parametrize("revision", OLDER_REVISIONS)
def test_every_older_revision_is_brought_up_to_date(empty_database_url: str, revision: str | None) -> None:
    if revision is not None:
        upgrade_database(empty_database_url, revision)
    upgrade_database(empty_database_url)
    engine = connect(empty_database_url)
    assert revision_of(engine) == newest_revision()
    assert differences(engine) == []
    engine.dispose()
