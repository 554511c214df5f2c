"""A new SQLite file gets the tables of today at once, without each step that older files took: to import Alembic takes a tenth of
the start, and its memory would be every worker's.
"""

from sqlalchemy import Connection, inspect

from server.store.revisions import newest_revision
from server.store.tables import metadata

_ALEMBICS_TABLE = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"


def is_new(connection: Connection) -> bool:
    """Whether this is an SQLite file in which there is no table yet; in PostgreSQL, the tables are an administrator's."""
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()


def build(connection: Connection) -> None:
    """Make all tables, and write down, where Alembic would, that they are those of the newest revision."""
    metadata.create_all(connection)
    connection.exec_driver_sql(_ALEMBICS_TABLE)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (newest_revision(),))
