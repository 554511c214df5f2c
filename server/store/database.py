"""The database: SQLite in a file by default, PostgreSQL by URL."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from sqlite3 import Error as SqliteError

from sqlalchemy import URL, Engine
from sqlalchemy.exc import SQLAlchemyError

from server.config import ConfigurationError
from server.store.engines import SETTING, connect, place_of, unusable
from server.store.errors import StoreError
from server.store.revisions import known_revisions, newest_revision, revision_of
from server.store.sqlite import IN_MEMORY, file_of, made_ready
from server.store.sqlite_backup import keep_beside
from server.store.tables import metadata

__all__ = ["IN_MEMORY", "connect", "downgrade_database", "open_database", "refuse_unless_current", "upgrade_database"]

Change = Callable[[Engine, str, Callable[[str], None]], None]
"""`migrating.upgrade` or `migrating.downgrade`."""

# Alembic, which is imported where tables change, reports its own parts and every look at a database.
logging.getLogger("alembic").setLevel(logging.WARNING)


def open_database(url: str) -> Engine:
    """Open the database, whose tables are then those of `server.store.tables`.

    A database in memory is built, an SQLite file is brought up to date, and PostgreSQL must be up to date already: there the
    tables belong to a database administrator.

    Args:
        url: as for `engines.connect`.

    Raises:
        ConfigurationError: it cannot be read or written, is not up to date, or was made by newer software.
        StoreError: PostgreSQL cannot be reached.
    """
    engine = connect(url)
    try:
        if engine.dialect.name == "sqlite":
            _upgrade(engine)
        else:
            refuse_unless_current(engine)
    except (ConfigurationError, StoreError):
        engine.dispose()
        raise
    return engine


def upgrade_database(url: str, revision: str = "head") -> None:
    """Bring the tables of a database up to date, whichever kind it is.

    Args:
        url: as for `engines.connect`.
        revision: how far.

    Raises:
        ConfigurationError: it cannot be read or written, or was made by newer software.
        StoreError: PostgreSQL cannot be reached.
    """
    engine = connect(url, hurried=False)
    try:
        _upgrade(engine, revision)
    finally:
        engine.dispose()


def downgrade_database(url: str, revision: str) -> None:
    """Bring the tables of a database back to what older software needs; what only newer tables hold is lost.

    Args:
        url: as for `engines.connect`.
        revision: an older one, or `migrating.BASE`.

    Raises:
        ConfigurationError: it cannot be read or written, was made by newer software, or the revision is none of ours.
        StoreError: PostgreSQL cannot be reached.
    """
    from server.store.migrating import BASE, downgrade

    engine = connect(url, hurried=False)
    if (file := file_of(engine.url) if engine.dialect.name == "sqlite" else None) and not file.exists():
        raise ConfigurationError(f"{SETTING}: {file}: no such file")
    try:
        _refuse_newer(engine.url, now := revision_of(engine))
        if revision != BASE and (revision not in known_revisions() or (now or "") < revision):
            older = ", ".join(sorted(one for one in known_revisions() if one < (now or "")))
            raise ConfigurationError(
                f"{place_of(engine.url)} is at revision {now or 'none'}; back from there go: {older or BASE}"
            )
        _change(engine, revision, downgrade)
    except SQLAlchemyError as error:
        raise unusable(engine.url, error) from error
    finally:
        engine.dispose()


def refuse_unless_current(engine: Engine) -> None:
    """See that the tables are those that this software needs.

    Raises:
        ConfigurationError: they are not, or it cannot be told.
        StoreError: PostgreSQL cannot be reached.
    """
    try:
        revision = revision_of(engine)
    except SQLAlchemyError as error:
        raise unusable(engine.url, error) from error
    _refuse_newer(engine.url, revision)
    if revision != newest_revision():
        raise ConfigurationError(
            f"{SETTING}: {place_of(engine.url)} is at revision {revision or 'none'}, this version needs {newest_revision()}; "
            "as a user who may create tables, run: myositis-cds db upgrade"
        )


def _upgrade(engine: Engine, revision: str = "head") -> None:
    if engine.dialect.name == "sqlite" and file_of(engine.url) is None:
        metadata.create_all(engine)
    else:
        from server.store.migrating import upgrade

        _change(engine, revision, upgrade)


def _change(engine: Engine, revision: str, change: Change) -> None:
    file = file_of(engine.url) if engine.dialect.name == "sqlite" else None
    try:
        with made_ready(file) if file else nullcontext():
            _refuse_newer(engine.url, revision_of(engine))
            change(engine, revision, partial(keep_beside, file) if file else _keep_nothing)
    except (SQLAlchemyError, SqliteError, OSError) as error:
        raise unusable(engine.url, error) from error


def _keep_nothing(revision: str) -> None:
    """PostgreSQL changes its tables within the transaction; its backups are the administrator's."""


def _refuse_newer(url: URL, revision: str | None) -> None:
    if revision is not None and revision not in known_revisions():
        raise ConfigurationError(
            f"{SETTING}: {place_of(url)} is at revision {revision}, which this version does not know: newer software made it; "
            "use that, or restore the backup from before"
        )
