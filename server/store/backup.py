"""Backing the database up while it is in use, and putting it back; whichever kind it is."""

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Error as SqliteError
from time import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from server.config import ConfigurationError
from server.store import postgresql_backup, sqlite_backup
from server.store.database import open_database, upgrade_database
from server.store.engines import SETTING, connect, place_of, unusable
from server.store.new_files import complete_or_absent
from server.store.revisions import known_revisions
from server.store.sqlite import file_of


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to.

    Args:
        revision: of the backup.
        kept: where the SQLite database is that was there before; None if there was none, or for PostgreSQL.
    """

    revision: str
    kept: Path | None


def back_up(url: str, file: Path) -> str:
    """Write everything that was committed by now into a new file, which is checked.

    Args:
        url: the database, which may be in use.
        file: must not be there yet.

    Returns:
        The revision.

    Raises:
        ConfigurationError: the database or the file cannot be used, or the file is there already.
    """
    engine = connect(url)
    try:
        with complete_or_absent(file) as partial:
            if database := _sqlite_file(engine):
                sqlite_backup.take(database, partial)
            else:
                postgresql_backup.take(url, partial)
            return _revision(partial)
    except FileExistsError:
        raise ConfigurationError(f"{file}: is there already, and a backup never takes the place of another file") from None
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from error
    except SqliteError as error:
        raise ConfigurationError(f"{SETTING}: {place_of(engine.url)} cannot be backed up: {error}") from error


def restore(url: str, file: Path, *, replace: bool) -> Restored:
    """Make a backup the database, brought up to date; all of it, or nothing.

    Args:
        url: the database, which nobody may be using.
        file: the backup.
        replace: even if there is something in the database.

    Raises:
        ConfigurationError: the file is no backup of ours, is of the other kind of database or was made by newer software; or the
            database is in use, is not empty, or cannot be used.
        StoreError: PostgreSQL cannot be reached.
    """
    engine = connect(url, hurried=False)
    try:
        revision = _revision(file)
        database = _sqlite_file(engine)
        _refuse_another_kind(file, engine)
        _refuse_loss(engine, database, replace)
        if database:
            return Restored(revision, _restore_sqlite(file, database))
        postgresql_backup.put_back(url, file, int(time()))
        upgrade_database(url)
        return Restored(revision, None)
    except (SQLAlchemyError, OSError) as error:
        raise unusable(engine.url, error) from error
    except SqliteError as error:
        raise ConfigurationError(f"{file}: cannot be restored: {error}") from error
    finally:
        engine.dispose()


def _restore_sqlite(file: Path, database: Path) -> Path | None:
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with sqlite_backup.prepared(file, database, int(time())) as copy:
        open_database(f"sqlite:///{copy}").dispose()  # brings it up to date
        try:
            return sqlite_backup.put_in_place(copy, database)
        except FileExistsError:
            raise _in_use(f"SQLite {database}") from None


def _sqlite_file(engine: Engine) -> Path | None:
    return file_of(engine.url) if engine.dialect.name == "sqlite" else None


def _revision(file: Path) -> str:
    """The revision of a backup.

    Raises:
        ConfigurationError: it is none of ours, or of newer software.
    """
    of_kind = {sqlite_backup.MAGIC: sqlite_backup.revision_in, postgresql_backup.MAGIC: postgresql_backup.revision_in}
    try:
        beginning = _beginning(file)
        revision = next((find(file) for magic, find in of_kind.items() if beginning.startswith(magic)), None)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except SqliteError as error:
        raise ConfigurationError(f"{file}: cannot be used: {error}") from error
    if revision is None:
        raise ConfigurationError(f"{file}: not a backup of this service; make one with: myositis-cds db backup FILE")
    if revision not in known_revisions():
        raise ConfigurationError(f"{file}: is at revision {revision}, which this version does not know: newer software made it")
    return revision


def _refuse_another_kind(file: Path, engine: Engine) -> None:
    magic = sqlite_backup.MAGIC if engine.dialect.name == "sqlite" else postgresql_backup.MAGIC
    if not _beginning(file).startswith(magic):
        raise ConfigurationError(f"{file}: is of another kind of database than {place_of(engine.url)}")


def _refuse_loss(engine: Engine, database: Path | None, replace: bool) -> None:
    place = place_of(engine.url)
    is_in_use = database.exists() and sqlite_backup.is_in_use(database) if database else postgresql_backup.is_in_use(engine)
    if is_in_use:
        raise _in_use(place)
    is_empty = sqlite_backup.is_empty(database) if database else postgresql_backup.is_empty(engine)
    if not is_empty and not replace:
        raise ConfigurationError(f"{SETTING}: {place} is not empty; to give up what is in it, add --replace")


def _in_use(place: str) -> ConfigurationError:
    return ConfigurationError(f"{SETTING}: {place} is in use; end the service, and whatever else is connected, first")


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(len(sqlite_backup.MAGIC))
